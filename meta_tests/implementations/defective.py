"""LSTMs with one silent defect each: shapes mostly fit, nothing is raised, and a result is wrong.

``BREAKS`` says which clause each of them breaks.
"""

from __future__ import annotations

import torch
from readable import ReadableLSTM, States, Steps, Weights
from torch import Tensor
from torch.nn.functional import dropout, pad
from torch.nn.utils.rnn import PackedSequence

# Class to the clause that it breaks.
BREAKS = {
    "GatesInOrderIOFG": "EQ-1",
    "SigmoidForCandidate": "EQ-2",
    "TanhOfCellMissing": "EQ-3",
    "TanhSaturatesAt4": "EQ-6",
    "ForgetGateOnCandidate": "EQ-2",
    "ForgetBiasOne": "EQ-4",
    "BiasHHIgnored": "EQ-5",
    "BiasIHTwice": "EQ-5",
    "ReverseNotReversed": "DIR-2",
    "ReverseStartsAtPadding": "PACK-3",
    "UpperLayersReadForwardOnly": "DIR-4",
    "OutputReverseFirst": "DIR-1",
    "FinalStatesOfDirectionsSwapped": "DIR-3",
    "StatesDirectionMajor": "STATE-4",
    "FinalHiddenIsLastStep": "DIR-3",
    "H0Ignored": "STATE-2",
    "C0Ignored": "STATE-2",
    "UpperInitialStatesIgnored": "STATE-3",
    "ProjectionOnlyOnOutput": "PROJ-3",
    "BatchFirstByReshape": "SHAPE-5",
    "UnbatchedKeepsBatchAxis": "SHAPE-1",
    "InitialStatesNotSorted": "PACK-2",
    "FinalStatesStaySorted": "PACK-2",
    "DropoutInEvaluation": "DROP-1",
    "DropoutOneDoesNothing": "DROP-2",
    "DropoutOnLastLayer": "DROP-3",
    "Float64ComputedInFloat32": "DTYPE-3",
    "GradientOfC0Missing": "GRAD-3",
    "GradientOfInputOnlyAtLastStep": "GRAD-1",
    "GradientOfBiasHHZero": "GRAD-6",
    "GradientOfWeightHRZero": "GRAD-7",
    "WeightIHGradientOfLayer1Scaled": "GRAD-4",
    "GradientTruncatedInTime": "GRAD-5",
    "GradientThroughShownCellMissing": "GRAD-4",
    "CotangentOfHNIgnored": "GRAD-8",
    "CotangentOfCNIgnored": "GRAD-9",
}


def with_gradient_times(factor: float, x: Tensor) -> Tensor:
    """``x`` itself, except that its gradient is multiplied by ``factor``."""
    return x.detach() + factor * (x - x.detach())


# ------------------------------------------------------------------ the cell


class GatesInOrderIOFG(ReadableLSTM):
    """The four blocks of rows are read as i, o, f, g instead of i, f, g, o."""

    def gates(self, x: Tensor, h: Tensor, w: Weights) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        a_i, a_o, a_f, a_g = self.preactivations(x, h, w).chunk(4, dim=-1)
        return self.sigmoid(a_i), self.sigmoid(a_f), self.tanh(a_g), self.sigmoid(a_o)


class SigmoidForCandidate(ReadableLSTM):
    """g is sigmoid of its preactivation instead of tanh."""

    def gates(self, x: Tensor, h: Tensor, w: Weights) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        i, f, g, o = self.preactivations(x, h, w).sigmoid().chunk(4, dim=-1)
        return i, f, g, o


class TanhOfCellMissing(ReadableLSTM):
    """h_t is o * c_t instead of o * tanh(c_t)."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        i, f, g, o = self.gates(x, h, w)
        c_t = f * c + i * g
        return self.project(o * c_t, w), c_t


class TanhSaturatesAt4(ReadableLSTM):
    """tanh(x) is tanh(4) for x above 4, and -tanh(4) below -4."""

    def tanh(self, x: Tensor) -> Tensor:
        return torch.tanh(x.clamp(-4, 4))


class ForgetGateOnCandidate(ReadableLSTM):
    """c_t is f * (c_{t-1} + i * g) instead of f * c_{t-1} + i * g."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        i, f, g, o = self.gates(x, h, w)
        c_t = f * (c + i * g)
        return self.project(o * self.tanh(c_t), w), c_t


class ForgetBiasOne(ReadableLSTM):
    """The forget gate's preactivation is 1 too large, as other libraries define it."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        a_i, a_f, a_g, a_o = super().preactivations(x, h, w).chunk(4, dim=-1)
        return torch.cat([a_i, a_f + 1, a_g, a_o], dim=-1)


class BiasHHIgnored(ReadableLSTM):
    """bias_hh has no effect."""

    def bias(self, w: Weights) -> Tensor | None:
        return w.b_ih


class BiasIHTwice(ReadableLSTM):
    """bias_ih takes the place of bias_hh as well."""

    def bias(self, w: Weights) -> Tensor | None:
        return None if w.b_ih is None else w.b_ih + w.b_ih


# ---------------------------------------------------- directions and layers


class ReverseNotReversed(ReadableLSTM):
    """The reverse direction runs forward."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        return super().direction(steps, h, c, w, reverse=False)


class ReverseStartsAtPadding(ReadableLSTM):
    """The reverse direction of packed sequences runs over zeros before a row's last step."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        if not reverse:
            return super().direction(steps, h, c, w, reverse)
        padded = [pad(x, (0, 0, 0, len(h) - len(x))) for x in steps]
        output, h, c = super().direction(padded, h, c, w, reverse)
        return [h_t[: len(x)] for h_t, x in zip(output, steps, strict=True)], h, c


class UpperLayersReadForwardOnly(ReadableLSTM):
    """Layers above the first read zeros in place of the reverse direction below them."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        steps = super().layer_input(steps, layer)
        if layer == 0 or self.num_directions == 1:
            return steps
        width = self.output_size
        return [pad(x[:, :width], (0, width)) for x in steps]


class OutputReverseFirst(ReadableLSTM):
    """output is the reverse direction beside the forward one, instead of forward first."""

    def finish(
        self, input: Tensor | PackedSequence, steps: Steps, h_n: Tensor, c_n: Tensor
    ) -> tuple[Tensor | PackedSequence, States]:
        return super().finish(input, [x.roll(self.output_size, -1) for x in steps], h_n, c_n)


class FinalStatesOfDirectionsSwapped(ReadableLSTM):
    """h_n and c_n hold, in each layer, the reverse direction before the forward one."""

    def finish(
        self, input: Tensor | PackedSequence, steps: Steps, h_n: Tensor, c_n: Tensor
    ) -> tuple[Tensor | PackedSequence, States]:
        order = [
            self.state_index(layer, d)
            for layer in range(self.num_layers)
            for d in reversed(range(self.num_directions))
        ]
        return super().finish(input, steps, h_n[order], c_n[order])


class StatesDirectionMajor(ReadableLSTM):
    """States hold all layers forward, then all layers in reverse, instead of layer by layer."""

    def state_index(self, layer: int, d: int) -> int:
        return d * self.num_layers + layer


class FinalHiddenIsLastStep(ReadableLSTM):
    """h_n is h_t of the last step, for the reverse direction and shorter rows too."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        output, h, c = super().direction(steps, h, c, w, reverse)
        return output, pad(output[-1], (0, 0, 0, len(h) - len(output[-1]))), c


class H0Ignored(ReadableLSTM):
    """The hidden state always starts from zeros."""

    def initial_states(
        self, input: Tensor | PackedSequence, hx: States | None, steps: Steps
    ) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        return torch.zeros_like(h_0), c_0


class C0Ignored(ReadableLSTM):
    """The cell state always starts from zeros."""

    def initial_states(
        self, input: Tensor | PackedSequence, hx: States | None, steps: Steps
    ) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        return h_0, torch.zeros_like(c_0)


class UpperInitialStatesIgnored(ReadableLSTM):
    """Layers above the first start from zeros."""

    def initial_states(
        self, input: Tensor | PackedSequence, hx: States | None, steps: Steps
    ) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        first = torch.arange(len(h_0), device=h_0.device)[:, None, None] < self.num_directions
        return h_0 * first, c_0 * first


class ProjectionOnlyOnOutput(ReadableLSTM):
    """W_hr makes what a layer puts out; the recurrence reads the first R features before it."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        if w.W_hr is None:
            return super().direction(steps, h, c, w, reverse)
        wider = self.hidden_size - self.output_size
        # A recurrence over all H features that multiplies those above R by zero.
        unprojected = w._replace(W_hh=pad(w.W_hh, (0, wider)), W_hr=None)
        output, m, c = super().direction(steps, pad(h, (0, wider)), c, unprojected, reverse)
        return [self.project(m_t, w) for m_t in output], self.project(m, w), c


# ------------------------------------------------------------------- layouts


class BatchFirstByReshape(ReadableLSTM):
    """With batch_first, the input's first two axes are reshaped, not exchanged."""

    def steps(self, input: Tensor | PackedSequence) -> Steps:
        if isinstance(input, Tensor) and self.batch_first and input.dim() == 3:
            rows, steps, features = input.shape
            return list(input.reshape(steps, rows, features))
        return super().steps(input)


class UnbatchedKeepsBatchAxis(ReadableLSTM):
    """Results of an unbatched input have a batch axis of 1."""

    def finish(
        self, input: Tensor | PackedSequence, steps: Steps, h_n: Tensor, c_n: Tensor
    ) -> tuple[Tensor | PackedSequence, States]:
        if isinstance(input, Tensor) and input.dim() == 2:
            return torch.stack(steps), (h_n, c_n)
        return super().finish(input, steps, h_n, c_n)


class InitialStatesNotSorted(ReadableLSTM):
    """The rows of h_0 and c_0 meet the sorted rows of a packed sequence unsorted."""

    def initial_states(
        self, input: Tensor | PackedSequence, hx: States | None, steps: Steps
    ) -> States:
        if hx is not None and isinstance(input, PackedSequence):
            return hx
        return super().initial_states(input, hx, steps)


class FinalStatesStaySorted(ReadableLSTM):
    """The rows of h_n and c_n of a packed sequence stay in the order they were sorted into."""

    def finish(
        self, input: Tensor | PackedSequence, steps: Steps, h_n: Tensor, c_n: Tensor
    ) -> tuple[Tensor | PackedSequence, States]:
        output, states = super().finish(input, steps, h_n, c_n)
        return output, (h_n, c_n) if isinstance(input, PackedSequence) else states


# ------------------------------------------------------ dropout and precision


class DropoutInEvaluation(ReadableLSTM):
    """Dropout between layers acts in evaluation mode too."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        return [dropout(x, self.dropout if layer else 0.0, training=True) for x in steps]


class DropoutOneDoesNothing(ReadableLSTM):
    """dropout=1 is taken for no dropout."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        return steps if self.dropout == 1 else super().layer_input(steps, layer)


class DropoutOnLastLayer(ReadableLSTM):
    """Dropout acts on the output of the last layer too."""

    def finish(
        self, input: Tensor | PackedSequence, steps: Steps, h_n: Tensor, c_n: Tensor
    ) -> tuple[Tensor | PackedSequence, States]:
        dropped = [dropout(x, self.dropout, self.training) for x in steps]
        return super().finish(input, dropped, h_n, c_n)


class Float64ComputedInFloat32(ReadableLSTM):
    """Each step is computed in float32, whatever the dtype."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        narrow = Weights(*(None if p is None else p.float() for p in w))
        h_t, c_t = super().cell(x.float(), h.float(), c.float(), narrow)
        return h_t.to(x.dtype), c_t.to(x.dtype)


# --------------------------------------------- gradients alone, values are right


class GradientOfC0Missing(ReadableLSTM):
    """c_0 gets no gradient."""

    def initial_states(
        self, input: Tensor | PackedSequence, hx: States | None, steps: Steps
    ) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        return h_0, c_0.detach()


class GradientOfInputOnlyAtLastStep(ReadableLSTM):
    """The input of all steps but the last has gradient zero."""

    def steps(self, input: Tensor | PackedSequence) -> Steps:
        *earlier, last = super().steps(input)
        return [*(with_gradient_times(0, x) for x in earlier), last]


class GradientOfBiasHHZero(ReadableLSTM):
    """bias_hh has gradient zero."""

    def bias(self, w: Weights) -> Tensor | None:
        return None if w.b_hh is None else w.b_ih + with_gradient_times(0, w.b_hh)


class GradientOfWeightHRZero(ReadableLSTM):
    """weight_hr has gradient zero."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        return w if w.W_hr is None else w._replace(W_hr=with_gradient_times(0, w.W_hr))


class WeightIHGradientOfLayer1Scaled(ReadableLSTM):
    """The gradient of weight_ih_l1 is too large by 3 in 100000."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        wrong = layer == 1 and d == 0
        return w._replace(W_ih=with_gradient_times(1 + 3e-5, w.W_ih)) if wrong else w


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


class GradientThroughShownCellMissing(ReadableLSTM):
    """No gradient passes from h_t through tanh(c_t) to c_t."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        i, f, g, o = self.gates(x, h, w)
        c_t = f * c + i * g
        return self.project(o * self.tanh(with_gradient_times(0, c_t)), w), c_t


class CotangentOfHNIgnored(ReadableLSTM):
    """What is backpropagated from h_n is lost."""

    def finish(
        self, input: Tensor | PackedSequence, steps: Steps, h_n: Tensor, c_n: Tensor
    ) -> tuple[Tensor | PackedSequence, States]:
        return super().finish(input, steps, with_gradient_times(0, h_n), c_n)


class CotangentOfCNIgnored(ReadableLSTM):
    """What is backpropagated from c_n is lost."""

    def finish(
        self, input: Tensor | PackedSequence, steps: Steps, h_n: Tensor, c_n: Tensor
    ) -> tuple[Tensor | PackedSequence, States]:
        return super().finish(input, steps, h_n, with_gradient_times(0, c_n))
