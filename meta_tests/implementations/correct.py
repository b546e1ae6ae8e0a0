"""Correct LSTMs that compute in other ways than ``torch.nn.LSTM``: the suite must pass them."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import pad
from torch.utils.checkpoint import checkpoint

from lstm_conformance.defects.readable import ReadableLSTM, Steps, Weights

__all__ = [
    "ConcatenatedProduct",
    "ExponentialGates",
    "Float64Inside",
    "HandWrittenBackward",
    "InputProductAhead",
    "MaskedPadding",
    "RecomputedInBackward",
    "SigmoidByTanh",
    "SummedFromTheEnd",
]


class SigmoidByTanh(ReadableLSTM):
    """sigmoid(x) is (1 + tanh(x / 2)) / 2."""

    def sigmoid(self, x: Tensor) -> Tensor:
        return 0.5 + 0.5 * torch.tanh(0.5 * x)


class ExponentialGates(ReadableLSTM):
    """sigmoid and tanh by exp, which is kept from overflowing."""

    def sigmoid(self, x: Tensor) -> Tensor:
        limit = math.log(torch.finfo(x.dtype).max) / 2
        return 1 / (1 + torch.exp((-x).clamp(-limit, limit)))

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


class MaskedPadding(ReadableLSTM):
    """Every step computes all rows, padding included, and masks what is not there."""

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
