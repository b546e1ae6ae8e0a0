"""LSTMs with one defect each in the reverse direction, or in how both directions are joined.

Shapes fit and nothing is raised.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from .catalogue import FORWARD, defect, variant
from .other_parameters import parameters_from
from .readable import Input, ReadableLSTM, Result, Steps, Weights
from .rows_of_states import (
    final_rows_from,
    of_forward,
    of_other_direction,
)

# --------------------------------------------------------------------- the output


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


@defect("DIR-1", FORWARD, "bidirectional, two rows or more")
class DirectionsJoinedAlongRows(ReadableLSTM):
    """Directions are put one behind the other along the rows, and the axes reshaped: the same
    for one row."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        mixed = [torch.cat(x.chunk(self.num_directions, dim=-1)).reshape(x.shape) for x in steps]
        return super().finish(input, mixed, h_n, c_n)


# ------------------------------------------------ parameters of the other direction


for name, breaks, shows, text, roles, place in (
    (
        "ParametersOfDirectionsExchanged",
        "DIR-1",
        "bidirectional",
        "Each direction has the parameters of the other.",
        Weights._fields,
        lambda lstm, layer, d: (layer, lstm.num_directions - 1 - d),
    ),
    (
        "ReverseUsesForwardHiddenWeights",
        "DIR-2",
        "bidirectional, two steps or more or states given",
        "weight_hh takes the place of weight_hh_reverse.",
        ("W_hh",),
        lambda lstm, layer, d: (layer, 0),
    ),
    (
        "ReverseUsesForwardBiases",
        "DIR-2",
        "bidirectional, bias=True",
        "bias_ih and bias_hh take the place of those of the reverse direction.",
        ("b_ih", "b_hh"),
        lambda lstm, layer, d: (layer, 0),
    ),
    (
        "ReverseUsesForwardInputWeights",
        "DIR-2",
        "bidirectional",
        "weight_ih takes the place of weight_ih_reverse.",
        ("W_ih",),
        lambda lstm, layer, d: (layer, 0),
    ),
    (
        "DirectionsShareParameters",
        "DIR-2",
        "bidirectional",
        "The reverse direction has all parameters of the forward one.",
        Weights._fields,
        lambda lstm, layer, d: (layer, 0),
    ),
    (
        "HiddenWeightsAtLayerPlusDirection",
        "DIR-4",
        "num_layers >= 2, bidirectional, two steps or more or states given",
        "weight_hh is found at layer + direction, not 2 * layer + direction, in the list of all.",
        ("W_hh",),
        lambda lstm, layer, d: divmod(layer + d, lstm.num_directions),
    ),
):
    variant(__name__, parameters_from(place, roles), name, text, breaks, FORWARD, shows)


@defect("DIR-2", FORWARD, "bidirectional")
class ReverseParametersZero(ReadableLSTM):
    """The reverse direction takes zeros for its parameters."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        return Weights(*(None if p is None else 0 * p for p in w)) if d else w


# -------------------------------------------------- what the reverse direction reads


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


@defect("DIR-2", FORWARD, "bidirectional, more steps than features")
class ReverseReadsAsManyStepsAsFeatures(ReadableLSTM):
    """The reverse direction reads as many steps as there are features; the others put out 0."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        read = steps[: steps[0].shape[1]] if reverse else steps
        output, h, c = super().direction(read, h, c, w, reverse)
        unread = [x.new_zeros(len(x), self.output_size) for x in steps[len(read) :]]
        return output + unread, h, c


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


# --------------------------------------------------------------- the final states


for name, text, states, row in (
    (
        "FinalStatesOfDirectionsSwapped",
        "h_n and c_n hold, in each layer, the reverse direction before the forward one.",
        "hc",
        of_other_direction,
    ),
    (
        "FinalCellOfReverseIsForward",
        "c_n holds the forward direction in place of the reverse one.",
        "c",
        of_forward,
    ),
    (
        "FinalHiddenOfReverseIsForward",
        "h_n holds the forward direction in place of the reverse one.",
        "h",
        of_forward,
    ),
):
    variant(__name__, final_rows_from(row, states), name, text, "DIR-3", FORWARD, "bidirectional")


@defect("DIR-3", FORWARD, "bidirectional with two steps or more, or packed with unequal lengths")
class FinalHiddenIsLastStep(ReadableLSTM):
    """h_n is h_t of the last step, for the reverse direction and shorter rows too."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        output, h, c = super().direction(steps, h, c, w, reverse)
        return output, pad(output[-1], (0, 0, 0, len(h) - len(output[-1]))), c


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


# -------------------------------------------------------- what the next layer reads


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


@defect("DIR-4", FORWARD, "num_layers >= 2, bidirectional, two features of h_t or more")
class UpperLayersReadDirectionsInterleaved(ReadableLSTM):
    """Layers above the first read features of which both directions below take turns."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        steps = super().layer_input(steps, layer)
        size = (self.num_directions, self.output_size)
        return [x.unflatten(-1, size).mT.flatten(-2) for x in steps] if layer else steps


@defect("DIR-4", FORWARD, "num_layers >= 2, bidirectional")
class DirectionsStackedApart(ReadableLSTM):
    """Each direction of a layer above the first reads its own direction below alone."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        if layer == 0 or self.num_directions == 1:
            return w
        of_forward = torch.arange(w.W_ih.shape[1], device=w.W_ih.device) < self.output_size
        return w._replace(W_ih=w.W_ih * (of_forward == (d == 0)))
