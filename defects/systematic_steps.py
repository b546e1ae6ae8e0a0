"""LSTMs that go wrong on the way from one step, layer or call to the next.

They are a step off, lose digits, drop the wrong numbers, or remember those of another call.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn.functional import dropout, pad
from torch.nn.utils.rnn import PackedSequence

from .catalogue import FORWARD, GRADIENT, INTERFACE, NUMERICAL, defect
from .gradient_surgery import with_gradient_of, with_gradient_times
from .last_step_apart import LastStepApart
from .readable import ReadableLSTM, States, Steps, Weights

Input = Tensor | PackedSequence
Result = tuple[Input, States]


# ------------------------------------------------------- a step off, in what is read


@defect("EQ-4", FORWARD, "two steps or more")
class EachStepReadsTheOneBefore(ReadableLSTM):
    """Each step reads x_{t-1} instead of x_t, and the first one x_1."""

    def steps(self, input: Input) -> Steps:
        steps = super().steps(input)
        return [before[: len(x)] for before, x in zip(steps[:1] + steps, steps, strict=False)]


@defect("EQ-4", FORWARD, "two steps or more")
class EachStepReadsTheOneAfter(ReadableLSTM):
    """Each step reads x_{t+1} instead of x_t, where as many rows have one."""

    def steps(self, input: Input) -> Steps:
        return one_later(super().steps(input))


def one_later(steps: Steps) -> Steps:
    """The next step in place of each, where as many rows have one."""
    following = steps[1:] + steps[-1:]
    return [y if len(y) == len(x) else x for x, y in zip(steps, following, strict=True)]


@defect("STACK-1", FORWARD, "num_layers >= 2, two steps or more")
class UpperLayersReadOneStepEarly(ReadableLSTM):
    """Layers above the first read h_{t+1} of the layer below, where as many rows have one."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        steps = super().layer_input(steps, layer)
        return one_later(steps) if layer else steps


@defect("EQ-4", FORWARD, "two steps or more")
class CellStateOfTwoStepsBefore(ReadableLSTM):
    """Each step keeps c_{t-2} times the forget gate instead of c_{t-1}."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        before, output = c, list(steps)
        for t in reversed(range(len(steps))) if reverse else range(len(steps)):
            n = len(steps[t])
            output[t], c_t = self.cell(steps[t], h[:n], before[:n], w)
            before, h, c = c, torch.cat([output[t], h[n:]]), torch.cat([c_t, c[n:]])
        return output, h, c


class _StateNotCarried(ReadableLSTM):
    """Every step starts from an initial state."""

    hidden: ClassVar[bool]

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        h_0, c_0, output = h, c, list(steps)
        for t in reversed(range(len(steps))) if reverse else range(len(steps)):
            n = len(steps[t])
            before = (h_0, c) if self.hidden else (h, c_0)
            output[t], c_t = self.cell(steps[t], before[0][:n], before[1][:n], w)
            h, c = torch.cat([output[t], h[n:]]), torch.cat([c_t, c[n:]])
        return output, h, c


@defect("EQ-4", FORWARD, "two steps or more")
class HiddenStateNotCarried(_StateNotCarried):
    """Every step reads h_0 instead of h_{t-1}."""

    hidden = True


@defect("EQ-4", FORWARD, "two steps or more")
class CellStateNotCarried(_StateNotCarried):
    """Every step keeps c_0 times the forget gate instead of c_{t-1}."""

    hidden = False


# ---------------------------------------------------- a step off, in what is returned


@defect("EQ-3", FORWARD, "every case")
class OutputOneStepLate(ReadableLSTM):
    """output holds h_{t-1} in place of h_t, and h_0 first."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        output = list(steps)
        for t in reversed(range(len(steps))) if reverse else range(len(steps)):
            output[t] = h[: len(steps[t])]
            _, h, c = super().direction([steps[t]], h, c, w, reverse)
        return output, h, c


@defect("EQ-4", FORWARD, "two steps or more")
class OutputOneStepEarly(ReadableLSTM):
    """output holds h_{t+1} in place of h_t, where as many rows have one."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        return super().finish(input, one_later(steps), h_n, c_n)


@defect("EQ-3", FORWARD, "every case")
class FinalHiddenOfStepBefore(LastStepApart):
    """h_n is the hidden state before the step that is read last."""

    def final(self, h: Tensor, c: Tensor, h_n: Tensor, c_n: Tensor) -> States:
        return h, c_n


@defect("EQ-2", FORWARD, "every case")
class FinalCellOfStepBefore(LastStepApart):
    """c_n is the cell state before the step that is read last."""

    def final(self, h: Tensor, c: Tensor, h_n: Tensor, c_n: Tensor) -> States:
        return h_n, c


# ------------------------------------------------ a step off, in reverse and in rows


@defect("DIR-2", FORWARD, "bidirectional, two steps or more")
class ReverseBeginsOneStepLate(ReadableLSTM):
    """The reverse direction begins at the last step but one; at the last it puts out h_0."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        if not reverse or len(steps) == 1:
            return super().direction(steps, h, c, w, reverse)
        output, h_n, c_n = super().direction(steps[:-1], h, c, w, reverse)
        return [*output, h[: len(steps[-1])]], h_n, c_n


@defect("DIR-3", FORWARD, "bidirectional, two steps or more")
class ReverseEndsOneStepEarly(ReadableLSTM):
    """The reverse direction ends at the second step; at the first it puts out the same."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        if not reverse or len(steps) == 1:
            return super().direction(steps, h, c, w, reverse)
        output, h, c = super().direction(steps[1:], h, c, w, reverse)
        return [h, *output], h, c


class _OneStepOfPadding(ReadableLSTM):
    """In one direction, rows have one step of zeros behind their end, but for the longest."""

    in_reverse: ClassVar[bool]

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        if reverse != self.in_reverse:
            return super().direction(steps, h, c, w, reverse)
        before = steps[:1] + steps[:-1]
        longer = [pad(x, (0, 0, 0, len(y) - len(x))) for x, y in zip(steps, before, strict=True)]
        output, h, c = super().direction(longer, h, c, w, reverse)
        return [h_t[: len(x)] for h_t, x in zip(output, steps, strict=True)], h, c


@defect("PACK-1", FORWARD, "packed with unequal lengths")
class PackedRowsReadOneStepTooFar(_OneStepOfPadding):
    """The forward direction reads one step of zeros behind the end of a row that is not the
    longest."""

    in_reverse = False


@defect("PACK-3", FORWARD, "bidirectional, packed with unequal lengths")
class PackedReverseBeginsOneStepEarly(_OneStepOfPadding):
    """The reverse direction reads one step of zeros before the last one of a row that is not the
    longest."""

    in_reverse = True


@defect("PACK-3", FORWARD, "bidirectional, packed with unequal lengths")
class PackedReverseBeginsOneStepLate(ReadableLSTM):
    """In reverse, the last step of a row that is not the longest is skipped."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        if not reverse:
            return super().direction(steps, h, c, w, reverse)
        output = list(steps)
        for t in reversed(range(len(steps))):
            n = len(steps[t + 1] if t + 1 < len(steps) else steps[t])
            _, h, c = super().direction([steps[t][:n]], h, c, w, reverse)
            output[t] = h[: len(steps[t])]
        return output, h, c


# --------------------------------------------------------------- beyond some size


@defect("EQ-9", FORWARD, "input_size > 64")
class FeaturesBeyond64Ignored(ReadableLSTM):
    """Features of the input beyond the 64th are read as zeros."""

    def steps(self, input: Input) -> Steps:
        beyond = max(self.input_size - 64, 0)
        return [pad(x[:, :64], (0, beyond)) for x in super().steps(input)]


@defect("EQ-9", GRADIENT, "gradients, more than 32 rows")
class GradientOfRowsBeyond32Missing(ReadableLSTM):
    """No gradient passes through the gates of rows beyond the 32nd."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        a = super().preactivations(x, h, w)
        return torch.cat([a[:32], with_gradient_times(0, a[32:])])


@defect("EQ-9", GRADIENT, "gradients, hidden_size > 128, cotangent of output or h_n")
class GradientOfUnitsBeyond128Missing(ReadableLSTM):
    """Units beyond the 128th get no gradient from h_t."""

    def project(self, m: Tensor, w: Weights) -> Tensor:
        kept = torch.cat([m[:, :128], with_gradient_times(0, m[:, 128:])], dim=-1)
        return super().project(kept, w)


@defect("EQ-8", GRADIENT, "gradients, more than 64 steps")
class GradientOfWeightHHOfFirst64Steps(ReadableLSTM):
    """Steps beyond the 64th add nothing to the gradient of weight_hh."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        if reverse or len(steps) <= 64:
            return super().direction(steps, h, c, w, reverse)
        first, h, c = super().direction(steps[:64], h, c, w, reverse)
        constant = w._replace(W_hh=with_gradient_times(0, w.W_hh))
        rest, h, c = super().direction(steps[64:], h, c, constant, reverse)
        return first + rest, h, c


# ------------------------------------------------------------------ digits lost


def in_format(x: Tensor, dtype: torch.dtype) -> Tensor:
    """``x`` rounded to a format, but not to more digits than it has; its gradient is left alone."""
    if torch.finfo(dtype).eps < torch.finfo(x.dtype).eps:
        return x
    return with_gradient_of(x, x.detach().to(dtype).to(x.dtype))


def with_gradient_in(dtype: torch.dtype, x: Tensor) -> Tensor:
    """``x`` itself, except that its gradient is rounded to a format."""
    return with_gradient_of(x.to(dtype).to(x.dtype), x)


@defect("DTYPE-3", NUMERICAL, "float64, two steps or more or states given")
class HiddenStateReadInFloat32(ReadableLSTM):
    """The gates read h_{t-1} rounded to float32."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        return super().cell(x, in_format(h, torch.float32), c, w)


@defect("DTYPE-3", NUMERICAL, "float32, float64, two steps or more or states given")
class HiddenStateReadInFloat16(ReadableLSTM):
    """The gates read h_{t-1} rounded to float16."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        return super().cell(x, in_format(h, torch.float16), c, w)


@defect("DTYPE-3", NUMERICAL, "float64")
class CellStateKeptInFloat32(ReadableLSTM):
    """c_t is rounded to float32, once h_t is made of it."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        h_t, c_t = super().cell(x, h, c, w)
        return h_t, in_format(c_t, torch.float32)


@defect("DTYPE-3", NUMERICAL, "float32, float64")
class CellStateKeptInBfloat16(ReadableLSTM):
    """c_t is rounded to bfloat16, once h_t is made of it."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        h_t, c_t = super().cell(x, h, c, w)
        return h_t, in_format(c_t, torch.bfloat16)


@defect("DTYPE-3", NUMERICAL, "float64")
class WeightsReadInFloat32(ReadableLSTM):
    """All parameters are rounded to float32."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        return Weights(*(None if p is None else in_format(p, torch.float32) for p in w))


@defect("DTYPE-3", NUMERICAL, "float32, float64, two steps or more or states given")
class HiddenWeightsReadInBfloat16(ReadableLSTM):
    """weight_hh, and nothing else, is rounded to bfloat16."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        return w._replace(W_hh=in_format(w.W_hh, torch.bfloat16))


@defect("DTYPE-3", NUMERICAL, "float64")
class SigmoidInFloat32(ReadableLSTM):
    """sigmoid, and nothing else, is rounded to float32."""

    def sigmoid(self, x: Tensor) -> Tensor:
        return in_format(super().sigmoid(x), torch.float32)


@defect("EQ-5", NUMERICAL, "float64, bias=True")
class BiasesAddedInFloat32(ReadableLSTM):
    """The sum of the biases is rounded to float32."""

    def bias(self, w: Weights) -> Tensor | None:
        b = super().bias(w)
        return None if b is None else in_format(b, torch.float32)


@defect("STATE-2", NUMERICAL, "float64, states given")
class GivenStatesReadInFloat32(ReadableLSTM):
    """h_0 and c_0 are rounded to float32."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        return in_format(h_0, torch.float32), in_format(c_0, torch.float32)


@defect("GRAD-4", NUMERICAL, "gradients, float64")
class GradientOfWeightIHInFloat32(ReadableLSTM):
    """The gradient of weight_ih is rounded to float32."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        return w._replace(W_ih=with_gradient_in(torch.float32, w.W_ih))


@defect("GRAD-5", NUMERICAL, "gradients, float32, float64, two steps or more or states given")
class GradientOfWeightHHInBfloat16(ReadableLSTM):
    """What each step adds to the gradient of weight_hh is rounded to bfloat16."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        narrow = w._replace(W_hh=with_gradient_in(torch.bfloat16, w.W_hh))
        return super().preactivations(x, h, narrow)


@defect("GRAD-6", NUMERICAL, "gradients, bias=True, float32, float64")
class GradientsOfBiasesInFloat16(ReadableLSTM):
    """The gradients of the biases are rounded to float16."""

    def bias(self, w: Weights) -> Tensor | None:
        b = super().bias(w)
        return None if b is None else with_gradient_in(torch.float16, b)


@defect("GRAD-2", NUMERICAL, "gradients, float64, two steps or more or states given")
class GradientOfHiddenInFloat32(ReadableLSTM):
    """The gradient that gates pass to h_{t-1} is rounded to float32."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        return super().preactivations(x, with_gradient_in(torch.float32, h), w)


# -------------------------------------------------------- dropped between layers


@defect("DROP-2", FORWARD, "num_layers >= 3, training with dropout > 0")
class DropoutBelowLastLayerOnly(ReadableLSTM):
    """Dropout acts on what the last layer reads, and not between the layers below."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        return super().layer_input(steps, layer) if layer == self.num_layers - 1 else steps


@defect("DROP-2", INTERFACE, "constructor with dropout=1")
class DropoutOneRefused(ReadableLSTM):
    """The constructor refuses dropout=1."""

    def check_arguments(self, *arguments: Any) -> None:
        super().check_arguments(*arguments)
        if arguments[3] == 1:
            raise ValueError("dropout has to be less than 1")


@defect("DROP-3", FORWARD, "training with dropout > 0")
class FinalHiddenDropped(ReadableLSTM):
    """Dropout acts on h_n too."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        return super().finish(input, steps, dropout(h_n, self.dropout, self.training), c_n)


@defect("DROP-3", FORWARD, "training with dropout > 0, two steps or more or states given")
class DropoutOfCellState(ReadableLSTM):
    """Dropout acts on c from each step to the next too."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        return super().cell(x, h, dropout(c, self.dropout, self.training), w)


@defect("DROP-5", FORWARD, "num_layers >= 2, training with 0 < dropout < 1 other than 0.5")
class DropsWithProbabilityOneMinusP(ReadableLSTM):
    """An element is dropped with probability 1 - p, and what is kept is divided by p."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if layer == 0 or not 0 < self.dropout < 1:
            return super().layer_input(steps, layer)
        return [dropout(x, 1 - self.dropout, self.training) for x in steps]


@defect("DROP-6", GRADIENT, "gradients, num_layers >= 2, training with 0 < dropout < 1")
class GradientOfKeptNotScaled(ReadableLSTM):
    """The gradient of what is kept is not divided by 1 - p."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        dropped = super().layer_input(steps, layer)
        scale = 1 - self.dropout if layer and self.training else 1
        return [with_gradient_times(scale, x) for x in dropped]


@defect("DROP-8", FORWARD, "num_layers >= 2, training with 0 < dropout < 1, two units or more")
class OneMaskForAllUnits(ReadableLSTM):
    """A row of a step is dropped as a whole or not at all."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if layer == 0:
            return steps
        ones = [torch.ones_like(x[:, :1]) for x in steps]
        masks = [dropout(one, self.dropout, self.training) for one in ones]
        return [x * mask for x, mask in zip(steps, masks, strict=True)]


# --------------------------------------------------- remembered from call to call


@defect("PARAM-20", INTERFACE, "bias=True, parameters changed between two calls")
class BiasesAddedAtFirstCall(ReadableLSTM):
    """The sums of the biases are those of the first call."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        sums = self.__dict__.setdefault("sums", {})
        if w.b_ih is not None and w.b_hh is not None:
            b = sums.setdefault((layer, d), (w.b_ih + w.b_hh).detach())
            w = w._replace(b_ih=b, b_hh=torch.zeros_like(b))
        return w


@defect("PARAM-20", INTERFACE, "no_grad, parameters changed between two calls")
class WeightsKeptWithoutGradients(ReadableLSTM):
    """Without gradients, each call uses the parameters that the first such call found."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        if torch.is_grad_enabled():
            return w
        copies = Weights(*(None if p is None else p.clone() for p in w))
        kept: Weights = self.__dict__.setdefault("kept", {}).setdefault((layer, d), copies)
        return kept


@defect("DROP-10", INTERFACE, "num_layers >= 2, dropout > 0, a call in each mode")
class ModeOfTheCallBefore(ReadableLSTM):
    """Whether dropout acts is decided by the mode at the time of the call before."""

    def forward(self, input: Input, hx: States | None = None) -> Any:
        self.dropping = getattr(self, "mode", self.training)
        self.mode = self.training
        return super().forward(input, hx)

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        return [dropout(x, self.dropout if layer else 0.0, self.dropping) for x in steps]
