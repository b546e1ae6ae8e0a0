"""Which gate of a single step is wrong, found by making the other factors trivial.

A gate is named only if the results are right as soon as that gate, and no other one, is trivial.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...reference.oracle import expect
from ...spec.case import Case
from ...spec.contract import Implementation
from .behaviour import observation_of
from .conditions import is_right

__all__ = ["wrong_gate"]

Array = NDArray[np.float64]

# A preactivation at which sigmoid and tanh are 1 in every format.
_SATURATED = 40.0

_GATES = ("i", "f", "g", "o")

# Where |tanh(c)| is smaller, o does not follow from h to enough digits.
_LEAST = 0.01

# In unit roundoffs: far above the rounding of o * tanh(c), and far below any mistake.
_EQUAL = 1e4


def wrong_gate(
    implementation: Implementation, case: Case, layer: int, direction: int, names: Sequence[str]
) -> str:
    """The gate that is wrong, in words; empty if the results do not show it.

    Args:
        implementation: that is wrong.
        case: of one step.
        layer, direction: the lowest layer with a wrong final state, and the direction.
        names: of the final states that are wrong there.
    """
    case = _with_biases(case)  # and without cotangents: a gradient may be wrong as well
    bias = case.config.parameter_names(layer, direction)[2]
    size = case.config.hidden_size

    def right(*saturated: str, **values: Array) -> bool:
        changed = case.arguments()
        for gate in saturated:
            k = _GATES.index(gate)
            changed[bias][k * size : (k + 1) * size] = _SATURATED
        return is_right(implementation, case.with_values({**changed, **values}))

    if right():  # with biases it is
        return ""
    if "c_n" not in names:
        return _named("o") if right("o") else ""
    if "h_n" not in names or not _rest_is_right(implementation, case, layer, direction):
        return ""
    zero = {"c_0": np.zeros(case.shapes()["c_0"])} if case.states else {}
    if zero and right(**zero):
        return (
            _named("f")
            if right("f")
            else "the gate f, or what it multiplies (right if c_0 is zero)"
        )
    gates = [gate for gate in ("i", "g") if right(gate, **zero)]
    return _named(gates[0]) if len(gates) == 1 else _dependence(case, layer, right)


def _named(gate: str) -> str:
    return f"the gate {gate} (right if it is saturated)"


def _dependence(case: Case, layer: int, right: Callable[..., bool]) -> str:
    """What has to be zero for the step to be right."""
    names = [*(["input"] if layer == 0 else []), *(["h_0"] if case.states else [])]
    found = [name for name in names if right(**{name: np.zeros(case.shapes()[name])})]
    return f"right if {' or '.join(found)} is zero" if found else ""


def _with_biases(case: Case) -> Case:
    config = replace(case.config, bias=True)
    return case.with_values(case.arguments(), config=config, cotangents=())


def _rest_is_right(implementation: Implementation, case: Case, layer: int, direction: int) -> bool:
    """Whether h follows from the wrong c as documented, so that no more than c is wrong."""
    if case.config.proj_size:  # h does not show o * tanh(c)
        return True
    observed, expected = observation_of(implementation, case).tensors, expect(case).values
    k = layer * case.config.num_directions + direction
    h, c = expected["h_n"][k], expected["c_n"][k]
    shown = np.abs(np.tanh(c)) > _LEAST
    o = h[shown] / np.tanh(c[shown])
    h_of_c = o * np.tanh(observed["c_n"].values[k][shown])
    errors = np.abs(observed["h_n"].values[k][shown] - h_of_c)
    return bool((errors <= _EQUAL * case.precision.unit_roundoff).all())
