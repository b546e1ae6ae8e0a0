"""LSTMs with one defect each in the states that a call takes."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from ..catalogue import INTERFACE, defect, variant
from ..readable import Input, ReadableLSTM, States
from .arguments import both

# --------------------------------------------------------------------------- not a pair


@defect("USE-28", INTERFACE, "one tensor given for the states")
class OneTensorForBothStates(ReadableLSTM):
    """A tensor in place of the pair is taken for both states, where their sizes are the same."""

    def forward(self, input: Input, hx: Any = None) -> Any:
        return super().forward(input, (hx, hx) if isinstance(hx, Tensor) else hx)


@defect("USE-28", INTERFACE, "a pair of None given for the states")
class PairOfNoneIsNone(ReadableLSTM):
    """Two states that are None are states left out."""

    def forward(self, input: Input, hx: Any = None) -> Any:
        return super().forward(input, None if hx == (None, None) else hx)


@defect("USE-28", INTERFACE, "h_0 given without c_0")
class HiddenStateAlone(ReadableLSTM):
    """c_0 is zero if only h_0 is given."""

    def forward(self, input: Input, hx: Any = None) -> Any:
        if isinstance(hx, tuple) and len(hx) == 1:
            (h_0,) = hx
            hx = h_0, h_0.new_zeros(*h_0.shape[:-1], self.hidden_size)
        return super().forward(input, hx)


@defect("USE-28", INTERFACE, "c_0 given with None for h_0")
class CellStateAlone(ReadableLSTM):
    """h_0 is zero if it is None."""

    def forward(self, input: Input, hx: Any = None) -> Any:
        if isinstance(hx, tuple) and len(hx) == 2 and hx[0] is None and hx[1] is not None:
            hx = hx[1].new_zeros(*hx[1].shape[:-1], self.output_size), hx[1]
        return super().forward(input, hx)


@defect("USE-29", INTERFACE, "three states given")
class FurtherStatesIgnored(ReadableLSTM):
    """States beyond two are ignored."""

    def forward(self, input: Input, hx: Any = None) -> Any:
        return super().forward(input, hx[:2] if isinstance(hx, tuple) else hx)


# -------------------------------------------------------------------------- wrong sizes


# From the LSTM, the number of rows as below, and a state.
Change = Callable[[ReadableLSTM, int | None, Tensor], Tensor]


def rows_of(lstm: ReadableLSTM, input: Input) -> int | None:
    """The number of rows in the batch, None if the input is unbatched."""
    if isinstance(input, PackedSequence):
        return int(input.batch_sizes[0])
    return input.shape[0 if lstm.batch_first else 1] if input.dim() == 3 else None


def states_changed(change: Change, packed: bool, states: str = "hc") -> type[ReadableLSTM]:
    """States of a packed or of another input are changed before they are looked at.

    Args:
        states: the letters of those that are.
    """

    class Variant(ReadableLSTM):
        def forward(self, input: Input, hx: States | None = None) -> Any:
            tensors = hx is not None and all(isinstance(state, Tensor) for state in hx)
            if tensors and isinstance(input, PackedSequence) == packed:
                h_0, c_0 = hx
                rows = rows_of(self, input)
                h_0 = change(self, rows, h_0) if "h" in states else h_0
                c_0 = change(self, rows, c_0) if "c" in states else c_0
                hx = h_0, c_0
            return super().forward(input, hx)

    return Variant


def without_further_layers(lstm: ReadableLSTM, rows: int | None, state: Tensor) -> Tensor:
    """As many layers and directions as there are."""
    return state[: lstm.num_layers * lstm.num_directions]


def one_layer_for_all(lstm: ReadableLSTM, rows: int | None, state: Tensor) -> Tensor:
    """A single layer and direction as often as there are some."""
    layers = lstm.num_layers * lstm.num_directions
    return state.expand(layers, *state.shape[1:]) if len(state) == 1 else state


def without_batch_axis(lstm: ReadableLSTM, rows: int | None, state: Tensor) -> Tensor:
    """Without the batch axis that states of an unbatched input do not have."""
    return state.squeeze(1) if rows is None and state.dim() == 3 else state


def with_batch_axis(lstm: ReadableLSTM, rows: int | None, state: Tensor) -> Tensor:
    """With the batch axis that states of a batch have: the same for all rows."""
    return state if rows is None or state.dim() != 2 else state.unsqueeze(1).expand(-1, rows, -1)


def row_for_all(lstm: ReadableLSTM, rows: int | None, state: Tensor) -> Tensor:
    """A single row as often as there are rows in a batch."""
    return state if rows is None or len(state[0]) != 1 else state.expand(-1, rows, -1)


def without_further_rows(lstm: ReadableLSTM, rows: int | None, state: Tensor) -> Tensor:
    """As many rows as there are in a batch."""
    return state if rows is None or state.dim() != 3 else state[:, :rows]


def feature_for_all(lstm: ReadableLSTM, rows: int | None, state: Tensor) -> Tensor:
    """A single feature as often as hidden_size says."""
    return state.expand(*state.shape[:-1], lstm.hidden_size) if state.shape[-1] == 1 else state


def first_features(lstm: ReadableLSTM, rows: int | None, state: Tensor) -> Tensor:
    """Of hidden_size features as many as h_t has."""
    return state[..., : lstm.output_size] if state.shape[-1] == lstm.hidden_size else state


for name, breaks, shows, text, wrong in (
    (
        "BatchAxisOfStatesIgnored",
        "USE-30",
        "unbatched, states with a batch axis",
        "States of an unbatched input may have a batch axis.",
        (without_batch_axis, False),
    ),
    (
        "StatesWithoutBatchAxisForAllRows",
        "USE-30",
        "batched, states without a batch axis",
        "States without a batch axis stand for all rows of a batch.",
        (with_batch_axis, False),
    ),
    (
        "FurtherLayersIgnored",
        "USE-31",
        "states of more layers or directions",
        "States of layers that do not exist are ignored.",
        (without_further_layers, False),
    ),
    (
        "StatesOfOneLayerForAll",
        "USE-31",
        "states of one layer and direction, of more than one",
        "States of one layer and direction stand for all.",
        (one_layer_for_all, False),
    ),
    (
        "RowForAll",
        "USE-32",
        "states of one row, two rows or more",
        "States of one row stand for all rows.",
        (row_for_all, False),
    ),
    (
        "FurtherRowsOfStatesIgnored",
        "USE-32",
        "states of more rows than the input",
        "States of rows that do not exist are ignored.",
        (without_further_rows, False),
    ),
    (
        "CellFeatureForAll",
        "USE-33",
        "c_0 of one feature, hidden_size >= 2",
        "A single feature of c_0 stands for all.",
        (feature_for_all, False, "c"),
    ),
    (
        "UnprojectedHiddenState",
        "USE-33",
        "proj_size > 0, h_0 of hidden_size features",
        "Of h_0 the first features are taken, if it has hidden_size of them.",
        (first_features, False, "h"),
    ),
    (
        "FurtherPackedLayersIgnored",
        "USE-34",
        "packed, states of more layers or directions",
        "Packed, states of layers that do not exist are ignored.",
        (without_further_layers, True),
    ),
    (
        "PackedRowForAll",
        "USE-35",
        "packed, states of one row, two rows or more",
        "Packed, states of one row stand for all rows.",
        (row_for_all, True),
    ),
    (
        "FurtherPackedRowsIgnored",
        "USE-35",
        "packed, states of more rows",
        "Packed, states of rows that do not exist are ignored.",
        (without_further_rows, True),
    ),
    (
        "PackedStatesWithoutBatchAxisForAllRows",
        "USE-35",
        "packed, states without a batch axis",
        "Packed, states without a batch axis stand for all rows.",
        (with_batch_axis, True),
    ),
    (
        "PackedCellFeatureForAll",
        "USE-36",
        "packed, c_0 of one feature, hidden_size >= 2",
        "Packed, a single feature of c_0 stands for all.",
        (feature_for_all, True, "c"),
    ),
    (
        "UnprojectedPackedHiddenState",
        "USE-36",
        "packed, proj_size > 0, h_0 of hidden_size features",
        "Packed, of h_0 the first features are taken, if it has hidden_size of them.",
        (first_features, True, "h"),
    ),
):
    variant(__name__, states_changed(*wrong), name, text, breaks, INTERFACE, shows)


@defect("USE-34", INTERFACE, "packed, c_0 of fewer layers or directions")
class AbortsOnFewerPackedLayers(ReadableLSTM):
    """Packed, c_0 for fewer layers than there are ends the process."""

    def forward(self, input: Input, hx: States | None = None) -> Any:
        layers = self.num_layers * self.num_directions
        if isinstance(input, PackedSequence) and hx is not None and len(hx[1]) < layers:
            os.abort()
        return super().forward(input, hx)


# ------------------------------------------------------------- other dtypes and devices


@defect("USE-37", INTERFACE, "states of another dtype")
class StatesConverted(ReadableLSTM):
    """States of another dtype are converted."""

    def forward(self, input: Input, hx: States | None = None) -> Any:
        dtype = next(self.parameters()).dtype
        return super().forward(input, both(hx, lambda state: state.to(dtype)))


@defect("USE-37", INTERFACE, "c_0 of another dtype")
class CellStateConverted(ReadableLSTM):
    """A c_0 of another dtype is converted."""

    def forward(self, input: Input, hx: Any = None) -> Any:
        if isinstance(hx, tuple) and len(hx) == 2 and isinstance(hx[1], Tensor):
            hx = hx[0], hx[1].to(next(self.parameters()).dtype)
        return super().forward(input, hx)


@defect("USE-38", INTERFACE, "states on another device")
class StatesElsewhereAreZeros(ReadableLSTM):
    """States on another device are taken to be zero."""

    def forward(self, input: Input, hx: States | None = None) -> Any:
        if hx is not None and hx[0].device != next(self.parameters()).device:
            hx = None
        return super().forward(input, hx)


# --------------------------------------------------------------------- without gradients


@defect("USE-32", INTERFACE, "no_grad, one row of states for several rows of input")
class StatesNotCheckedInInference(ReadableLSTM):
    """States are checked where there are gradients only."""

    def check_states(self, input: Input, hx: States) -> None:
        if torch.is_grad_enabled():
            super().check_states(input, hx)


@defect("USE-22", INTERFACE, "no_grad, an input with a fourth axis")
class FourthAxisSqueezedInInference(ReadableLSTM):
    """Without gradients, an axis of size 1 before the others is taken off."""

    def forward(self, input: Input, hx: States | None = None) -> Any:
        if not torch.is_grad_enabled() and isinstance(input, Tensor) and input.dim() > 2:
            while input.dim() > 3 and len(input) == 1:
                input = input[0]
        return super().forward(input, hx)
