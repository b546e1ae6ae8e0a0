"""An LSTM out of its parts: many layers of one layer, two directions of one, a sequence of a cell.

Many frameworks have no more than a cell, or one layer. What they lack of the loops around it is
here, in their own arrays, so that derivatives pass through. Shapes: L steps, N rows, D
directions, H hidden units, R features of h_t (R = H, or proj_size with a projection).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ..spec.case import Case

__all__ = ["ASSEMBLED", "Weights", "both_ways", "in_layers", "in_time", "stacked"]

Array = Any
States = tuple[Array, Array]

# (case, arguments) -> output, h_n, c_n: all in the layout and the shapes of the case.
Function = Callable[[Case, dict[str, Array]], tuple[Array, Array, Array]]

# (x_t, (h, c), weights) -> h, c: of shapes (N, features), (N, R), (N, H).
Cell = Callable[..., States]

# (x, states, weights, lengths, reverse) -> output, h_n, c_n. x: (L, N, features). States: (N, R)
# and (N, H), or None where none are given. Lengths: steps of each row, None where all are full.
# A reverse direction reads each row from its own end; its output is in the order of x.
OneWay = Callable[..., tuple[Array, Array, Array]]

# The same for D directions: weights of each; states, h_n and c_n with a leading axis D; output
# (L, N, D*R). Lengths or None, no flag.
Layer = Callable[..., tuple[Array, Array, Array]]

# What the loops give to whatever is put into them.
ASSEMBLED = frozenset({"layers", "bidirectional"})


class Weights(NamedTuple):
    """Parameters of one layer and direction, as ``torch.nn.LSTM`` has them."""

    weight_ih: Array  # (4H, features)
    weight_hh: Array  # (4H, R)
    bias_ih: Array | None  # (4H,)
    bias_hh: Array | None  # (4H,)
    weight_hr: Array | None  # (R, H)

    @property
    def bias(self) -> Array | None:
        """For frameworks with one bias: the sum of the two, (4H,)."""
        return None if self.bias_ih is None else self.bias_ih + self.bias_hh


def stacked(layer: Layer, xp: Any) -> Function:
    """All layers, one upon the other; batch_first and unbatched input are brought to (L, N, ...).

    Args:
        layer: one layer, in as many directions as it is given weights.
        xp: the module with ``swapaxes`` and ``concatenate`` for its arrays, as NumPy has them.
    """
    inner = in_layers(layer, xp)

    def lstm(case: Case, arguments: dict[str, Array]) -> tuple[Array, Array, Array]:
        x = arguments["input"]
        if case.layout == "unbatched":
            states = {name: arguments[name][:, None] for name in ("h_0", "c_0") if case.states}
            x, h, c = inner(case, {**arguments, **states, "input": x[:, None]})
            return x[:, 0], h[:, 0], c[:, 0]
        if not case.config.batch_first:
            return inner(case, arguments)
        x, h, c = inner(case, {**arguments, "input": xp.swapaxes(x, 0, 1)})
        return xp.swapaxes(x, 0, 1), h, c

    return lstm


def in_layers(layer: Layer, xp: Any) -> Function:
    """The same for layers that know the layout of the case: input comes to them as it is.

    Args:
        layer: one layer, in as many directions as it is given weights.
        xp: the module with ``concatenate`` for its arrays, as NumPy has it.
    """

    def lstm(case: Case, arguments: dict[str, Array]) -> tuple[Array, Array, Array]:
        x, D = arguments["input"], case.config.num_directions
        h_0, c_0 = arguments.get("h_0"), arguments.get("c_0")  # (layers * D, N, ...)
        h_n, c_n = [], []
        for k in range(case.config.num_layers):
            rows = slice(k * D, (k + 1) * D)
            states = None if h_0 is None or c_0 is None else (h_0[rows], c_0[rows])
            weights = [_weights(case, arguments, k, d) for d in range(D)]
            if k > 0 and case.active_dropout == 1:
                x = x * 0
            x, h, c = layer(x, states, weights, case.lengths or None)
            h_n.append(h)
            c_n.append(c)
        return x, xp.concatenate(h_n), xp.concatenate(c_n)

    return lstm


def _weights(case: Case, arguments: dict[str, Array], layer: int, direction: int) -> Weights:
    suffix = f"_l{layer}" + ("_reverse" if direction else "")
    return Weights(*(arguments.get(role + suffix) for role in Weights._fields))


def both_ways(one_way: OneWay, xp: Any) -> Layer:
    """A layer of one direction, or of both side by side.

    Args:
        one_way: one direction.
        xp: the module with ``stack`` and ``concatenate`` for its arrays, as NumPy has them.
    """

    def layer(
        x: Array, states: States | None, weights: list[Weights], lengths: Sequence[int] | None
    ) -> tuple[Array, Array, Array]:
        results = []
        for d, of_direction in enumerate(weights):
            own = None if states is None else (states[0][d], states[1][d])
            results.append(one_way(x, own, of_direction, lengths, bool(d)))
        outputs, h_n, c_n = zip(*results, strict=True)
        return xp.concatenate(outputs, axis=-1), xp.stack(h_n), xp.stack(c_n)

    return layer


def in_time(cell: Cell, xp: Any) -> OneWay:
    """One direction: the cell at each step, in a loop.

    Rows that have ended keep their state, and give an output of zeros.

    Args:
        cell: one step.
        xp: the module with ``asarray``, ``stack``, ``where`` and ``zeros`` for its arrays, as
            NumPy has them.
    """

    def one_way(
        x: Array,
        states: States | None,
        weights: Weights,
        lengths: Sequence[int] | None,
        reverse: bool,
    ) -> tuple[Array, Array, Array]:
        steps, rows = x.shape[:2]
        if states is None:
            H = weights.weight_hh.shape[0] // 4
            R = weights.weight_hh.shape[1]
            states = xp.zeros((rows, R), dtype=x.dtype), xp.zeros((rows, H), dtype=x.dtype)
        h, c = states
        outputs = []
        for t in reversed(range(steps)) if reverse else range(steps):
            x_t = x[t]
            if lengths is not None:
                goes_on = xp.asarray([[t < length] for length in lengths])  # (N, 1)
                # Not even NaN behind the end of a row may reach a gradient.
                x_t = xp.where(goes_on, x_t, xp.zeros(x_t.shape, dtype=x.dtype))
            new_h, new_c = cell(x_t, (h, c), weights)
            output = new_h
            if lengths is not None:
                output = xp.where(goes_on, new_h, xp.zeros(new_h.shape, dtype=x.dtype))
                new_h, new_c = xp.where(goes_on, new_h, h), xp.where(goes_on, new_c, c)
            h, c = new_h, new_c
            outputs.append(output)
        return xp.stack(outputs[::-1] if reverse else outputs), h, c

    return one_way
