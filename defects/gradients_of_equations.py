"""LSTMs whose results are right, with one defect each in the gradients.

Nothing is raised.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad
from torch.nn.utils.rnn import PackedSequence

from .catalogue import GRADIENT, defect
from .gradient_surgery import with_cotangents, with_gradient_of, with_gradient_times
from .readable import ReadableLSTM, States, Steps, Weights

Input = Tensor | PackedSequence
Result = tuple[Input, States]


# ----------------------------------------------------------------- the input


@defect("GRAD-1", GRADIENT, "gradients, two steps or more")
class GradientOfInputOnlyAtLastStep(ReadableLSTM):
    """The input of all steps but the last has gradient zero."""

    def steps(self, input: Input) -> Steps:
        *earlier, last = super().steps(input)
        return [*(with_gradient_times(0, x) for x in earlier), last]


@defect("GRAD-1", GRADIENT, "gradients, two steps or more of as many rows")
class GradientOfInputAtNextStep(ReadableLSTM):
    """Each step's gradient goes to the input of the next one, where as many rows have one."""

    def steps(self, input: Input) -> Steps:
        steps = super().steps(input)
        return [
            with_gradient_of(following, x) if len(following) == len(x) else x
            for x, following in zip(steps, steps[1:] + steps[-1:], strict=True)
        ]


@defect("GRAD-1", GRADIENT, "gradients")
class GradientOfInputDoubled(ReadableLSTM):
    """The gradient of the input is too large by a factor of 2."""

    def steps(self, input: Input) -> Steps:
        return [with_gradient_times(2, x) for x in super().steps(input)]


@defect("GRAD-1", GRADIENT, "gradients, bidirectional")
class NoGradientOfWhatReverseReads(ReadableLSTM):
    """The reverse direction passes no gradient to what it reads."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        read = [x.detach() for x in steps] if reverse else steps
        return super().direction(read, h, c, w, reverse)


# ---------------------------------------------------------------- the states


@defect("GRAD-2", GRADIENT, "gradients, states given")
class GradientOfH0Missing(ReadableLSTM):
    """h_0 gets no gradient."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        return h_0.detach(), c_0


@defect("GRAD-2", GRADIENT, "gradients, bidirectional, states given")
class GradientOfH0OfReverseMissing(ReadableLSTM):
    """The rows of h_0 that belong to the reverse direction get no gradient."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        row = torch.arange(len(h_0), device=h_0.device)[:, None, None]
        return with_gradient_of(h_0 * (row % self.num_directions == 0), h_0), c_0


@defect("GRAD-2", GRADIENT, "gradients, num_layers >= 2, states given")
class GradientOfH0OfUpperLayersMissing(ReadableLSTM):
    """The rows of h_0 that belong to layers above the first get no gradient."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        row = torch.arange(len(h_0), device=h_0.device)[:, None, None]
        return with_gradient_of(h_0 * (row < self.num_directions), h_0), c_0


@defect("GRAD-3", GRADIENT, "gradients, states given")
class GradientOfC0Missing(ReadableLSTM):
    """c_0 gets no gradient."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        return h_0, c_0.detach()


@defect("GRAD-3", GRADIENT, "gradients, states given")
class GradientOfC0Doubled(ReadableLSTM):
    """The gradient of c_0 is too large by a factor of 2."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        return h_0, with_gradient_times(2, c_0)


@defect("GRAD-3", GRADIENT, "gradients, two steps or more or states given")
class GradientPassesForgetGate(ReadableLSTM):
    """The gradient of c_{t-1} is that of c_t, not f times that."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        i, f, g, o = self.gates(x, h, w)
        c_t = with_gradient_of(f * c.detach() + c, f * c) + i * g
        return self.project(o * self.tanh(c_t), w), c_t


# ----------------------------------------------------------------- weight_ih


@defect("GRAD-4", GRADIENT, "gradients, num_layers >= 2")
class WeightIHGradientOfLayer1Scaled(ReadableLSTM):
    """The gradient of weight_ih_l1 is too large by 3 in 100000."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        wrong = layer == 1 and d == 0
        return w._replace(W_ih=with_gradient_times(1 + 3e-5, w.W_ih)) if wrong else w


@defect("GRAD-4", GRADIENT, "gradients, bidirectional")
class GradientOfWeightIHOfReverseMissing(ReadableLSTM):
    """weight_ih_reverse has gradient zero."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        return w._replace(W_ih=with_gradient_times(0, w.W_ih)) if d else w


@defect("GRAD-4", GRADIENT, "gradients, two rows or more")
class GradientOfWeightIHIsMeanOverRows(ReadableLSTM):
    """Each step's gradient of weight_ih is the mean over its rows, not their sum."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        mean = w._replace(W_ih=with_gradient_times(1 / len(x), w.W_ih))
        return super().preactivations(x, h, mean)


@defect("GRAD-4", GRADIENT, "gradients")
class GradientThroughShownCellMissing(ReadableLSTM):
    """No gradient passes from h_t through tanh(c_t) to c_t."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        i, f, g, o = self.gates(x, h, w)
        c_t = f * c + i * g
        return self.project(o * self.tanh(with_gradient_times(0, c_t)), w), c_t


@defect("GRAD-4", GRADIENT, "gradients")
class GradientOfSigmoidIsOneQuarter(ReadableLSTM):
    """The derivative of sigmoid is 1 / 4 everywhere, as it is at 0."""

    def sigmoid(self, x: Tensor) -> Tensor:
        return with_gradient_of(x / 4, super().sigmoid(x))


@defect("GRAD-4", GRADIENT, "gradients")
class GradientOfTanhTakesItsArgument(ReadableLSTM):
    """The derivative of tanh is 1 - x^2 instead of 1 - tanh(x)^2."""

    def tanh(self, x: Tensor) -> Tensor:
        return with_gradient_of(x - x**3 / 3, super().tanh(x))


# ----------------------------------------------------------------- weight_hh


@defect("GRAD-5", GRADIENT, "gradients, three steps or more")
class GradientTruncatedInTime(ReadableLSTM):
    """No gradient passes through h from each second step to the next."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        pairs = [steps[t : t + 2] for t in range(0, len(steps), 2)]
        output: Steps = []
        for pair in reversed(pairs) if reverse else pairs:
            of_pair, h, c = super().direction(
                pair, with_gradient_times(0, h) if output else h, c, w, reverse
            )
            output = of_pair + output if reverse else output + of_pair
        return output, h, c


@defect("GRAD-5", GRADIENT, "gradients, two steps or more, or states given")
class GradientOfWeightHHWithoutLastStep(ReadableLSTM):
    """The gradient of weight_hh is the sum over all steps but the last."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        constant = w._replace(W_hh=with_gradient_times(0, w.W_hh))
        if reverse:
            last, h, c = super().direction(steps[-1:], h, c, constant, reverse)
            others, h, c = super().direction(steps[:-1], h, c, w, reverse)
        else:
            others, h, c = super().direction(steps[:-1], h, c, w, reverse)
            last, h, c = super().direction(steps[-1:], h, c, constant, reverse)
        return others + last, h, c


@defect(
    "GRAD-5",
    GRADIENT,
    "gradients, proj_size=0, hidden_size >= 2, two steps or more or states given",
)
class GradientOfWeightHHTransposed(ReadableLSTM):
    """The gradient of each block of weight_hh is transposed, where the block is square."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        if w.W_hr is not None:
            return w
        transposed = torch.cat([block.T for block in w.W_hh.chunk(4)])
        return w._replace(W_hh=with_gradient_of(transposed, w.W_hh))


@defect("GRAD-5", GRADIENT, "gradients, num_layers >= 2, two steps or more or states given")
class GradientOfWeightHHOfUpperLayersMissing(ReadableLSTM):
    """weight_hh of layers above the first has gradient zero."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        return w._replace(W_hh=with_gradient_times(0, w.W_hh)) if layer else w


# ---------------------------------------------------------------- the biases


@defect("GRAD-6", GRADIENT, "gradients, bias=True")
class GradientOfBiasHHZero(ReadableLSTM):
    """bias_hh has gradient zero."""

    def bias(self, w: Weights) -> Tensor | None:
        return None if w.b_hh is None else w.b_ih + with_gradient_times(0, w.b_hh)


@defect("GRAD-6", GRADIENT, "gradients, bias=True")
class GradientOfBiasIHDoubled(ReadableLSTM):
    """The gradient of bias_ih is too large by a factor of 2."""

    def bias(self, w: Weights) -> Tensor | None:
        return None if w.b_ih is None else with_gradient_times(2, w.b_ih) + w.b_hh


@defect("GRAD-6", GRADIENT, "gradients, bias=True, two rows or more")
class GradientsOfBiasesAreMeansOverRows(ReadableLSTM):
    """Each step's gradient of the biases is the mean over its rows, not their sum."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        if w.b_ih is not None and w.b_hh is not None:
            b_ih, b_hh = (with_gradient_times(1 / len(x), b) for b in (w.b_ih, w.b_hh))
            w = w._replace(b_ih=b_ih, b_hh=b_hh)
        return super().preactivations(x, h, w)


@defect("GRAD-6", GRADIENT, "gradients, bias=True, bidirectional")
class GradientsOfReverseBiasesGoToForward(ReadableLSTM):
    """bias_ih gets what belongs to bias_ih_reverse, in addition to its own."""

    def weights(self, layer: int, d: int) -> Weights:
        w, forward = super().weights(layer, d), super().weights(layer, 0)
        if d == 0 or w.b_ih is None or forward.b_ih is None:
            return w
        return w._replace(b_ih=with_gradient_of(forward.b_ih, w.b_ih))


# ----------------------------------------------------------------- weight_hr


@defect("GRAD-7", GRADIENT, "gradients, proj_size > 0")
class GradientOfWeightHRZero(ReadableLSTM):
    """weight_hr has gradient zero."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        return w if w.W_hr is None else w._replace(W_hr=with_gradient_times(0, w.W_hr))


@defect("GRAD-7", GRADIENT, "gradients, proj_size > 0, two steps or more or a cotangent of h_n")
class GradientOfWeightHRFromOutputOnly(ReadableLSTM):
    """What the next step makes of h_t adds nothing to the gradient of weight_hr."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        if w.W_hr is None:
            return super().direction(steps, h, c, w, reverse)
        constant = w._replace(W_hr=w.W_hr.detach())
        output = list(steps)
        for t in reversed(range(len(steps))) if reverse else range(len(steps)):
            [output[t]], _, _ = super().direction([steps[t]], h, c, w, reverse)
            _, h, c = super().direction([steps[t]], h, c, constant, reverse)
        return output, h, c


@defect("GRAD-7", GRADIENT, "gradients, proj_size > 0, num_layers >= 2")
class GradientOfWeightHRGoesToLayer0(ReadableLSTM):
    """weight_hr_l0 gets what belongs to that of the layers above, in addition to its own."""

    def weights(self, layer: int, d: int) -> Weights:
        w, lowest = super().weights(layer, d), super().weights(0, d)
        if w.W_hr is None or lowest.W_hr is None:
            return w
        return w._replace(W_hr=with_gradient_of(lowest.W_hr, w.W_hr))


# ---------------------------------------------- what is backpropagated, and where


@defect("GRAD-8", GRADIENT, "gradients, cotangent of h_n")
class CotangentOfHNIgnored(ReadableLSTM):
    """What is backpropagated from h_n is lost."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        return super().finish(input, steps, with_gradient_times(0, h_n), c_n)


@defect("GRAD-8", GRADIENT, "gradients, num_layers >= 2, cotangent of h_n")
class CotangentOfHNOfLowerLayersIgnored(ReadableLSTM):
    """What is backpropagated from h_n is lost, but for the last layer."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        row = torch.arange(len(h_n), device=h_n.device)[:, None, None]
        last = h_n * (row >= len(h_n) - self.num_directions)
        return super().finish(input, steps, with_gradient_of(last, h_n), c_n)


@defect("GRAD-8", GRADIENT, "gradients, proj_size=0, cotangent of h_n")
class CotangentOfHNGoesToCN(ReadableLSTM):
    """What is backpropagated from h_n is taken for that of c_n, where shapes are the same."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        mixed = with_gradient_of(c_n, h_n) if h_n.shape == c_n.shape else h_n
        return super().finish(input, steps, mixed, c_n)


@defect("GRAD-8", GRADIENT, "gradients, bidirectional, two steps or more, cotangent of h_n")
class CotangentOfHNEntersAtLastStep(ReadableLSTM):
    """What is backpropagated from h_n enters at the last step, in the reverse direction too."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        output, h, c = super().direction(steps, h, c, w, reverse)
        last = pad(output[-1], (0, 0, 0, len(h) - len(output[-1])))
        return output, with_gradient_of(last, h) if reverse else h, c


@defect("GRAD-9", GRADIENT, "gradients, cotangent of c_n")
class CotangentOfCNIgnored(ReadableLSTM):
    """What is backpropagated from c_n is lost."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        return super().finish(input, steps, h_n, with_gradient_times(0, c_n))


@defect("GRAD-9", GRADIENT, "gradients, bidirectional, cotangent of c_n")
class CotangentOfCNOfReverseIgnored(ReadableLSTM):
    """What is backpropagated from c_n is lost in the reverse direction."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        row = torch.arange(len(c_n), device=c_n.device)[:, None, None]
        forward = c_n * (row % self.num_directions == 0)
        return super().finish(input, steps, h_n, with_gradient_of(forward, c_n))


@defect("GRAD-9", GRADIENT, "gradients, cotangent of c_n")
class CotangentOfCNPassesTanh(ReadableLSTM):
    """What is backpropagated from c_n is multiplied by 1 - tanh(c_n)^2, as that of h_n is."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        return super().finish(input, steps, h_n, with_gradient_of(c_n.tanh(), c_n))


@defect("GRAD-10", GRADIENT, "gradients, cotangents of output and h_n")
class CotangentOfHNReplacesThatOfOutput(ReadableLSTM):
    """What is backpropagated from h_n takes the place of what comes from output."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        def change(cotangents: list[Tensor | None]) -> list[Tensor | None]:
            output, h, c = cotangents
            return [output if h is None else None, h, c]

        data, h_n, c_n = with_cotangents(change, torch.cat(steps), h_n, c_n)
        return super().finish(input, list(data.split([len(x) for x in steps])), h_n, c_n)


@defect("GRAD-10", GRADIENT, "gradients, cotangents of h_n and c_n")
class CotangentOfCNLostBesideThatOfHN(ReadableLSTM):
    """What is backpropagated from c_n is lost if something is from h_n."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        def change(cotangents: list[Tensor | None]) -> list[Tensor | None]:
            h, c = cotangents
            return [h, c if h is None else None]

        return super().finish(input, steps, *with_cotangents(change, h_n, c_n))


# --------------------------------------------------------------- packed rows


@defect("GRAD-11", GRADIENT, "gradients, packed with unequal lengths, cotangent of h_n or c_n")
class GradientOfEndedRowsMissing(ReadableLSTM):
    """Of rows that are over before the longest, final states pass no gradient on."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        output, h, c = super().direction(steps, h, c, w, reverse)
        n = len(steps[-1])
        h, c = (torch.cat([x[:n], with_gradient_times(0, x[n:])]) for x in (h, c))
        return output, h, c


@defect("GRAD-11", GRADIENT, "gradients, packed with unequal lengths")
class GradientOfInputOfShorterRowsMissing(ReadableLSTM):
    """The input of rows that are not the longest has gradient zero."""

    def steps(self, input: Input) -> Steps:
        steps = super().steps(input)
        n = len(steps[-1])
        return [torch.cat([x[:n], with_gradient_times(0, x[n:])]) for x in steps]


@defect("GRAD-11", GRADIENT, "gradients, packed with unsorted lengths")
class GradientOfStatesStaysSorted(ReadableLSTM):
    """The rows of the gradients of h_0 and c_0 stay in the order they were sorted into."""

    def reorder(self, states: States, indices: Tensor | None) -> States:
        h, c = (
            with_gradient_of(state, moved)
            for state, moved in zip(states, super().reorder(states, indices), strict=True)
        )
        return h, c
