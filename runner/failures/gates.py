"""Which gate of a single step is wrong, found by making the other factors trivial.

A gate is named only if the results are right as soon as that gate, and no other one, is trivial.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...spec.case import Case
from ...spec.contract import Implementation
from .conditions import is_right

__all__ = ["wrong_gate"]

Array = NDArray[np.float64]

# A preactivation at which sigmoid and tanh are 1 in every format.
_SATURATED = 40.0

_GATES = ("i", "f", "g", "o")


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
    if "h_n" not in names:
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
