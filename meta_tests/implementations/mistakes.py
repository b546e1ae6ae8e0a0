"""LSTMs with mistakes that people make. The catalogue lacks them: what is said of them?"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from lstm_conformance.defects.readable import (
    Input,
    ReadableLSTM,
    Result,
    States,
    Steps,
    Weights,
    in_order_read,
)

__all__ = [
    "BatchFirstIgnored",
    "BfloatWeights",
    "BiasGradientOfLastStep",
    "CellClipped",
    "DropoutNotScaled",
    "DropoutOnFinalState",
    "FinalHiddenNegative",
    "ForgottenWhereRowsEnd",
    "InputGradientTooSmall",
    "LateRowsReadTheFirst",
    "LateUnitsNeverForget",
    "LengthsIgnored",
    "OutputClipped",
    "OutputSlightlyTooLarge",
    "SinglePrecisionProducts",
    "TensorFloatProducts",
    "WrongInTraining",
]


class LateRowsReadTheFirst(ReadableLSTM):
    """Rows from 3 on are computed from the input of row 0."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        steps = super().layer_input(steps, layer)
        if layer > 0:
            return steps
        return [torch.cat([x[:3], x[:1].expand(len(x[3:]), -1)]) for x in steps]


class LateUnitsNeverForget(ReadableLSTM):
    """In the reverse direction the forget gate of units from 4 on is 1."""

    _reverse = False

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        self._reverse = reverse
        return super().direction(steps, h, c, w, reverse)

    def gates(self, x: Tensor, h: Tensor, w: Weights) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        i, f, g, o = super().gates(x, h, w)
        late = torch.arange(f.shape[-1], device=f.device) >= 4
        return i, torch.where(late, 1.0, f) if self._reverse else f, g, o


class ForgottenWhereRowsEnd(ReadableLSTM):
    """Of the states the last rows are read, not the first, where rows of a batch have ended."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        if reverse:
            return super().direction(steps, h, c, w, reverse)
        output = list(steps)
        for t, x in enumerate(steps):
            n = len(x)
            h_t, c_t = self.cell(x, h[-n:], c[-n:], w)
            output[t] = h_t
            h, c = torch.cat([h_t, h[n:]]), torch.cat([c_t, c[n:]])
        return output, h, c


class BatchFirstIgnored(ReadableLSTM):
    """batch_first is taken and has no effect: the first axis are the steps."""

    def __init__(self, *arguments: Any, batch_first: bool = False, **more: Any) -> None:
        super().__init__(*arguments, **more)


class LengthsIgnored(ReadableLSTM):
    """A packed sequence is padded, and all of its steps are computed in each row."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        if not isinstance(input, PackedSequence):
            return super().forward(input, hx)
        x, lengths = pad_packed_sequence(input)
        self.batch_first, given = False, self.batch_first
        output, states = super().forward(x, hx)
        self.batch_first = given
        packed: Any = pack_padded_sequence(output, lengths, enforce_sorted=False)
        if input.sorted_indices is None:
            packed = PackedSequence(packed.data, packed.batch_sizes)
        return packed, states


class DropoutNotScaled(ReadableLSTM):
    """What dropout keeps is not divided by 1 - p."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if layer == 0 or not self.training or not self.dropout:
            return steps
        return [x * (torch.rand_like(x) >= self.dropout) for x in steps]


class DropoutScaleInFloat32(ReadableLSTM):
    """What dropout keeps is divided by 1 - p in float32."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if layer == 0 or not self.training or not self.dropout:
            return steps
        scale = 1 / torch.tensor(1 - self.dropout, dtype=torch.float32).item()
        return [scale * x * (torch.rand_like(x) >= self.dropout) for x in steps]


class DropoutOnFinalState(ReadableLSTM):
    """In training h_n is multiplied by 1 - p."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        if self.training:
            h_n = h_n * (1 - self.dropout)
        return super().finish(input, steps, h_n, c_n)


class SinglePrecisionProducts(ReadableLSTM):
    """Products are computed in float32."""

    def product(self, x: Tensor, W: Tensor) -> Tensor:
        return super().product(x.float(), W.float()).to(x.dtype)


class TensorFloatProducts(ReadableLSTM):
    """The factors of products have 11 bits, as in TF32."""

    def product(self, x: Tensor, W: Tensor) -> Tensor:
        return super().product(_Tf32.apply(x), _Tf32.apply(W))


class _Tf32(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        mantissa, exponent = torch.frexp(x)
        return torch.ldexp(torch.round(mantissa * 2**11) / 2**11, exponent)

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor) -> Tensor:
        return cotangents[0]


class BfloatWeights(ReadableLSTM):
    """Weights are rounded to bfloat16."""

    def weights(self, layer: int, d: int) -> Weights:
        given = super().weights(layer, d)
        return Weights(*(None if p is None else p.bfloat16().to(p.dtype) for p in given))


class OutputClipped(ReadableLSTM):
    """No element of output is above 0.2."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        return super().finish(input, [h.clamp(max=0.2) for h in steps], h_n, c_n)


class OutputSlightlyTooLarge(ReadableLSTM):
    """output is 1.001 times what it should be, which is as far off as rounding to 11 bits."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        return super().finish(input, [1.001 * h for h in steps], h_n, c_n)


class FinalHiddenNegative(ReadableLSTM):
    """The sign of h_n is wrong."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        return super().finish(input, steps, -h_n, c_n)


class InputGradientTooSmall(ReadableLSTM):
    """The gradient of the input is 0.99 times what it should be."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        steps = super().layer_input(steps, layer)
        return [0.99 * x + 0.01 * x.detach() for x in steps] if layer == 0 else steps


class CellClipped(ReadableLSTM):
    """The cell state is kept between -0.3 and 0.3."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        i, f, g, o = self.gates(x, h, w)
        c_t = (f * c + i * g).clamp(-0.3, 0.3)
        return self.project(o * self.tanh(c_t), w), c_t


class WrongInTraining(ReadableLSTM):
    """In training the forget gate is 1."""

    def gates(self, x: Tensor, h: Tensor, w: Weights) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        i, f, g, o = super().gates(x, h, w)
        return i, torch.ones_like(f) if self.training else f, g, o


class BiasGradientOfLastStep(ReadableLSTM):
    """The gradients of the biases come from the last step that a direction reads."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        if w.b_ih is None or w.b_hh is None:
            return super().direction(steps, h, c, w, reverse)
        without = w._replace(b_ih=w.b_ih.detach(), b_hh=w.b_hh.detach())
        order = [*in_order_read(steps, reverse)]
        output = list(steps)
        for t in order:
            n = len(steps[t])
            h_t, c_t = self.cell(steps[t], h[:n], c[:n], w if t == order[-1] else without)
            output[t] = h_t
            h, c = torch.cat([h_t, h[n:]]), torch.cat([c_t, c[n:]])
        return output, h, c
