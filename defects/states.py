"""LSTMs with one defect each in the initial or the final states.

Shapes fit and nothing is raised.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .catalogue import FORWARD, NUMERICAL, defect, variant
from .fewer_digits import in_format
from .readable import Input, ReadableLSTM, Result, States, Steps, Weights
from .rows_of_states import (
    final_rows_from,
    initial_rows_from,
    last_layer_first,
    of_forward,
    of_last_layer,
    of_other_direction,
)

# ------------------------------------------------------------------ no states given


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


# --------------------------------------------------------------- the states given


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


@defect("STATE-2", FORWARD, "states given, c_0 zero")
class H0IgnoredIfC0IsZero(ReadableLSTM):
    """The hidden state starts from zeros if the cell state does."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        return h_0 * (c_0 != 0).any(), c_0


@defect("STATE-2", FORWARD, "states given, h_0 zero")
class C0IgnoredIfH0IsZero(ReadableLSTM):
    """The cell state starts from zeros if the hidden state does."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        return h_0, c_0 * (h_0 != 0).any()


@defect("STATE-2", FORWARD, "two rows and two units or more, states given")
class InitialStatesReadColumnByColumn(ReadableLSTM):
    """The numbers of h_0 and c_0 are taken to lie in memory unit by unit, not row by row."""

    def initial_states(self, input: object, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        return h_0.reshape(h_0.mT.shape).mT, c_0.reshape(c_0.mT.shape).mT


@defect("STATE-2", FORWARD, "two rows or more, states given")
class RowsStartFromStatesOfRowBefore(ReadableLSTM):
    """Each row of the batch starts from the states of the row before, the first of the last."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        return h_0.roll(1, 1), c_0.roll(1, 1)


@defect("STATE-2", NUMERICAL, "float64, states given")
class GivenStatesReadInFloat32(ReadableLSTM):
    """h_0 and c_0 are rounded to float32."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        return in_format(h_0, torch.float32), in_format(c_0, torch.float32)


# ----------------------------------------- of which layer and direction a row is


@defect("STATE-3", FORWARD, "num_layers >= 2, states given")
class UpperInitialStatesIgnored(ReadableLSTM):
    """Layers above the first start from zeros."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        first = torch.arange(len(h_0), device=h_0.device)[:, None, None] < self.num_directions
        return h_0 * first, c_0 * first


@defect("STATE-3", FORWARD, "bidirectional, states given")
class InitialStatesOfReverseIgnored(ReadableLSTM):
    """The reverse direction starts from zeros."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        row = torch.arange(len(h_0), device=h_0.device)[:, None, None]
        forward = row % self.num_directions == 0
        return h_0 * forward, c_0 * forward


for name, shows, text, states, row in (
    (
        "InitialStatesReadDirectionMajor",
        "num_layers >= 2, bidirectional, states given",
        "h_0 and c_0, not h_n and c_n, hold all layers forward, then all in reverse.",
        "hc",
        lambda lstm, layer, d: d * lstm.num_layers + layer,
    ),
    (
        "InitialStatesOfLastLayerFirst",
        "num_layers >= 2, states given",
        "h_0 and c_0, not h_n and c_n, hold the last layer first.",
        "hc",
        last_layer_first,
    ),
    (
        "StatesOfLayer0InEveryLayer",
        "num_layers >= 2, states given",
        "All layers start from the states that are given for the first.",
        "hc",
        lambda lstm, layer, d: d,
    ),
    (
        "InitialCellOfFirstLayerForAll",
        "num_layers >= 2, states given",
        "All layers start from the cell state of the first one, and each from its own h_0.",
        "c",
        lambda lstm, layer, d: d,
    ),
    (
        "InitialStatesOfDirectionsExchanged",
        "bidirectional, states given",
        "Each direction starts from the states of the other, in every layer.",
        "hc",
        of_other_direction,
    ),
    (
        "ReverseStartsFromStatesOfForward",
        "bidirectional, states given",
        "The reverse direction starts from the forward one's rows of h_0 and c_0.",
        "hc",
        of_forward,
    ),
    (
        "InitialStatesOfRowBefore",
        "num_layers >= 2 or bidirectional, states given",
        "Each layer and direction starts from the row before its own, the first from the last.",
        "hc",
        lambda lstm, layer, d: layer * lstm.num_directions + d - 1,
    ),
    (
        "InitialStatesAtLayerPlusDirection",
        "num_layers >= 2, bidirectional, states given",
        "h_0 and c_0 are read at row layer + direction instead of 2 * layer + direction.",
        "hc",
        lambda lstm, layer, d: layer + d,
    ),
):
    variant(__name__, initial_rows_from(row, states), name, text, "STATE-3", FORWARD, shows)


@defect("STATE-4", FORWARD, "num_layers >= 2, bidirectional")
class StatesDirectionMajor(ReadableLSTM):
    """States hold all layers forward, then all layers in reverse, instead of layer by layer."""

    def state_index(self, layer: int, d: int) -> int:
        return d * self.num_layers + layer


def in_direction_major(lstm: ReadableLSTM, layer: int, d: int) -> int:
    """The row that goes here if all layers forward come first, then all in reverse."""
    d, layer = divmod(layer * lstm.num_directions + d, lstm.num_layers)
    return layer * lstm.num_directions + d


for name, shows, text, states, row in (
    (
        "FinalStatesOfLastLayerFirst",
        "num_layers >= 2",
        "h_n and c_n, not h_0 and c_0, hold the last layer first.",
        "hc",
        last_layer_first,
    ),
    (
        "FinalCellOfLastLayerInEveryRow",
        "num_layers >= 2",
        "c_n holds the last layer in place of each other one.",
        "c",
        of_last_layer,
    ),
    (
        "FinalHiddenOfLastLayerInEveryRow",
        "num_layers >= 2",
        "h_n holds the last layer in place of each other one.",
        "h",
        of_last_layer,
    ),
    (
        "FinalStatesDirectionMajor",
        "num_layers >= 2, bidirectional",
        "h_n and c_n, not h_0 and c_0, hold all layers forward, then all in reverse.",
        "hc",
        in_direction_major,
    ),
    (
        "FinalCellDirectionMajor",
        "num_layers >= 2, bidirectional",
        "c_n, and not h_n, holds all layers forward, then all in reverse.",
        "c",
        in_direction_major,
    ),
):
    variant(__name__, final_rows_from(row, states), name, text, "STATE-4", FORWARD, shows)
