"""Which sizes were visited, and why the others were not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product

from ...reports.results import AskedResult, SizesResult
from ...spec.sizes import AXES, CLASSES, LADDERS, Sizes, of_classes, pairs, parse_sizes
from ..searching.profiles import PROFILES
from ..searching.record import Record
from ..searching.sized_cases import sizes_together

__all__ = ["size_coverage"]

# The clauses that visit sizes: each axis alone, and pairs of them.
_ALONE, _TOGETHER = "SIZE-1", "SIZE-3"


def size_coverage(
    asked: AskedResult,
    clauses: tuple[str, ...],
    records: Mapping[str, Record],
    not_reached: str,
) -> SizesResult:
    """The part ``coverage.sizes`` of results.

    Args:
        asked: what was judged and how.
        clauses: ids of those that were asked for.
        records: clause to the sum of its records in all tests.
        not_reached: the reason why a test was not reached.
    """
    found = {
        parse_sizes(text): reason
        for clause in (_ALONE, _TOGETHER)
        if clause in records
        for text, reason in records[clause].sizes.items()
    }
    visited = [sizes for sizes, reason in found.items() if not reason]
    of_axis = {name: sorted({getattr(s, name) for s in visited} - {0}) for name in AXES}
    numbers = {pair: _numbers(pair, visited) for pair in pairs()}

    by_reason: dict[str, list[str]] = {}
    usual = _usual_reasons(asked, clauses, not_reached)
    for name, steps in LADDERS.items():
        lacking = {getattr(s, name): r for s, r in found.items() if r}
        for size in steps:
            if size not in of_axis[name]:
                reason = lacking.get(size) or usual[_ALONE]
                by_reason.setdefault(reason, []).append(f"{name}={size}")
    _, too_large = sizes_together(PROFILES[asked["profile"]].work_limit)
    for (one, other), table in numbers.items():
        for k, m in product(range(len(CLASSES)), repeat=2):
            if not table[k][m]:
                text = f"{one} {CLASSES[k]} and {other} {CLASSES[m]}"
                by_reason.setdefault(too_large.get(text, usual[_TOGETHER]), []).append(text)
    return {
        "classes": list(CLASSES),
        "visited": of_axis,
        "pairs": [{"axes": [*pair], "cases": table} for pair, table in numbers.items()],
        "left_out": [{"reason": reason, "sizes": texts} for reason, texts in by_reason.items()],
    }


def _usual_reasons(
    asked: AskedResult, clauses: tuple[str, ...], not_reached: str
) -> dict[str, str]:
    """Why sizes that were never tried were left out, by the clause that visits them."""
    profile = PROFILES[asked["profile"]]
    reasons = {}
    for clause, everything in ((_ALONE, profile.every_size), (_TOGETHER, profile.work_limit > 0)):
        reason = not_reached if everything else f"profile {profile.name} visits fewer sizes"
        if asked["shard"] is not None:
            reason = "another shard may visit it"
        if asked["case"] is not None or clause not in clauses:
            reason = "not asked for"
        reasons[clause] = reason
    return reasons


def _numbers(pair: tuple[str, str], visited: Iterable[Sizes]) -> list[list[int]]:
    """How many of ``visited`` have each pair of classes of the two axes."""
    one, other = pair
    table = [[0] * len(CLASSES) for _ in CLASSES]
    for sizes in visited:
        classes = of_classes(sizes)
        if one in classes and other in classes:
            table[classes[one]][classes[other]] += 1
    return table
