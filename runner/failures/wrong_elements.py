"""Which elements of the results of a case are wrong, with names for the axes."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ...reference.oracle import expect
from ...spec.capabilities import unsupported
from ...spec.case import Case
from ...spec.contract import Implementation
from ...spec.interrupts import is_interrupt
from ...spec.verdicts import FAIL
from ..judging.comparison import THRESHOLD, allowed_error, compare, error_ratios
from .behaviour import observation_of
from .region import Elements

__all__ = ["axes_of", "wrong_elements", "wrong_elements_if_run"]

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]

_PARAMETER = re.compile(r"(weight_ih|weight_hh|weight_hr|bias_ih|bias_hh)_l\d+(_reverse)?")


def wrong_elements(implementation: Implementation, case: Case) -> dict[str, Elements]:
    """Name of each wrong result of ``case`` to its elements.

    Elements of a result of another shape are no elements of this one: it has no axes then.
    Exceptions of the implementation are passed on.
    """
    observation = observation_of(implementation, case)
    expectation = expect(case)
    found: dict[str, Elements] = {}
    for name in case.result_names():
        observed, expected = observation.tensors[name].values, expectation.values[name]
        noise = expectation.noise[name]
        if compare(name, observed, expected, noise, case.precision).verdict != FAIL:
            continue
        if observed.shape != expected.shape:
            found[name] = Elements((), np.array(True), np.array(True))
            continue
        allowed = allowed_error(expected, noise, case.precision)
        wrong = error_ratios(observed, expected, allowed) > THRESHOLD
        found[name] = _elements(case, name, wrong, (expected != 0) | (noise > 0))
    return found


def wrong_elements_if_run(implementation: Implementation, case: Case) -> dict[str, Elements] | None:
    """The same; None if the case is not supported, or raises an exception."""
    try:
        if unsupported(implementation, case) is not None:
            return None
        return wrong_elements(implementation, case)
    except BaseException as error:
        if is_interrupt(error):
            raise
        return None


def _elements(case: Case, name: str, wrong: Bools, counts: Bools) -> Elements:
    axes, shape = axes_of(case, name, wrong.shape)
    padding = None
    if name in ("output", "input.grad") and len(set(case.lengths)) > 1:
        padding = np.broadcast_to(case.padding(), wrong.shape).reshape(shape)
    return Elements(axes, wrong.reshape(shape), counts.reshape(shape), _marks(case), padding)


def axes_of(
    case: Case, name: str, shape: tuple[int, ...]
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Names of the axes of a result, and its shape with an axis for each name."""
    config = case.config
    role = name.removesuffix(".grad")
    parameter = _PARAMETER.fullmatch(role)
    if parameter:
        return _axes_of_parameter(case, parameter[1], shape)
    unit = "projected unit" if config.proj_size and role not in ("c_n", "c_0") else "unit"
    rows = () if case.layout == "unbatched" else ("row",)
    if role in ("output", "input"):
        lead: tuple[str, ...] = ("step", *rows)
        if config.batch_first:
            lead = lead[::-1]
        if role == "input":
            return (*lead, "feature"), shape
        return (*lead, "direction", unit), (*shape[:-1], config.num_directions, -1)
    by_layer = config.num_layers, config.num_directions
    return ("layer", "direction", *rows, unit), (*by_layer, *shape[1:])


def _axes_of_parameter(
    case: Case, role: str, shape: tuple[int, ...]
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    if role == "weight_hr":
        return ("projected unit", "unit"), shape
    last = () if role.startswith("bias") else ("feature",)
    return ("gate", "unit", *last), (4, -1, *shape[1:])


def _marks(case: Case) -> Mapping[str, Mapping[str, frozenset[int]]]:
    """Words for the steps and rows of packed rows of unequal length."""
    if len(set(case.lengths)) < 2:
        return {}
    first, steps, rows = min(case.lengths), case.seq_len, range(case.batch_size)
    longest = frozenset(row for row in rows if case.lengths[row] == steps)
    shortest = frozenset(row for row in rows if case.lengths[row] == first)
    return {
        "step": {
            "the steps after the first row has ended": frozenset(range(first, steps)),
            "the steps before the first row has ended": frozenset(range(first)),
        },
        "row": {
            "the longest rows": longest,
            "the shortest rows": shortest,
            "the rows that are not the longest": frozenset(rows) - longest,
            "the rows that are not the shortest": frozenset(rows) - shortest,
        },
    }
