"""Which parameter combinations were visited, and why the others were not."""

from __future__ import annotations

from collections.abc import Mapping

from ...reports.results import AskedResult, CombinationsResult
from ...spec.combinations import all_combinations
from ..searching.combination_groups import combination_groups
from ..searching.profiles import PROFILES
from ..searching.record import Record
from .outcomes import Outcomes

__all__ = ["combination_coverage"]

# The clause that visits the parameter combinations.
_VISITING = "COMB-1"


def combination_coverage(
    asked: AskedResult,
    clauses: tuple[str, ...],
    outcomes: Outcomes,
    records: Mapping[str, Record],
    not_reached: str,
) -> CombinationsResult:
    """The part ``coverage.combinations`` of results.

    Args:
        asked: what was judged and how.
        clauses: ids of those that were asked for.
        outcomes: of all tests.
        records: clause to the sum of its records in them.
        not_reached: the reason why a test was not reached.
    """
    record = records.get(_VISITING)
    visited: Mapping[str, str] = {} if record is None else record.combinations
    reasons = _reasons_without_a_visit(asked, clauses, outcomes, not_reached)
    by_reason: dict[str, list[str]] = {}
    for text, reason_without in reasons.items():
        reason = visited.get(text, reason_without)
        if reason:
            by_reason.setdefault(reason, []).append(text)
    return {
        "total": len(reasons),
        "visited": len(reasons) - sum(map(len, by_reason.values())),
        "left_out": [
            {"reason": reason, "combinations": texts} for reason, texts in by_reason.items()
        ],
    }


def _reasons_without_a_visit(
    asked: AskedResult, clauses: tuple[str, ...], outcomes: Outcomes, not_reached: str
) -> dict[str, str]:
    """Each combination to the reason why it was not visited, if it was not."""
    reasons = dict.fromkeys(map(str, all_combinations()), "profile smoke visits a covering array")
    if asked["case"] is not None or _VISITING not in clauses:
        return dict.fromkeys(reasons, "not asked for")
    tests = [test for test, o in outcomes.by_test.items() if _VISITING in o.clauses]
    groups = combination_groups(PROFILES[asked["profile"]].every_combination)
    for name, group in groups.items():
        mine = asked["shard"] is None or any(test.endswith(f"[{name}]") for test in tests)
        reason = not_reached if mine else "another shard visits it"
        reasons.update(dict.fromkeys(map(str, group), reason))
    return reasons
