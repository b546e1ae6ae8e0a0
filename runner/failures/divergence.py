"""Finds where wrong results first differ from the documented ones: step, layer, direction, gate.

Nothing is said that a further run does not show. A gate is not named if the same equations are
right in another mode or for other rows.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ...reference.oracle import expect
from ...spec.case import OUTPUTS, Case
from ...spec.clean_text import counted
from ...spec.contract import Implementation
from ...spec.interrupts import is_interrupt
from .conditions import Conditions, conditions, is_right
from .gates import wrong_gate
from .probing_cases import is_large
from .region import Elements, in_words, region
from .views import View, sentence, states_of, views_of, where
from .wrong_elements import wrong_elements

__all__ = ["first_divergence"]

Array = NDArray[np.float64]
Wrong = dict[str, Elements]


def first_divergence(
    implementation: Implementation, case: Case, causes: bool = True, shown: Case | None = None
) -> str | None:
    """Some sentences on where results like those of ``case`` go wrong; None if nothing shows it.

    The implementation is run on larger cases, on their beginnings, in other modes, and with other
    states and biases. Exceptions that it raises are ignored.

    Args:
        implementation: that is wrong.
        case: in which it is.
        causes: whether to look for the gate, and for modes in which it is right. For large cases
            that takes long.
        shown: the case that the reader sees; by default ``case``. The text names the case that it
            is about if that is another one, which may have more layers and steps.
    """
    try:
        views = views_of(implementation, case)
        if not views:
            return None
        found = Conditions()
        if causes:
            cases = [view.case for view in views[: 1 if is_large(case) else None]]
            found = conditions(partial(is_right, implementation), cases, views[0].wrong)
        seen_in = "" if views[0].case == (shown or case) else f"Seen in {views[0].case}"
        if not views[0].outputs:
            return _joined(_of_gradients(implementation, views), str(found), seen_in)
        return _joined(_of_outputs(implementation, views, found, causes), seen_in)
    except BaseException as error:
        if is_interrupt(error):
            raise
        return None


def _joined(*sentences: str) -> str:
    return " ".join(filter(None, sentences))


def _of_outputs(
    implementation: Implementation, views: Sequence[View], found: Conditions, causes: bool
) -> str:
    case = views[0].case
    steps, wrong = _shortest(implementation, views[0], lambda w: any(n in w for n in OUTPUTS))
    length = f"with the first {steps} steps" if steps > 1 else "in a single step"
    start = f"First wrong {length}: "
    misshapen = [name for name in OUTPUTS if name in wrong and not wrong[name].axes]
    if misshapen:
        return _joined(f"{start}the shape of {' and '.join(misshapen)}.", str(found))
    places = where(views)
    rest = sentence(places), str(found)
    states = states_of(wrong)
    if states is None:
        return _joined(f"{start}output, while h_n and c_n are right.", *rest)
    layer, direction = (int(k) for k in np.argwhere(states.wrong)[0][:2])
    names = [n for n in ("c_n", "h_n") if n in wrong and wrong[n].wrong[layer, direction].any()]
    side = (" forward", " reverse")[direction] if case.config.bidirectional else ""
    text = f"{start}{' and '.join(names)} of layer {layer}{side}"
    units = _units(implementation, views, steps, layer, direction)
    text += f", {units}" if units else ""
    text += ", while c_n is right" if names == ["h_n"] else ""
    text += ", while h_n is right" if names == ["c_n"] else ""
    by_rows = any("row" in place for place in places.values() if place)
    if causes and not found.of_mode and not by_rows:
        text += _cause(implementation, case, steps, layer, direction, names)
    return _joined(f"{text}.", *rest)


def _units(
    implementation: Implementation, views: Sequence[View], steps: int, layer: int, direction: int
) -> str:
    """Which units are wrong in the first wrong step; empty if all are, or if it has no words."""
    found = []
    for view in views:
        states = states_of(wrong_elements(implementation, _beginning(view.case, steps)))
        if states is None:
            return ""
        part = states.wrong[layer, direction]
        if not part.any():
            return ""
        counts = states.counts[layer, direction]
        found.append(Elements(states.axes[2:], part, counts, states.marks))
    place = region(found) or {}
    return in_words({axis: words for axis, words in place.items() if "unit" in axis} or None)


def _cause(
    implementation: Implementation,
    case: Case,
    steps: int,
    layer: int,
    direction: int,
    names: Sequence[str],
) -> str:
    """What is wrong in the step that is first wrong; empty if nothing shows it."""
    if steps > 1:
        alone = _last_step_alone(case, steps)
        if alone is None:
            return ""
        if is_right(implementation, alone):
            return (
                ", so the mistake is in what a step takes from those before it "
                f"(step {steps - 1} is right alone, from the documented states)"
            )
        layer, direction = 0, 0
    else:
        alone = replace(_beginning(case, 1), cotangents=())
    states = states_of(wrong_elements(implementation, alone))
    if states is None or not states.axes:
        return ""
    gate = wrong_gate(implementation, alone, layer, direction, names)
    return f": {gate}" if gate else ""


def _last_step_alone(case: Case, steps: int) -> Case | None:
    """Step ``steps - 1`` alone, from the states that the steps before it give.

    None where several layers, directions or rows of unequal length have no such step.
    """
    config = case.config
    if config.num_layers > 1 or config.bidirectional or case.packed:
        return None
    before = expect(replace(_beginning(case, steps - 1), cotangents=())).values
    values = _values(case)
    axis = case.time_axis
    for name in _IN_TIME:
        if name in values:
            values[name] = values[name].take([steps - 1], axis)
    values |= {"h_0": before["h_n"], "c_0": before["c_n"]}
    return case.with_values(values, seq_len=1, states=True, cotangents=())


def _of_gradients(implementation: Implementation, views: Sequence[View]) -> str:
    case, wrong = views[0].case, views[0].wrong
    steps, first = _shortest(implementation, views[0], bool)
    text = f"Outputs are right. First wrong with {counted(steps, 'step')}: "
    text += ", ".join(f"{name}{_of_gradient(name, views)}" for name in first)
    others = [name for name in wrong if name not in first]
    if others:
        text += f"; later also {', '.join(others)}"
    right = [
        name
        for name in case.cotangents
        if is_right(implementation, replace(case, cotangents=(name,)))
    ]
    if right and len(right) < len(case.cotangents):
        text += f". Right if only {' or only '.join(right)} has a cotangent"
    return f"{text}."


def _of_gradient(name: str, views: Sequence[View]) -> str:
    """Where a gradient is wrong, in brackets; empty if it is everywhere, or has no words."""
    if not all(name in view.wrong for view in views):
        return ""
    place = region([view.wrong[name] for view in views])
    return f" ({in_words(place)})" if place else ""


def _shortest(
    implementation: Implementation, view: View, enough: Callable[[Wrong], bool]
) -> tuple[int, Wrong]:
    """A number of steps at which ``enough`` holds in the case of ``view``, and with one less not.

    The second value returned is what is wrong with this number of steps.
    """
    case, found = view.case, {view.case.seq_len: view.wrong}

    def is_wrong(steps: int) -> bool:
        found[steps] = wrong_elements(implementation, _beginning(case, steps))
        return enough(found[steps])

    # This is the smallest number, unless results become right again with more steps.
    steps = 1 + bisect_left(range(1, case.seq_len), True, key=is_wrong)
    return steps, found[steps]


_IN_TIME = ("input", "cotangent of output")


def _beginning(case: Case, steps: int) -> Case:
    """The first ``steps`` steps of ``case``, with its values."""
    if steps == case.seq_len:
        return case
    values = _values(case)
    for name in _IN_TIME:
        if name in values:
            values[name] = values[name].take(range(steps), case.time_axis)
    lengths = tuple(min(length, steps) for length in case.lengths)
    is_sorted = list(lengths) == sorted(lengths, reverse=True)
    layout = case.layout
    if case.packed:
        layout = "packed_sorted" if is_sorted else "packed_unsorted"
    return case.with_values(values, seq_len=steps, lengths=lengths, layout=layout)


def _values(case: Case) -> dict[str, Array]:
    """The values of all arguments and cotangents, by the names of ``Case.with_values``."""
    cotangents = case.cotangent_values().items()
    return {**case.arguments(), **{f"cotangent of {name}": value for name, value in cotangents}}
