"""LSTMs in which a layer and direction has the row of another one in a state.

States hold a row for each layer and direction, layer by layer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

from .gradient_surgery import with_gradient_of
from .readable import Input, ReadableLSTM, Result, States, Steps

__all__ = [
    "final_rows_from",
    "initial_rows_from",
    "last_layer_first",
    "of_forward",
    "of_last_layer",
    "of_other_direction",
    "with_gradient_in_rows",
]

Value = TypeVar("Value")

# From the LSTM, a layer and a direction.
Row = Callable[[ReadableLSTM, int, int], int]
Choice = Callable[[ReadableLSTM, int, int], bool]


def initial_rows_from(row: Row, states: str = "hc") -> type[ReadableLSTM]:
    """Each layer and direction starts from another row of h_0, of c_0 or of both.

    Args:
        row: the number of the row from which a layer and direction starts.
        states: the letters of the states that are read so.
    """

    class Variant(ReadableLSTM):
        def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
            h_0, c_0 = super().initial_states(input, hx, steps)
            rows = for_all(self, row)
            return h_0[rows] if "h" in states else h_0, c_0[rows] if "c" in states else c_0

    return Variant


def final_rows_from(row: Row, states: str = "hc") -> type[ReadableLSTM]:
    """Each row of h_n, of c_n or of both holds the state of another layer and direction.

    Args:
        row: the number of the row that stands where that of a layer and direction belongs.
        states: the letters of the states that are returned so.
    """

    class Variant(ReadableLSTM):
        def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
            rows = for_all(self, row)
            h_n = h_n[rows] if "h" in states else h_n
            c_n = c_n[rows] if "c" in states else c_n
            return super().finish(input, steps, h_n, c_n)

    return Variant


def with_gradient_in_rows(lstm: ReadableLSTM, kept: Choice, state: Tensor) -> Tensor:
    """The state (L*D, N, features) itself, except that only some rows have a gradient.

    Args:
        kept: whether the row of a layer and direction has one.
    """
    mask = torch.tensor(for_all(lstm, kept), device=state.device)[:, None, None]
    return with_gradient_of(state * mask, state)


def for_all(lstm: ReadableLSTM, value: Callable[[ReadableLSTM, int, int], Value]) -> list[Value]:
    """``value`` of each layer and direction, in the order of the rows."""
    directions = range(lstm.num_directions)
    return [value(lstm, layer, d) for layer in range(lstm.num_layers) for d in directions]


# ------------------------------------------------------------------------ wrong rows


def last_layer_first(lstm: ReadableLSTM, layer: int, d: int) -> int:
    """Layers are counted from the last one."""
    return (lstm.num_layers - 1 - layer) * lstm.num_directions + d


def of_last_layer(lstm: ReadableLSTM, layer: int, d: int) -> int:
    """The last layer stands for all."""
    return (lstm.num_layers - 1) * lstm.num_directions + d


def of_other_direction(lstm: ReadableLSTM, layer: int, d: int) -> int:
    """Each direction has the row of the other one."""
    return layer * lstm.num_directions + lstm.num_directions - 1 - d


def of_forward(lstm: ReadableLSTM, layer: int, d: int) -> int:
    """Both directions have the row of the forward one."""
    return layer * lstm.num_directions
