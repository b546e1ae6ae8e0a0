"""Catalogued defects, and which of them behave like an implementation that fails."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from ...adapters.target import load
from ...spec.case import OUTPUTS
from ...spec.contract import Implementation
from .behaviour import Behaviour, run

if TYPE_CHECKING:
    from ...defects.catalogue import Defect

__all__ = [
    "MATCH",
    "SEPARATION",
    "Group",
    "filtered",
    "matches",
    "may_match",
    "none_hides_another",
    "pairs",
    "suspects",
]

# Defects that act together.
Group = tuple["Defect", ...]

# A defect matches if its error over noise is at most MATCH, as between correct implementations,
# and that of the documented LSTM is at least SEPARATION times as large.
MATCH, SEPARATION = 10.0, 30.0

# Pairs of defects are looked for in this number of wrong results, ...
_WRONG = 8

# ... for this number of defects that explain one of them.
_EXPLAIN = 6


@cache
def suspects() -> tuple[Defect, ...]:
    """The defects that running a case may show; none without torch, which they are written in."""
    try:
        from ...defects.catalogue import FORWARD, GRADIENT, catalogue

        entries = catalogue()
    except ImportError:
        return ()
    of_layout = ("SHAPE-", "PACK-")
    # Those of chapter SIZE are right in small cases, and only such cases are tried.
    return tuple(
        d
        for d in entries
        if d.kind in (FORWARD, GRADIENT) or d.breaks.startswith(of_layout)
        if not d.breaks.startswith("SIZE-")
    )


@cache
def _implementation(group: Group) -> Implementation | None:
    """The implementation that has all defects of ``group``; None if they cannot be combined."""
    if len(group) == 1:
        return load(group[0].target)
    from ...adapters.torch_module import TorchModule

    classes = []
    for defect in group:
        module, _, name = defect.target.partition(":")
        classes.append(getattr(import_module(module), name))
    try:
        # Each class overrides what the next ones do.
        both = type("And".join(c.__name__ for c in classes), tuple(classes), {})
    except TypeError:  # their bases contradict each other
        return None
    return TorchModule(both.__name__, both, "")


def _distance(group: Group, behaviour: Behaviour, names: tuple[str, ...] | None = None) -> float:
    """Largest error over noise, if ``group`` were documented; infinite if it gives no results."""
    implementation = _implementation(group)
    case = behaviour.case if names is None else replace(behaviour.case, cotangents=())
    observation = None if implementation is None else run(implementation, case)
    if observation is None:
        return math.inf
    return behaviour.distance({n: t.values for n, t in observation.tensors.items()}, names)


def matches(group: Group, behaviours: Sequence[Behaviour], at_most: float = MATCH) -> float | None:
    """The largest distance of ``group`` from any of the behaviours; None above ``at_most``."""
    worst = 0.0
    for behaviour in behaviours:
        for names in (OUTPUTS, None):  # most defects differ in outputs, which cost less
            worst = max(worst, _distance(group, behaviour, names))
            if worst > at_most:
                return None
    return worst


def may_match(group: Group, behaviour: Behaviour) -> bool:
    """Whether ``group`` may behave so in a case with random dropout.

    Both drop something, or neither does; and if they drop the same, all results are the same, but
    for a little more rounding noise than there is without dropout.
    """
    implementation = _implementation(group)
    observation = None if implementation is None else run(implementation, behaviour.case)
    if observation is None:
        return True
    drops = Behaviour(behaviour.case, observation).documented_outputs > MATCH
    if drops != (behaviour.documented_outputs > MATCH):
        return False
    values = {name: tensor.values for name, tensor in observation.tensors.items()}
    return behaviour.distance(values, OUTPUTS) > MATCH or behaviour.distance(values) <= SEPARATION


def none_hides_another(group: Group, behaviours: Sequence[Behaviour]) -> bool:
    """Whether no defect of ``group`` alone is wrong where the results are right.

    If one is, the others hide it there by the way they are written, and do not explain it.
    """
    right = [b for b in behaviours if b.documented <= MATCH]
    return all(matches((defect,), right) is not None for defect in group)


def filtered(groups: Iterable[Group], behaviours: Sequence[Behaviour]) -> tuple[list[Group], float]:
    """The groups that match all behaviours, and their largest distance."""
    orders: dict[Defect, list[Behaviour]] = {}

    def ordered(group: Group) -> Sequence[Behaviour]:
        """Those first that the first defect alone does not explain: most pairs end there."""
        first, *others = group
        if not others:
            return behaviours
        if first not in orders:
            orders[first] = sorted(behaviours, key=lambda b: matches((first,), [b]) is not None)
        return orders[first]

    matched = {group: matches(group, ordered(group)) for group in groups}
    found = {group: ratio for group, ratio in matched.items() if ratio is not None}
    return list(found), max(found.values(), default=0.0)


def pairs(defects: list[Defect], behaviours: list[Behaviour]) -> list[Group]:
    """Pairs of a defect that alone explains one of the behaviours, and any other defect.

    In some cases only one of two defects shows: without initial states, for example.
    """
    small = [b for b in behaviours if not b.is_large]
    wrong = [b for b in small if SEPARATION < b.documented < math.inf][:_WRONG]
    if not wrong:
        return []
    explaining = [
        d
        for d in defects
        if any(matches((d,), [b]) is not None for b in wrong)
        or (wrong[0].documented_outputs > MATCH >= _distance((d,), wrong[0], OUTPUTS))
    ]
    firsts = explaining[:_EXPLAIN]
    return [(d, o) for k, d in enumerate(firsts) for o in defects if o not in firsts[: k + 1]]
