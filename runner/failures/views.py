"""Larger cases that fail as a small one does, and where their outputs are wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ...spec.case import OUTPUTS, Case
from ...spec.contract import Implementation
from .probing_cases import is_large, larger_cases
from .region import Elements, Region, in_words, region, united
from .wrong_elements import wrong_elements, wrong_elements_if_run

__all__ = ["View", "sentence", "states_of", "views_of", "where"]


@dataclass(frozen=True)
class View:
    """A case with something wrong.

    Attributes:
        case: the case.
        wrong: name of each wrong result to its elements.
    """

    case: Case
    wrong: dict[str, Elements]

    @property
    def outputs(self) -> list[str]:
        """Names of the wrong outputs."""
        return [name for name in OUTPUTS if name in self.wrong]


def views_of(implementation: Implementation, case: Case) -> list[View]:
    """Two cases that are wrong like ``case``; one if there is no second one; none if it is right.

    They are larger than ``case`` if larger ones are wrong. In a case as small as possible every
    row is the last one.
    """
    own = View(case, wrong_elements(implementation, case))
    if not own.wrong:
        return []
    for cases in _alternatives(case):
        views = [
            own if c is case else View(c, wrong_elements_if_run(implementation, c) or {})
            for c in cases
        ]
        if all(view.wrong and bool(view.outputs) == bool(own.outputs) for view in views):
            names = {tuple(view.outputs) for view in views}
            if len(names) == 1:
                return views
    return [own]


def _view(implementation: Implementation, case: Case) -> View:
    return View(case, wrong_elements_if_run(implementation, case) or {})


def _alternatives(case: Case) -> Iterator[list[Case]]:
    if not is_large(case):
        try:
            yield larger_cases(case)
        except ValueError:  # some values are replaced
            return
    yield [case, replace(case, seed=case.seed + 1)]


def where(views: Sequence[View]) -> dict[str, Region | None]:
    """The names of wrong outputs, as they are written in a text, to the region of each.

    Outputs that are wrong in the same region are named together.
    """
    found: dict[str, Region | None] = {}
    if "output" in views[0].outputs:
        found["output"] = region([view.wrong["output"] for view in views])
    states = [states_of(view.wrong) for view in views]
    if states[0] is not None:
        names = " and ".join(name for name in ("h_n", "c_n") if name in views[0].wrong)
        found[names] = region([state for state in states if state is not None])
    if len(found) == 2:
        both = united(*found.values())
        if both is not None:
            return {"": both}
    return found


def states_of(wrong: dict[str, Elements]) -> Elements | None:
    """The elements of h_n and c_n together, as far as they have the same shape; or of one."""
    found = [wrong[name] for name in ("c_n", "h_n") if name in wrong]
    if not found:
        return None
    first = found[0]
    for other in found[1:]:
        if other.axes == first.axes and other.wrong.shape == first.wrong.shape:
            return replace(first, wrong=first.wrong | other.wrong)
    return first


def sentence(found: dict[str, Region | None]) -> str:
    """What :func:`where` found, in one sentence; empty if that is nothing."""
    if all(not of_names for of_names in found.values()) and None in found.values():
        return ""
    said = {names: in_words(of_names) for names, of_names in found.items()}
    parts = [
        f"in {names} {words}" if names and len(found) > 1 else words
        for names, words in said.items()
        if words
    ]
    return f"Wrong {', '.join(parts)}." if parts else ""
