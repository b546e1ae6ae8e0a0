"""Builds an LSTM from a cell, from one direction or from one layer.

Many frameworks have only a cell, or only one layer. This module adds the loops over steps,
directions and layers. It uses the arrays of the framework, so that derivatives pass through the
loops. Shapes: L steps, N rows, D directions, H hidden units, R features of h_t (R is proj_size
with a projection, otherwise H).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ..spec.case import Case

__all__ = ["ASSEMBLED", "Weights", "both_ways", "in_layers", "in_time", "stacked"]

Array = Any
States = tuple[Array, Array]

Function = Callable[[Case, dict[str, Array]], tuple[Array, Array, Array]]
"""``lstm(case, arguments) -> output, h_n, c_n``, all in the layout and the shapes of the case."""

Cell = Callable[..., States]
"""``cell(x_t, (h, c), weights) -> h, c``. Shapes: x_t (N, features), h (N, R), c (N, H)."""

OneWay = Callable[..., tuple[Array, Array, Array]]
"""``one_way(x, states, weights, lengths, reverse) -> output, h_n, c_n``.

x is (L, N, features). The states are (N, R) and (N, H), or None for zeros. The lengths are the
steps of each row, or None if all rows have L steps. The reverse direction reads each row from its
own last step, and returns its output in the order of x.
"""

Layer = Callable[..., tuple[Array, Array, Array]]
"""``layer(x, states, weights, lengths) -> output, h_n, c_n``.

The same as :data:`OneWay` for D directions: a list of their weights; states, h_n and c_n with a
first axis D; output (L, N, D*R).
"""

ASSEMBLED = frozenset({"layers", "bidirectional"})
"""The capabilities that the loops add."""


class Weights(NamedTuple):
    """The parameters of one layer and direction, as in ``torch.nn.LSTM``.

    Attributes:
        weight_ih: (4H, features).
        weight_hh: (4H, R).
        bias_ih: (4H,); None without biases.
        bias_hh: (4H,); None like ``bias_ih``.
        weight_hr: (R, H); None without a projection.
    """

    weight_ih: Array
    weight_hh: Array
    bias_ih: Array | None
    bias_hh: Array | None
    weight_hr: Array | None

    @property
    def bias(self) -> Array | None:
        """The sum of both biases (4H,), for frameworks with one bias."""
        return None if self.bias_ih is None else self.bias_ih + self.bias_hh


def stacked(layer: Layer, xp: Any) -> Function:
    """All layers. Converts batch_first and unbatched input to (L, N, features) for ``layer``.

    Args:
        layer: one layer, with one direction for each element of its weights.
        xp: the array module of the framework, with NumPy's ``swapaxes`` and ``concatenate``.
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
    """All layers. Passes the input to ``layer`` in the layout of the case.

    Args:
        layer: one layer, with one direction for each element of its weights.
        xp: the array module of the framework, with NumPy's ``concatenate``.
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
    """A layer of one or two directions.

    Args:
        one_way: one direction.
        xp: the array module of the framework, with NumPy's ``stack`` and ``concatenate``.
    """

    def layer(
        x: Array, states: States | None, weights: list[Weights], lengths: Sequence[int] | None
    ) -> tuple[Array, Array, Array]:
        results = []
        for d, direction_weights in enumerate(weights):
            direction_states = None if states is None else (states[0][d], states[1][d])
            results.append(one_way(x, direction_states, direction_weights, lengths, bool(d)))
        outputs, h_n, c_n = zip(*results, strict=True)
        return xp.concatenate(outputs, axis=-1), xp.stack(h_n), xp.stack(c_n)

    return layer


def in_time(cell: Cell, xp: Any) -> OneWay:
    """One direction: a loop that calls the cell at each step.

    After its last step a row keeps its state, and its output is zero.

    Args:
        cell: one step.
        xp: the array module of the framework, with NumPy's ``asarray``, ``stack``, ``where`` and
            ``zeros``.
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
                active = xp.asarray([[t < length] for length in lengths])  # (N, 1)
                # Padding may be NaN: it must not reach a gradient.
                x_t = xp.where(active, x_t, xp.zeros(x_t.shape, dtype=x.dtype))
            new_h, new_c = cell(x_t, (h, c), weights)
            output = new_h
            if lengths is not None:
                output = xp.where(active, new_h, xp.zeros(new_h.shape, dtype=x.dtype))
                new_h, new_c = xp.where(active, new_h, h), xp.where(active, new_c, c)
            h, c = new_h, new_c
            outputs.append(output)
        return xp.stack(outputs[::-1] if reverse else outputs), h, c

    return one_way
