"""Correct LSTMs that compute in other ways than ``torch.nn.LSTM``: the suite must pass them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import pad
from torch.nn.utils.rnn import PackedSequence
from torch.utils.checkpoint import checkpoint

from lstm_conformance.defects.readable import ReadableLSTM, States, Steps, Weights

__all__ = [
    "ChunkedTime",
    "ConcatenatedProduct",
    "ExponentialGates",
    "Float64Inside",
    "FunctionalCall",
    "FusedProducts",
    "GateByGate",
    "HandWrittenBackward",
    "InputProductAhead",
    "MaskedPadding",
    "NonContiguousWeights",
    "PairwiseSum",
    "RecomputedInBackward",
    "Scripted",
    "SigmoidByTanh",
    "SummedFromTheEnd",
]


class SigmoidByTanh(ReadableLSTM):
    """sigmoid(x) is (1 + tanh(x / 2)) / 2."""

    def sigmoid(self, x: Tensor) -> Tensor:
        return 0.5 + 0.5 * torch.tanh(0.5 * x)


class ExponentialGates(ReadableLSTM):
    """sigmoid and tanh by exp of numbers that are not positive, so that it does not overflow."""

    def sigmoid(self, x: Tensor) -> Tensor:
        positive = x >= 0
        e = torch.exp(torch.where(positive, -x, x))
        return torch.where(positive, 1.0, e) / (1 + e)

    def tanh(self, x: Tensor) -> Tensor:
        return 1 - 2 * self.sigmoid(-2 * x)


class ConcatenatedProduct(ReadableLSTM):
    """One product [x, h, 1] [W_ih, W_hh, b]^T instead of two and a sum."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        left, right = [x, h], [w.W_ih, w.W_hh]
        b = self.bias(w)
        if b is not None:
            left.append(torch.ones_like(x[:, :1]))
            right.append(b[:, None])
        return torch.cat(left, dim=1) @ torch.cat(right, dim=1).T


class SummedFromTheEnd(ReadableLSTM):
    """Products are summed one term at a time, the last feature first."""

    def product(self, x: Tensor, W: Tensor) -> Tensor:
        total = x[:, -1:] * W[:, -1]
        for k in reversed(range(W.shape[1] - 1)):
            total = total + x[:, k : k + 1] * W[:, k]
        return total


class PairwiseSum(ReadableLSTM):
    """The terms of a product are added in pairs, then the sums in pairs, and so on."""

    def product(self, x: Tensor, W: Tensor) -> Tensor:
        terms = x[:, None] * W  # (n, m, k)
        while terms.shape[-1] > 1:
            terms = pad(terms, (0, terms.shape[-1] % 2))
            terms = terms[..., ::2] + terms[..., 1::2]
        return terms[..., 0]


class FusedProducts(ReadableLSTM):
    """Products and sums are one operation, in the gates, in c_t and in the projection."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        if w.b_ih is None or w.b_hh is None:
            return torch.addmm(x @ w.W_ih.T, h, w.W_hh.T)
        return torch.addmm(torch.addmm(w.b_ih, x, w.W_ih.T) + w.b_hh, h, w.W_hh.T)

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        i, f, g, o = self.gates(x, h, w)
        c_t = torch.addcmul(i * g, f, c)
        return self.project(o * self.tanh(c_t), w), c_t

    def project(self, m: Tensor, w: Weights) -> Tensor:
        if w.W_hr is None:
            return m
        none = m.new_zeros(1, len(m), len(w.W_hr))
        return torch.baddbmm(none, m[None], w.W_hr.T[None])[0]


class GateByGate(ReadableLSTM):
    """Each gate has products of its own."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        per_gate = zip(*(4 * [None] if p is None else p.chunk(4) for p in w[:4]), strict=True)
        return torch.cat(
            [super(GateByGate, self).preactivations(x, h, Weights(*of, None)) for of in per_gate],
            dim=1,
        )


class NonContiguousWeights(ReadableLSTM):
    """Parameters are copied into transposed tensors with gaps, and used from there."""

    def weights(self, layer: int, d: int) -> Weights:
        return Weights(
            *(None if p is None else _transposed_with_gaps(p) for p in super().weights(layer, d))
        )


def _transposed_with_gaps(p: Tensor) -> Tensor:
    """A copy with the last axis as the slowest, and NaN between the elements."""
    transposed = p.movedim(-1, 0)
    gaps = torch.full_like(transposed, torch.nan)
    return torch.stack([transposed, gaps], dim=-1)[..., 0].movedim(0, -1)


class InputProductAhead(ReadableLSTM):
    """The inputs of all steps are multiplied by W_ih, and get both biases, before the first."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        zero = torch.cat(steps).new_zeros(1, self.output_size)
        ahead = super().preactivations(torch.cat(steps), zero, w)
        return super().direction(list(ahead.split([len(x) for x in steps])), h, c, w, reverse)

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        return x + self.product(h, w.W_hh)


class ChunkedTime(InputProductAhead):
    """The steps in blocks. Each block multiplies its inputs ahead, and hands its states on."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        blocks = [steps[t : t + 3] for t in range(0, len(steps), 3)]
        for k in reversed(range(len(blocks))) if reverse else range(len(blocks)):
            blocks[k], h, c = super().direction(blocks[k], h, c, w, reverse)
        return [h_t for block in blocks for h_t in block], h, c


class Float64Inside(ReadableLSTM):
    """Each step is computed in float64; h_t and c_t are rounded."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        wide = Weights(*(None if p is None else p.double() for p in w))
        h_t, c_t = super().cell(x.double(), h.double(), c.double(), wide)
        return h_t.to(x.dtype), c_t.to(x.dtype)


class RecomputedInBackward(ReadableLSTM):
    """The backward pass computes each step again instead of remembering it."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        return checkpoint(super().cell, x, h, c, w, use_reentrant=False)


class Scripted(ReadableLSTM):
    """Preactivations and the nonlinear part of the cell are compiled by TorchScript."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        # Not inside: the gradient of a compiled chunk has the wrong shape if a gate needs none.
        gates = self.preactivations(x, h, w).chunk(4, dim=-1)
        m, c_t = _compiled(_nonlinear)(*gates, c)
        return self.project(m, w), c_t

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        return _compiled(_linear)(x, h, w.W_ih, w.W_hh, w.b_ih, w.b_hh)


@cache
def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    with warnings.catch_warnings():
        # TorchScript is deprecated, but there, and the only compiler that needs no C++ compiler.
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.script(function)


def _linear(
    x: Tensor, h: Tensor, W_ih: Tensor, W_hh: Tensor, b_ih: Tensor | None, b_hh: Tensor | None
) -> Tensor:
    a = x @ W_ih.t() + h @ W_hh.t()
    if b_ih is not None and b_hh is not None:
        a = a + b_ih + b_hh
    return a


def _nonlinear(
    a_i: Tensor, a_f: Tensor, a_g: Tensor, a_o: Tensor, c: Tensor
) -> tuple[Tensor, Tensor]:
    c_t = a_f.sigmoid() * c + a_i.sigmoid() * a_g.tanh()
    return a_o.sigmoid() * c_t.tanh(), c_t


class FunctionalCall(ReadableLSTM):
    """A ``torch.nn.LSTM`` without numbers of its own is called with these parameters."""

    def forward(
        self, input: Tensor | PackedSequence, hx: States | None = None
    ) -> tuple[Tensor | PackedSequence, States]:
        self.check_input(input)
        if hx is not None:
            self.check_states(input, hx)
        shell = torch.nn.LSTM(
            self.input_size,
            self.hidden_size,
            self.num_layers,
            bias=hasattr(self, "bias_ih_l0"),
            batch_first=self.batch_first,
            dropout=self.dropout if self.num_layers > 1 else 0.0,
            bidirectional=self.num_directions == 2,
            proj_size=self.output_size if hasattr(self, "weight_hr_l0") else 0,
            device="meta",
        ).train(self.training)
        return torch.func.functional_call(shell, dict(self.named_parameters()), (input, hx))


class MaskedPadding(ReadableLSTM):
    """Every step computes all rows, and masks those that have ended."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        rows, output = torch.arange(len(h), device=h.device)[:, None], list(steps)
        for t in reversed(range(len(steps))) if reverse else range(len(steps)):
            n = len(steps[t])
            x = pad(steps[t], (0, 0, 0, len(h) - n))  # (N, features)
            h_t, c_t = self.cell(x, h, c, w)
            h, c = torch.where(rows < n, h_t, h), torch.where(rows < n, c_t, c)
            output[t] = h[:n]
        return output, h, c


class HandWrittenBackward(ReadableLSTM):
    """The cell's nonlinear part has a backward pass written by hand."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        m, c_t = _Cell.apply(self.preactivations(x, h, w), c)
        return self.project(m, w), c_t


class _Cell(torch.autograd.Function):
    """From the preactivations (n, 4H) and c_{t-1} (n, H) to o_t * tanh(c_t) and c_t."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        a_i, a_f, a_g, a_o = a.chunk(4, dim=-1)
        i, f, g, o = a_i.sigmoid(), a_f.sigmoid(), a_g.tanh(), a_o.sigmoid()
        c_t = f * c + i * g
        ctx.save_for_backward(c, i, f, g, o, c_t.tanh())
        return o * c_t.tanh(), c_t

    @staticmethod
    @once_differentiable  # what is saved would be taken for constants
    def backward(ctx: Any, *cotangents: Tensor) -> tuple[Tensor, Tensor]:
        dm, dc_t = cotangents
        c, i, f, g, o, tanh_c = ctx.saved_tensors
        dc_t = dc_t + dm * o * (1 - tanh_c**2)
        da_i = dc_t * g * i * (1 - i)
        da_f = dc_t * c * f * (1 - f)
        da_g = dc_t * i * (1 - g**2)
        da_o = dm * tanh_c * o * (1 - o)
        return torch.cat([da_i, da_f, da_g, da_o], dim=-1), dc_t * f
