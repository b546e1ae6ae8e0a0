"""LSTMs that drop, double or misplace one term of a gradient, or one cotangent.

Results are right, and nothing is raised.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from .catalogue import GRADIENT, defect
from .gradient_surgery import with_cotangents, with_gradient_of, with_gradient_times
from .last_step_apart import LastStepApart
from .readable import ReadableLSTM, States, Steps, Weights

Input = Tensor | PackedSequence
Result = tuple[Input, States]


# -------------------------------------------------- through a gate, and into the cell


class _GradientOfGateMissing(ReadableLSTM):
    """No gradient passes through one gate."""

    block: ClassVar[int]

    def gates(self, x: Tensor, h: Tensor, w: Weights) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        gates = list(super().gates(x, h, w))
        gates[self.block] = with_gradient_times(0, gates[self.block])
        i, f, g, o = gates
        return i, f, g, o


@defect("GRAD-4", GRADIENT, "gradients")
class GradientOfInputGateMissing(_GradientOfGateMissing):
    """No gradient passes through the input gate."""

    block = 0


@defect("GRAD-4", GRADIENT, "gradients, two steps or more or states given")
class GradientOfForgetGateMissing(_GradientOfGateMissing):
    """No gradient passes through the forget gate."""

    block = 1


@defect("GRAD-4", GRADIENT, "gradients")
class GradientOfCandidateMissing(_GradientOfGateMissing):
    """No gradient passes through the candidate."""

    block = 2


@defect("GRAD-4", GRADIENT, "gradients, cotangent of output or h_n")
class GradientOfOutputGateMissing(_GradientOfGateMissing):
    """No gradient passes through the output gate."""

    block = 3


@defect("GRAD-3", GRADIENT, "gradients, two steps or more or states given")
class GradientOfOldCellMissing(ReadableLSTM):
    """No gradient passes from c_t to c_{t-1}."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        return super().cell(x, h, with_gradient_times(0, c), w)


class _GradientWithOtherFactors(ReadableLSTM):
    """The equations of the cell, with factors of their derivatives that can be replaced."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        i, f, g, o = self.gates(x, h, w)
        c_t = f * c + i * g
        of_old, of_f, of_i, of_g = (factor.detach() for factor in self.factors(i, f, g, c, c_t))
        c_t = with_gradient_of(of_old * c + of_f * f + of_i * i + of_g * g, c_t)
        return self.project(o * self.tanh(c_t), w), c_t

    def factors(
        self, i: Tensor, f: Tensor, g: Tensor, c: Tensor, c_t: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The derivatives of c_t with respect to c_{t-1}, f, i and g."""
        return f, c, g, i


@defect("GRAD-3", GRADIENT, "gradients, two steps or more or states given")
class GradientOfOldCellTakesInputGate(_GradientWithOtherFactors):
    """The gradient of c_{t-1} is i times that of c_t instead of f times."""

    def factors(
        self, i: Tensor, f: Tensor, g: Tensor, c: Tensor, c_t: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return i, c, g, i


@defect("GRAD-4", GRADIENT, "gradients")
class GradientOfForgetGateTakesNewCell(_GradientWithOtherFactors):
    """The gradient of f is c_t times that of c_t instead of c_{t-1} times."""

    def factors(
        self, i: Tensor, f: Tensor, g: Tensor, c: Tensor, c_t: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return f, c_t, g, i


@defect("GRAD-4", GRADIENT, "gradients")
class GradientOfInputGateTakesOldCell(_GradientWithOtherFactors):
    """The gradient of i is c_{t-1} times that of c_t instead of g times."""

    def factors(
        self, i: Tensor, f: Tensor, g: Tensor, c: Tensor, c_t: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return f, c, c, i


@defect("GRAD-4", GRADIENT, "gradients")
class GradientOfCandidateTakesForgetGate(_GradientWithOtherFactors):
    """The gradient of g is f times that of c_t instead of i times."""

    def factors(
        self, i: Tensor, f: Tensor, g: Tensor, c: Tensor, c_t: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return f, c, g, f


@defect("GRAD-4", GRADIENT, "gradients, cotangent of output or h_n")
class GradientOfOutputGateTakesOldCell(ReadableLSTM):
    """The gradient of o is tanh(c_{t-1}) times that of h_t instead of tanh(c_t) times."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        i, f, g, o = self.gates(x, h, w)
        c_t = f * c + i * g
        shown = self.tanh(c_t)
        m = with_gradient_of(o * self.tanh(c.detach()) + o.detach() * shown, o * shown)
        return self.project(m, w), c_t


# ----------------------------------------------------- through the nonlinearities


@defect("GRAD-4", GRADIENT, "gradients")
class GradientPassesSigmoid(ReadableLSTM):
    """The derivative of sigmoid is 1."""

    def sigmoid(self, x: Tensor) -> Tensor:
        return with_gradient_of(x, super().sigmoid(x))


@defect("GRAD-4", GRADIENT, "gradients")
class GradientOfSigmoidIsSigmoid(ReadableLSTM):
    """The derivative of sigmoid is sigmoid(x) instead of sigmoid(x) * (1 - sigmoid(x))."""

    def sigmoid(self, x: Tensor) -> Tensor:
        s = super().sigmoid(x)
        return with_gradient_of(s.detach() * x, s)


@defect("GRAD-4", GRADIENT, "gradients")
class GradientOfTanhNotSquared(ReadableLSTM):
    """The derivative of tanh is 1 - tanh(x) instead of 1 - tanh(x)^2."""

    def tanh(self, x: Tensor) -> Tensor:
        t = super().tanh(x)
        return with_gradient_of((1 - t.detach()) * x, t)


@defect("GRAD-4", GRADIENT, "gradients, cotangent of output or h_n")
class GradientOfShownCellPassesTanh(ReadableLSTM):
    """The gradient of c_t is o times that of h_t, without 1 - tanh(c_t)^2."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        i, f, g, o = self.gates(x, h, w)
        c_t = f * c + i * g
        return self.project(o * with_gradient_of(c_t, self.tanh(c_t)), w), c_t


@defect("GRAD-4", GRADIENT, "gradients, cotangent of output or h_n")
class GradientOfShownCellDoubled(ReadableLSTM):
    """What h_t adds to the gradient of c_t is too large by a factor of 2."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        i, f, g, o = self.gates(x, h, w)
        c_t = f * c + i * g
        return self.project(o * self.tanh(with_gradient_times(2, c_t)), w), c_t


# ------------------------------------------------- to what is read, gate by gate


class _GradientOfReadMissing(ReadableLSTM):
    """One gate passes no gradient to x_t, or none to h_{t-1}."""

    block: ClassVar[int]
    to_hidden: ClassVar[bool]

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        blocks = list(super().preactivations(x, h, w).chunk(4, dim=-1))
        if self.to_hidden:
            h = with_gradient_times(0, h)
        else:
            x = with_gradient_times(0, x)
        blocks[self.block] = super().preactivations(x, h, w).chunk(4, dim=-1)[self.block]
        return torch.cat(blocks, dim=-1)


class _GradientOfInputMissing(_GradientOfReadMissing):
    to_hidden = False


class _GradientOfHiddenMissing(_GradientOfReadMissing):
    to_hidden = True


@defect("GRAD-1", GRADIENT, "gradients")
class GradientOfInputThroughInputGateMissing(_GradientOfInputMissing):
    """The input gate passes no gradient to x_t."""

    block = 0


@defect("GRAD-1", GRADIENT, "gradients, two steps or more or states given")
class GradientOfInputThroughForgetGateMissing(_GradientOfInputMissing):
    """The forget gate passes no gradient to x_t."""

    block = 1


@defect("GRAD-1", GRADIENT, "gradients")
class GradientOfInputThroughCandidateMissing(_GradientOfInputMissing):
    """The candidate passes no gradient to x_t."""

    block = 2


@defect("GRAD-1", GRADIENT, "gradients, cotangent of output or h_n")
class GradientOfInputThroughOutputGateMissing(_GradientOfInputMissing):
    """The output gate passes no gradient to x_t."""

    block = 3


@defect("GRAD-2", GRADIENT, "gradients, two steps or more or states given")
class GradientOfHiddenThroughInputGateMissing(_GradientOfHiddenMissing):
    """The input gate passes no gradient to h_{t-1}."""

    block = 0


@defect("GRAD-2", GRADIENT, "gradients, two steps or more or states given")
class GradientOfHiddenThroughForgetGateMissing(_GradientOfHiddenMissing):
    """The forget gate passes no gradient to h_{t-1}."""

    block = 1


@defect("GRAD-2", GRADIENT, "gradients, two steps or more or states given")
class GradientOfHiddenThroughCandidateMissing(_GradientOfHiddenMissing):
    """The candidate passes no gradient to h_{t-1}."""

    block = 2


@defect("GRAD-2", GRADIENT, "gradients, two steps or more or states given")
class GradientOfHiddenThroughOutputGateMissing(_GradientOfHiddenMissing):
    """The output gate passes no gradient to h_{t-1}."""

    block = 3


@defect("GRAD-2", GRADIENT, "gradients, two steps or more or states given")
class GradientOfHiddenMissing(ReadableLSTM):
    """No gate passes a gradient to h_{t-1}."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        return super().preactivations(x, with_gradient_times(0, h), w)


@defect("GRAD-2", GRADIENT, "gradients, two steps or more or states given")
class GradientOfHiddenDoubled(ReadableLSTM):
    """The gradient that gates pass to h_{t-1} is too large by a factor of 2."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        return super().preactivations(x, with_gradient_times(2, h), w)


# ----------------------------------------------------- the blocks of the weights


class _GradientOfBlockMissing(ReadableLSTM):
    """One of the four blocks of a parameter has gradient zero."""

    roles: ClassVar[tuple[str, ...]]
    block: ClassVar[int]

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        changed = {}
        for role in self.roles:
            parameter = getattr(w, role)
            if parameter is not None:
                blocks = list(parameter.chunk(4))
                blocks[self.block] = with_gradient_times(0, blocks[self.block])
                changed[role] = torch.cat(blocks)
        return w._replace(**changed)


class _GradientOfInputBlockMissing(_GradientOfBlockMissing):
    roles = ("W_ih",)


class _GradientOfHiddenBlockMissing(_GradientOfBlockMissing):
    roles = ("W_hh",)


@defect("GRAD-4", GRADIENT, "gradients")
class GradientOfInputWeightsOfInputGateMissing(_GradientOfInputBlockMissing):
    """W_ii has gradient zero."""

    block = 0


@defect("GRAD-4", GRADIENT, "gradients, two steps or more or states given")
class GradientOfInputWeightsOfForgetGateMissing(_GradientOfInputBlockMissing):
    """W_if has gradient zero."""

    block = 1


@defect("GRAD-4", GRADIENT, "gradients")
class GradientOfInputWeightsOfCandidateMissing(_GradientOfInputBlockMissing):
    """W_ig has gradient zero."""

    block = 2


@defect("GRAD-4", GRADIENT, "gradients, cotangent of output or h_n")
class GradientOfInputWeightsOfOutputGateMissing(_GradientOfInputBlockMissing):
    """W_io has gradient zero."""

    block = 3


@defect("GRAD-5", GRADIENT, "gradients, two steps or more or states given")
class GradientOfHiddenWeightsOfInputGateMissing(_GradientOfHiddenBlockMissing):
    """W_hi has gradient zero."""

    block = 0


@defect("GRAD-5", GRADIENT, "gradients, two steps or more or states given")
class GradientOfHiddenWeightsOfForgetGateMissing(_GradientOfHiddenBlockMissing):
    """W_hf has gradient zero."""

    block = 1


@defect("GRAD-5", GRADIENT, "gradients, two steps or more or states given")
class GradientOfHiddenWeightsOfCandidateMissing(_GradientOfHiddenBlockMissing):
    """W_hg has gradient zero."""

    block = 2


@defect("GRAD-5", GRADIENT, "gradients, two steps or more or states given")
class GradientOfHiddenWeightsOfOutputGateMissing(_GradientOfHiddenBlockMissing):
    """W_ho has gradient zero."""

    block = 3


@defect("GRAD-6", GRADIENT, "gradients, bias=True, two steps or more or states given")
class GradientOfBiasesOfForgetGateMissing(_GradientOfBlockMissing):
    """b_if and b_hf have gradient zero."""

    roles = ("b_ih", "b_hh")
    block = 1


# ------------------------------------------------ the sums over steps, and their terms


class _GradientOfSomeSteps(ReadableLSTM):
    """Only some steps add to the gradients of some parameters."""

    roles: ClassVar[tuple[str, ...]]

    def adds(self, k: int, steps: int) -> bool:
        """Whether the step that is read as number ``k``, from 0, of so many does."""
        raise NotImplementedError

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        parameters = {role: getattr(w, role) for role in self.roles}
        constant = w._replace(
            **{
                role: None if p is None else with_gradient_times(0, p)
                for role, p in parameters.items()
            }
        )
        output = list(steps)
        for k in range(len(steps)):
            t = len(steps) - 1 - k if reverse else k
            of_step = w if self.adds(k, len(steps)) else constant
            [output[t]], h, c = super().direction([steps[t]], h, c, of_step, reverse)
        return output, h, c


@defect("GRAD-4", GRADIENT, "gradients, two steps or more")
class GradientOfWeightIHOfFirstStepOnly(_GradientOfSomeSteps):
    """The backward pass keeps what the step read first adds to the gradient of weight_ih, in
    place of the sum."""

    roles = ("W_ih",)

    def adds(self, k: int, steps: int) -> bool:
        return k == 0


@defect("GRAD-5", GRADIENT, "gradients, two steps or more")
class GradientOfWeightHHOfLastStepOnly(_GradientOfSomeSteps):
    """The gradient of weight_hh is what the step read last adds to it."""

    roles = ("W_hh",)

    def adds(self, k: int, steps: int) -> bool:
        return k == steps - 1


@defect("GRAD-5", GRADIENT, "gradients, states given")
class GradientOfWeightHHWithoutFirstStep(_GradientOfSomeSteps):
    """h_0 is taken for zero in the gradient of weight_hh."""

    roles = ("W_hh",)

    def adds(self, k: int, steps: int) -> bool:
        return k > 0


@defect("GRAD-6", GRADIENT, "gradients, bias=True, two steps or more")
class GradientsOfBiasesOfLastStepOnly(_GradientOfSomeSteps):
    """The gradients of the biases are what the step read last adds to them."""

    roles = ("b_ih", "b_hh")

    def adds(self, k: int, steps: int) -> bool:
        return k == steps - 1


@defect("GRAD-7", GRADIENT, "gradients, proj_size > 0, two steps or more")
class GradientOfWeightHROfLastStepOnly(_GradientOfSomeSteps):
    """The gradient of weight_hr is what the step read last adds to it."""

    roles = ("W_hr",)

    def adds(self, k: int, steps: int) -> bool:
        return k == steps - 1


@defect("GRAD-4", GRADIENT, "gradients, two steps or more")
class GradientOfWeightIHIsMeanOverSteps(ReadableLSTM):
    """The gradient of weight_ih is the mean over steps, not their sum."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        mean = w._replace(W_ih=with_gradient_times(1 / len(steps), w.W_ih))
        return super().direction(steps, h, c, mean, reverse)


@defect("GRAD-4", GRADIENT, "gradients, two steps or more")
class GradientOfWeightIHTakesInputOfStepBefore(ReadableLSTM):
    """da_t meets the x that was read before x_t in the gradient of weight_ih."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        self.before = steps[-1 if reverse else 0]
        return super().direction(steps, h, c, w, reverse)

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        a = super().preactivations(x, h, w._replace(W_ih=w.W_ih.detach()))
        before, self.before = self.before[: len(x)], x
        taken = before if len(before) == len(x) else x
        return with_gradient_of(a + self.product(taken.detach(), w.W_ih), a)


@defect("GRAD-5", GRADIENT, "gradients")
class GradientOfWeightHHTakesNewHiddenState(ReadableLSTM):
    """da_t meets h_t instead of h_{t-1} in the gradient of weight_hh."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            self.taken, _ = super().cell(x, h, c, w)
        return super().cell(x, h, c, w)

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        if not torch.is_grad_enabled():
            return super().preactivations(x, h, w)
        a = super().preactivations(x, h, w._replace(W_hh=w.W_hh.detach()))
        return with_gradient_of(a + self.product(self.taken, w.W_hh), a)


@defect("GRAD-5", GRADIENT, "gradients, two steps or more or states given")
class GradientOfWeightHHDoubled(ReadableLSTM):
    """The gradient of weight_hh is too large by a factor of 2."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        return w._replace(W_hh=with_gradient_times(2, w.W_hh))


@defect("GRAD-6", GRADIENT, "gradients, bias=True")
class GradientsOfBiasesHalved(ReadableLSTM):
    """Each bias gets half of the gradient of their sum."""

    def bias(self, w: Weights) -> Tensor | None:
        b = super().bias(w)
        return None if b is None else with_gradient_times(0.5, b)


# ------------------------------------------------------------------- projections


@defect("GRAD-7", GRADIENT, "gradients, proj_size > 0")
class GradientOfWeightHRTakesTanhOfCell(ReadableLSTM):
    """dh_t meets tanh(c_t) instead of o * tanh(c_t) in the gradient of weight_hr."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        if w.W_hr is None:
            return super().cell(x, h, c, w)
        h_t, c_t = super().cell(x, h, c, w._replace(W_hr=w.W_hr.detach()))
        return with_gradient_of(h_t + self.project(self.tanh(c_t.detach()), w), h_t), c_t


@defect("GRAD-7", GRADIENT, "gradients, proj_size > 0, bidirectional")
class GradientOfWeightHROfReverseMissing(ReadableLSTM):
    """weight_hr_reverse has gradient zero."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        return w._replace(W_hr=with_gradient_times(0, w.W_hr)) if d and w.W_hr is not None else w


@defect("GRAD-4", GRADIENT, "gradients, proj_size > 0, cotangent of output or h_n")
class GradientPassesProjection(ReadableLSTM):
    """The gradient of o * tanh(c_t) is that of h_t with zeros behind it, not W_hr^T times that."""

    def project(self, m: Tensor, w: Weights) -> Tensor:
        if w.W_hr is None:
            return m
        h_t = super().project(m.detach(), w)
        return with_gradient_of(h_t + m[:, : self.output_size], h_t)


# --------------------------------------------------------- layers and directions


@defect("GRAD-1", GRADIENT, "gradients, num_layers >= 2, cotangent of output")
class GradientOfLowerLayersMissing(ReadableLSTM):
    """No layer passes a gradient to the layer below."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        steps = super().layer_input(steps, layer)
        return [with_gradient_times(0, x) for x in steps] if layer else steps


@defect("GRAD-1", GRADIENT, "gradients, num_layers >= 2, bidirectional, two steps or more")
class GradientOfLowerReverseMissing(ReadableLSTM):
    """No layer passes a gradient to the reverse direction of the layer below."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        steps = super().layer_input(steps, layer)
        if layer == 0:
            return steps
        halves = (x.split(self.output_size, dim=-1) for x in steps)
        return [
            torch.cat([forward, *(with_gradient_times(0, x) for x in reverse)], dim=-1)
            for forward, *reverse in halves
        ]


@defect("GRAD-1", GRADIENT, "gradients, bidirectional")
class NoGradientOfWhatForwardReads(ReadableLSTM):
    """Of two directions, the forward one passes no gradient to what it reads."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        if self.num_directions == 2 and not reverse:
            steps = [with_gradient_times(0, x) for x in steps]
        return super().direction(steps, h, c, w, reverse)


# ---------------------------------------------------- rows of the initial states


def row_numbers(states: Tensor) -> Tensor:
    """The number (L*D, 1, 1) of each row of states (L*D, N, features)."""
    return torch.arange(len(states), device=states.device)[:, None, None]


@defect("GRAD-3", GRADIENT, "gradients, bidirectional, states given")
class GradientOfC0OfReverseMissing(ReadableLSTM):
    """The rows of c_0 that belong to the reverse direction get no gradient."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        forward = row_numbers(c_0) % self.num_directions == 0
        return h_0, with_gradient_of(c_0 * forward, c_0)


@defect("GRAD-3", GRADIENT, "gradients, num_layers >= 2, states given")
class GradientOfC0OfUpperLayersMissing(ReadableLSTM):
    """The rows of c_0 that belong to layers above the first get no gradient."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        lowest = row_numbers(c_0) < self.num_directions
        return h_0, with_gradient_of(c_0 * lowest, c_0)


@defect("GRAD-2", GRADIENT, "gradients, num_layers >= 2 or bidirectional, states given")
class GradientsOfStatesInRowBefore(ReadableLSTM):
    """The gradients of h_0 and c_0 of each layer and direction stand in the row before."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        return with_gradient_of(h_0.roll(1, 0), h_0), with_gradient_of(c_0.roll(1, 0), c_0)


@defect("GRAD-2", GRADIENT, "gradients, proj_size=0, states given")
class GradientsOfStatesExchanged(ReadableLSTM):
    """h_0 gets the gradient of c_0, and c_0 that of h_0, where their shapes are the same."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        if h_0.shape != c_0.shape:
            return h_0, c_0
        return with_gradient_of(c_0, h_0), with_gradient_of(h_0, c_0)


@defect("PACK-6", GRADIENT, "gradients, bidirectional, packed with unequal lengths, states given")
class GradientOfStatesOfRowsThatBeginLaterMissing(ReadableLSTM):
    """In reverse, h_0 and c_0 get no gradient in rows that are not the longest."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        if reverse:
            n = len(steps[-1])
            h, c = (torch.cat([x[:n], with_gradient_times(0, x[n:])]) for x in (h, c))
        return super().direction(steps, h, c, w, reverse)


# -------------------------------------------------------- the cotangent of output


@defect("GRAD-1", GRADIENT, "gradients, two steps or more, cotangent of output")
class CotangentOfOutputOnlyAtLastStep(ReadableLSTM):
    """What is backpropagated from output is lost at all steps but the last."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        *earlier, last = steps
        ignored = [with_gradient_times(0, x) for x in earlier]
        return super().finish(input, [*ignored, last], h_n, c_n)


@defect("GRAD-1", GRADIENT, "gradients, cotangent of output")
class CotangentOfOutputAtLastStepIgnored(ReadableLSTM):
    """What is backpropagated from output is lost at the last step."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        *earlier, last = steps
        return super().finish(input, [*earlier, with_gradient_times(0, last)], h_n, c_n)


@defect("GRAD-1", GRADIENT, "gradients, two steps or more of as many rows, cotangent of output")
class CotangentOfOutputOneStepLate(ReadableLSTM):
    """What is backpropagated from output enters at the next step, where as many rows have one."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        late = [
            with_gradient_of(following, x) if len(following) == len(x) else x
            for x, following in zip(steps, steps[1:] + steps[-1:], strict=True)
        ]
        return super().finish(input, late, h_n, c_n)


@defect("GRAD-1", GRADIENT, "gradients, bidirectional, cotangent of output")
class CotangentOfOutputOfReverseIgnored(ReadableLSTM):
    """What is backpropagated from the reverse half of output is lost."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        width = self.output_size
        kept = [torch.cat([x[:, :width], with_gradient_times(0, x[:, width:])], -1) for x in steps]
        return super().finish(input, kept, h_n, c_n)


@defect("GRAD-1", GRADIENT, "gradients, cotangent of output")
class CotangentOfOutputDoubled(ReadableLSTM):
    """What is backpropagated from output is too large by a factor of 2."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        return super().finish(input, [with_gradient_times(2, x) for x in steps], h_n, c_n)


# --------------------------------------------------- the cotangents of h_n and c_n


@defect("GRAD-8", GRADIENT, "gradients, cotangent of h_n")
class CotangentOfHNDoubled(ReadableLSTM):
    """What is backpropagated from h_n is too large by a factor of 2."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        return super().finish(input, steps, with_gradient_times(2, h_n), c_n)


@defect("GRAD-8", GRADIENT, "gradients, bidirectional, cotangent of h_n")
class CotangentOfHNOfReverseIgnored(ReadableLSTM):
    """What is backpropagated from h_n is lost in the reverse direction."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        forward = h_n * (row_numbers(h_n) % self.num_directions == 0)
        return super().finish(input, steps, with_gradient_of(forward, h_n), c_n)


@defect("GRAD-8", GRADIENT, "gradients, num_layers >= 2, cotangent of h_n")
class CotangentOfHNOfLastLayerIgnored(ReadableLSTM):
    """What is backpropagated from h_n is lost in the last of several layers."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        lower = h_n * (row_numbers(h_n) < max(len(h_n) - self.num_directions, 1))
        ignored = with_gradient_of(lower, h_n) if self.num_layers > 1 else h_n
        return super().finish(input, steps, ignored, c_n)


@defect("GRAD-8", GRADIENT, "gradients, bidirectional, cotangent of h_n")
class CotangentsOfHNOfDirectionsExchanged(ReadableLSTM):
    """What is backpropagated from h_n of one direction goes to the other."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        size = (self.num_layers, self.num_directions)
        exchanged = h_n.unflatten(0, size).flip(1).flatten(0, 1)
        return super().finish(input, steps, with_gradient_of(exchanged, h_n), c_n)


@defect("GRAD-9", GRADIENT, "gradients, cotangent of c_n")
class CotangentOfCNDoubled(ReadableLSTM):
    """What is backpropagated from c_n is too large by a factor of 2."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        return super().finish(input, steps, h_n, with_gradient_times(2, c_n))


@defect("GRAD-9", GRADIENT, "gradients, num_layers >= 2, cotangent of c_n")
class CotangentOfCNOfLowerLayersIgnored(ReadableLSTM):
    """What is backpropagated from c_n is lost, but for the last layer."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        last = c_n * (row_numbers(c_n) >= len(c_n) - self.num_directions)
        return super().finish(input, steps, h_n, with_gradient_of(last, c_n))


@defect("GRAD-9", GRADIENT, "gradients, proj_size=0, cotangent of c_n")
class CotangentOfCNGoesToHN(ReadableLSTM):
    """What is backpropagated from c_n is taken for that of h_n, where shapes are the same."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        mixed = with_gradient_of(h_n, c_n) if h_n.shape == c_n.shape else c_n
        return super().finish(input, steps, h_n, mixed)


@defect("GRAD-8", GRADIENT, "gradients, cotangent of h_n")
class CotangentOfHNEntersOneStepEarly(LastStepApart):
    """What is backpropagated from h_n goes to h of the step before the last one read."""

    def final(self, h: Tensor, c: Tensor, h_n: Tensor, c_n: Tensor) -> States:
        return with_gradient_of(h, h_n), c_n


@defect("GRAD-9", GRADIENT, "gradients, cotangent of c_n")
class CotangentOfCNEntersOneStepEarly(LastStepApart):
    """What is backpropagated from c_n goes to c of the step before the last one read."""

    def final(self, h: Tensor, c: Tensor, h_n: Tensor, c_n: Tensor) -> States:
        return h_n, with_gradient_of(c, c_n)


@defect("GRAD-10", GRADIENT, "gradients, cotangents of output and c_n")
class CotangentOfOutputLostBesideThatOfCN(ReadableLSTM):
    """What is backpropagated from output is lost if something is from c_n."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        def change(cotangents: list[Tensor | None]) -> list[Tensor | None]:
            output, c = cotangents
            return [output if c is None else None, c]

        data, c_n = with_cotangents(change, torch.cat(steps), c_n)
        return super().finish(input, list(data.split([len(x) for x in steps])), h_n, c_n)
