"""LSTMs with one defect each in how layers, directions, projections and states fit together.

Shapes fit and nothing is raised.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad
from torch.nn.utils.rnn import PackedSequence

from .catalogue import FORWARD, defect
from .readable import ReadableLSTM, States, Steps, Weights

Input = Tensor | PackedSequence
Result = tuple[Input, States]


# -------------------------------------------------------------------- layers


@defect("STACK-1", FORWARD, "num_layers >= 3")
class UpperLayersUseWeightsOfLayer1(ReadableLSTM):
    """All layers above the first have the parameters of layer 1."""

    def weights(self, layer: int, d: int) -> Weights:
        return super().weights(min(layer, 1), d)


@defect("STACK-1", FORWARD, "num_layers >= 2, two steps or more or states given")
class HiddenWeightsOfLayer0InEveryLayer(ReadableLSTM):
    """weight_hh_l0 takes the place of that of the other layers."""

    def weights(self, layer: int, d: int) -> Weights:
        return super().weights(layer, d)._replace(W_hh=super().weights(0, d).W_hh)


@defect("STACK-1", FORWARD, "num_layers >= 2, bias=True")
class BiasesOfLayer0InEveryLayer(ReadableLSTM):
    """bias_ih_l0 and bias_hh_l0 take the place of those of the other layers."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(0, d)
        return super().weights(layer, d)._replace(b_ih=w.b_ih, b_hh=w.b_hh)


@defect("STACK-1", FORWARD, "num_layers >= 2, two steps or more")
class UpperLayersReadOneStepLate(ReadableLSTM):
    """Layers above the first read h_{t-1} of the layer below, and at first its h_1."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        steps = super().layer_input(steps, layer)
        if layer == 0:
            return steps
        return [before[: len(x)] for before, x in zip(steps[:1] + steps, steps, strict=False)]


@defect("STACK-1", FORWARD, "num_layers >= 2")
class UpperLayersAddWhatTheyRead(ReadableLSTM):
    """What a layer above the first puts out is added to what it reads: a residual connection."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        self.read: Steps = []
        return super().forward(input, hx)

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if layer > 1:
            steps = self.sums(steps)
        self.read = super().layer_input(steps, layer)
        return self.read

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        steps = self.sums(steps) if self.num_layers > 1 else steps
        return super().finish(input, steps, h_n, c_n)

    def sums(self, steps: Steps) -> Steps:
        """What a layer put out and what it read."""
        return [x + y for x, y in zip(steps, self.read, strict=True)]


# ---------------------------------------------------------------- directions


@defect("DIR-1", FORWARD, "bidirectional")
class OutputReverseFirst(ReadableLSTM):
    """output is the reverse direction beside the forward one, instead of forward first."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        return super().finish(input, [x.roll(self.output_size, -1) for x in steps], h_n, c_n)


@defect("DIR-1", FORWARD, "bidirectional, two features of h_t or more")
class OutputInterleavesDirections(ReadableLSTM):
    """The features of both directions take turns in output."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        size = (self.num_directions, self.output_size)
        mixed = [x.unflatten(-1, size).mT.flatten(-2) for x in steps]
        return super().finish(input, mixed, h_n, c_n)


@defect("DIR-2", FORWARD, "bidirectional, two steps or more")
class ReverseNotReversed(ReadableLSTM):
    """The reverse direction runs forward."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        return super().direction(steps, h, c, w, reverse=False)


@defect("DIR-2", FORWARD, "bidirectional, two steps or more, lengths equal")
class ReverseOutputInTheOrderRead(ReadableLSTM):
    """What the reverse direction makes of the last step comes first, where all rows are as long."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        output, h, c = super().direction(steps, h, c, w, reverse)
        return output[::-1] if reverse and len(steps[0]) == len(steps[-1]) else output, h, c


@defect("DIR-2", FORWARD, "bidirectional, two steps or more or states given")
class ReverseUsesForwardHiddenWeights(ReadableLSTM):
    """weight_hh takes the place of weight_hh_reverse."""

    def weights(self, layer: int, d: int) -> Weights:
        return super().weights(layer, d)._replace(W_hh=super().weights(layer, 0).W_hh)


@defect("DIR-2", FORWARD, "bidirectional, bias=True")
class ReverseUsesForwardBiases(ReadableLSTM):
    """bias_ih and bias_hh take the place of those of the reverse direction."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, 0)
        return super().weights(layer, d)._replace(b_ih=w.b_ih, b_hh=w.b_hh)


@defect("DIR-3", FORWARD, "bidirectional")
class FinalStatesOfDirectionsSwapped(ReadableLSTM):
    """h_n and c_n hold, in each layer, the reverse direction before the forward one."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        order = [
            self.state_index(layer, d)
            for layer in range(self.num_layers)
            for d in reversed(range(self.num_directions))
        ]
        return super().finish(input, steps, h_n[order], c_n[order])


@defect("DIR-3", FORWARD, "bidirectional with two steps or more, or packed with unequal lengths")
class FinalHiddenIsLastStep(ReadableLSTM):
    """h_n is h_t of the last step, for the reverse direction and shorter rows too."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        output, h, c = super().direction(steps, h, c, w, reverse)
        return output, pad(output[-1], (0, 0, 0, len(h) - len(output[-1]))), c


@defect("DIR-3", FORWARD, "bidirectional")
class FinalCellOfReverseIsForward(ReadableLSTM):
    """c_n holds the forward direction in place of the reverse one."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        forward = c_n[:: self.num_directions].repeat_interleave(self.num_directions, 0)
        return super().finish(input, steps, h_n, forward)


@defect("DIR-4", FORWARD, "num_layers >= 2, bidirectional")
class UpperLayersReadForwardOnly(ReadableLSTM):
    """Layers above the first read zeros in place of the reverse direction below them."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        steps = super().layer_input(steps, layer)
        if layer == 0 or self.num_directions == 1:
            return steps
        width = self.output_size
        return [pad(x[:, :width], (0, width)) for x in steps]


@defect("DIR-4", FORWARD, "num_layers >= 2, bidirectional")
class UpperLayersReadReverseFirst(ReadableLSTM):
    """Layers above the first read the reverse direction beside the forward one."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        steps = super().layer_input(steps, layer)
        return [x.roll(self.output_size, -1) for x in steps] if layer else steps


@defect("DIR-4", FORWARD, "num_layers >= 2, bidirectional")
class DirectionsStackedApart(ReadableLSTM):
    """Each direction of a layer above the first reads its own direction below alone."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        if layer == 0 or self.num_directions == 1:
            return w
        of_forward = torch.arange(w.W_ih.shape[1], device=w.W_ih.device) < self.output_size
        return w._replace(W_ih=w.W_ih * (of_forward == (d == 0)))


# --------------------------------------------------------------- projections


@defect("PROJ-1", FORWARD, "proj_size > 0")
class ProjectionIgnored(ReadableLSTM):
    """h_t is the first R features of o * tanh(c_t)."""

    def project(self, m: Tensor, w: Weights) -> Tensor:
        return m[:, : self.output_size]


@defect("PROJ-1", FORWARD, "proj_size > 0")
class ProjectionBeforeOutputGate(ReadableLSTM):
    """h_t is o * (W_hr tanh(c_t)), with the first R features of o."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        i, f, g, o = self.gates(x, h, w)
        c_t = f * c + i * g
        return o[:, : self.output_size] * self.project(self.tanh(c_t), w), c_t


@defect("PROJ-1", FORWARD, "proj_size > 0")
class ProjectionFollowedByTanh(ReadableLSTM):
    """h_t is the tanh of what is projected."""

    def project(self, m: Tensor, w: Weights) -> Tensor:
        return m if w.W_hr is None else self.tanh(super().project(m, w))


@defect("PROJ-2", FORWARD, "proj_size > 0")
class FinalCellProjected(ReadableLSTM):
    """c_n is W_hr c_n, with zeros behind it."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        output, h, c = super().direction(steps, h, c, w, reverse)
        return output, h, pad(self.project(c, w), (0, self.hidden_size - self.output_size))


@defect("PROJ-3", FORWARD, "proj_size > 0, two steps or more")
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


@defect("PROJ-3", FORWARD, "proj_size > 0, two steps or more or states given")
class CellStateProjectedBetweenSteps(ReadableLSTM):
    """Of c_{t-1} the next step sees the first R features only."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        wider = self.hidden_size - self.output_size
        return super().cell(x, h, pad(c[:, : self.output_size], (0, wider)), w)


@defect("PROJ-4", FORWARD, "proj_size > 0, num_layers >= 2")
class ProjectionOfLayer0InEveryLayer(ReadableLSTM):
    """weight_hr_l0 takes the place of that of the other layers."""

    def weights(self, layer: int, d: int) -> Weights:
        return super().weights(layer, d)._replace(W_hr=super().weights(0, d).W_hr)


@defect("PROJ-4", FORWARD, "proj_size > 0, bidirectional")
class ReverseUsesForwardProjection(ReadableLSTM):
    """weight_hr takes the place of weight_hr_reverse."""

    def weights(self, layer: int, d: int) -> Weights:
        return super().weights(layer, d)._replace(W_hr=super().weights(layer, 0).W_hr)


# -------------------------------------------------------------------- states


@defect("STATE-1", FORWARD, "no states given")
class DefaultStatesAreRandom(ReadableLSTM):
    """Without given states a sequence starts from random ones."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        return (torch.randn_like(h_0), torch.randn_like(c_0)) if hx is None else (h_0, c_0)


@defect("STATE-1", FORWARD, "num_layers >= 2, no states given")
class UpperLayersStartFromFinalStatesBelow(ReadableLSTM):
    """Without given states a layer starts from the final states of the layer below."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        self.continued = hx is None
        self.final: list[States] = []
        return super().forward(input, hx)

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        if self.continued and len(self.final) >= self.num_directions:
            h, c = self.final[-self.num_directions]
        output, h, c = super().direction(steps, h, c, w, reverse)
        self.final.append((h, c))
        return output, h, c


@defect("STATE-1", FORWARD, "bidirectional, no states given")
class ReverseStartsFromFinalStatesOfForward(ReadableLSTM):
    """Without given states the reverse direction starts where the forward one ended."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        self.continued = hx is None
        return super().forward(input, hx)

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        if self.continued and reverse:
            h, c = self.final
        output, *self.final = super().direction(steps, h, c, w, reverse)
        return output, *self.final


@defect("STATE-2", FORWARD, "states given")
class H0Ignored(ReadableLSTM):
    """The hidden state always starts from zeros."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        return torch.zeros_like(h_0), c_0


@defect("STATE-2", FORWARD, "states given")
class C0Ignored(ReadableLSTM):
    """The cell state always starts from zeros."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        return h_0, torch.zeros_like(c_0)


@defect("STATE-2", FORWARD, "proj_size=0, states given")
class GivenStatesExchanged(ReadableLSTM):
    """h_0 is taken for c_0 and c_0 for h_0, where their shapes are the same."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        return (c_0, h_0) if h_0.shape == c_0.shape else (h_0, c_0)


@defect("STATE-3", FORWARD, "num_layers >= 2, states given")
class UpperInitialStatesIgnored(ReadableLSTM):
    """Layers above the first start from zeros."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        first = torch.arange(len(h_0), device=h_0.device)[:, None, None] < self.num_directions
        return h_0 * first, c_0 * first


@defect("STATE-3", FORWARD, "num_layers >= 2, bidirectional, states given")
class InitialStatesReadDirectionMajor(ReadableLSTM):
    """h_0 and c_0, not h_n and c_n, hold all layers forward, then all in reverse."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        size = (self.num_directions, self.num_layers)
        return tuple(x.unflatten(0, size).transpose(0, 1).flatten(0, 1) for x in (h_0, c_0))


@defect("STATE-3", FORWARD, "num_layers >= 2, states given")
class InitialStatesOfLastLayerFirst(ReadableLSTM):
    """h_0 and c_0, not h_n and c_n, hold the last layer first."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        size = (self.num_layers, self.num_directions)
        return tuple(x.unflatten(0, size).flip(0).flatten(0, 1) for x in (h_0, c_0))


@defect("STATE-4", FORWARD, "num_layers >= 2, bidirectional")
class StatesDirectionMajor(ReadableLSTM):
    """States hold all layers forward, then all layers in reverse, instead of layer by layer."""

    def state_index(self, layer: int, d: int) -> int:
        return d * self.num_layers + layer


@defect("STATE-4", FORWARD, "num_layers >= 2")
class FinalStatesOfLastLayerFirst(ReadableLSTM):
    """h_n and c_n, not h_0 and c_0, hold the last layer first."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        size = (self.num_layers, self.num_directions)
        h_n, c_n = (x.unflatten(0, size).flip(0).flatten(0, 1) for x in (h_n, c_n))
        return super().finish(input, steps, h_n, c_n)


@defect("STATE-4", FORWARD, "num_layers >= 2")
class FinalCellOfLastLayerInEveryRow(ReadableLSTM):
    """c_n holds the last layer in place of each other one."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        last = c_n[-self.num_directions :].repeat(self.num_layers, 1, 1)
        return super().finish(input, steps, h_n, last)
