"""Finds where wrong results first differ from the documented ones: step, layer, direction, gate."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...reference.oracle import expect
from ...spec.case import OUTPUTS, Case
from ...spec.contract import Implementation
from ...spec.interrupts import is_interrupt
from ...spec.verdicts import FAIL
from ..judging.comparison import compare
from .behaviour import observation_of

__all__ = ["first_divergence"]

Array = NDArray[np.float64]

# A preactivation at which sigmoid and tanh are 1 in every format.
_SATURATED = 40.0


def first_divergence(implementation: Implementation, case: Case) -> str | None:
    """One sentence on where the results for ``case`` first go wrong; None if nothing shows it.

    The implementation is run on the beginnings of the case, with other initial cell states and
    biases. Exceptions that it raises are ignored.
    """
    try:
        wrong = _wrong(implementation, case)
        if not wrong:
            return None
        if not any(name in wrong for name in OUTPUTS):
            return _of_gradients(implementation, case, wrong)
        return _of_outputs(implementation, case)
    except BaseException as error:
        if is_interrupt(error):
            raise
        return None


def _of_outputs(implementation: Implementation, case: Case) -> str:
    steps, wrong = _shortest(implementation, case, lambda w: any(n in w for n in OUTPUTS))
    where = f"with the first {steps} steps" if steps > 1 else "in a single step"
    short = _beginning(case, steps)
    states = [(k, name) for name in ("c_n", "h_n") for k in wrong.get(name, ())]
    if not states:
        return f"First wrong {where}: output, while h_n and c_n are right."
    k = min(k for k, _ in states)
    layer, d = divmod(k, case.config.num_directions)
    names = [name for row, name in states if row == k]
    direction = (" forward", " reverse")[d] if case.config.bidirectional else ""
    gate = _gate(implementation, short, k, names) if steps == 1 else _of_recurrence(names)
    return f"First wrong {where}: {' and '.join(names)} of layer {layer}{direction}{gate}."


def _of_recurrence(names: list[str]) -> str:
    if names == ["h_n"]:
        return ", while c_n is right"
    return ", so the mistake is in what one step hands to the next"


def _gate(implementation: Implementation, case: Case, k: int, names: list[str]) -> str:
    """Which gate of a single step is wrong, found by making the other factors trivial."""
    if names == ["h_n"]:
        return ", while c_n is right: the gate o, tanh(c) or the projection"

    def wrong_with(case: Case) -> bool:
        return k in _wrong(implementation, case).get("c_n", ())

    shapes = case.shapes()
    if case.states:
        without_c = case.with_values({"c_0": np.zeros(shapes["c_0"])})
        if not wrong_with(without_c):
            return ": the gate f, or what it multiplies (right if c_0 is zero)"
    suffix = case.config.parameter_names(*divmod(k, case.config.num_directions))[0]
    name = suffix.replace("weight_ih", "bias_ih")
    if name not in shapes:
        return ": the gate i or g"
    H = case.config.hidden_size
    for gate, block in (("i", slice(0, H)), ("g", slice(2 * H, 3 * H))):
        values = case.arguments()
        values[name][block] = _SATURATED
        if case.states:
            values["c_0"] = np.zeros(shapes["c_0"])
        if not wrong_with(case.with_values(values)):
            return f": the gate {gate} (right if it is saturated)"
    return ": the gates i and g, or how they are put together"


def _of_gradients(implementation: Implementation, case: Case, wrong: dict[str, set[int]]) -> str:
    steps, first = _shortest(implementation, case, bool)
    text = f"Outputs are right. First wrong with {steps} step{'s' * (steps > 1)}: "
    text += ", ".join(first)
    others = [name for name in wrong if name not in first]
    if others:
        text += f"; later also {', '.join(others)}"
    right = [
        name
        for name in case.cotangents
        if not _wrong(implementation, replace(case, cotangents=(name,)))
    ]
    if right and len(right) < len(case.cotangents):
        text += f". Right if only {' or only '.join(right)} has a cotangent"
    return f"{text}."


def _shortest(
    implementation: Implementation, case: Case, enough: Callable[[dict[str, set[int]]], bool]
) -> tuple[int, dict[str, set[int]]]:
    """A number of steps at which ``enough`` holds and with one step less does not.

    The second value returned is what is wrong with this number of steps.
    """
    found = {case.seq_len: _wrong(implementation, case)}

    def is_wrong(steps: int) -> bool:
        found[steps] = _wrong(implementation, _beginning(case, steps))
        return enough(found[steps])

    # This is the smallest number, unless results become right again with more steps.
    steps = 1 + bisect_left(range(1, case.seq_len), True, key=is_wrong)
    return steps, found[steps]


def _beginning(case: Case, steps: int) -> Case:
    """The first ``steps`` steps of ``case``, with its values."""
    if steps == case.seq_len:
        return case
    axis = 1 if case.config.batch_first and case.layout != "unbatched" else 0
    values = case.arguments() | {
        f"cotangent of {name}": value for name, value in case.cotangent_values().items()
    }
    for name in ("input", "cotangent of output"):
        if name in values:
            values[name] = values[name].take(range(steps), axis)
    lengths = tuple(min(length, steps) for length in case.lengths)
    is_sorted = list(lengths) == sorted(lengths, reverse=True)
    layout = case.layout
    if case.packed:
        layout = "packed_sorted" if is_sorted else "packed_unsorted"
    return case.with_values(values, seq_len=steps, lengths=lengths, layout=layout)


def _wrong(implementation: Implementation, case: Case) -> dict[str, set[int]]:
    """Name of each wrong tensor to the indices of its first axis at which it is wrong."""
    observation = observation_of(implementation, case)
    expectation = expect(case)
    found: dict[str, set[int]] = {}
    for name in case.result_names():
        observed, expected = observation.tensors[name].values, expectation.values[name]
        noise = expectation.noise[name]
        if observed.shape != expected.shape:
            found[name] = set(range(len(expected)))
            continue
        for k in range(len(expected)):
            finding = compare(name, observed[k], expected[k], noise[k], case.precision)
            if finding.verdict == FAIL:
                found.setdefault(name, set()).add(k)
    return found
