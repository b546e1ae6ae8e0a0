"""The rule that decides the verdict on a clause, and whether the gate passes."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ...reports.results import ClauseResult
from ...spec.out_of_memory import lacked_memory
from ...spec.verdicts import (
    ERROR,
    FAIL,
    INCONCLUSIVE,
    NOT_TESTED,
    PASS,
    UNSUPPORTED,
    WAIVED,
    Verdict,
)

__all__ = ["clause_verdict", "left_out_for_a_reason", "lets_pass"]


def clause_verdict(
    counts: Mapping[Verdict, int],
    failures: Collection[Verdict] = (),
    *,
    broken_off: bool = False,
    known_to_fail: bool = False,
    unseen: bool = False,
    gone: bool = False,
    out_of_memory: bool = False,
) -> Verdict:
    """The verdict on one clause.

    Args:
        counts: verdict to the number of cases, of all tests of the clause.
        failures: verdicts of the failures that are no known deviations: ``fail`` or ``error``.
        broken_off: whether a test of the clause crashed, or raised an error outside of a case.
        known_to_fail: whether a known deviation without conditions names the clause.
        unseen: whether a test of the clause was not reached or was cut short.
        gone: whether a known deviation names the clause, and no case failed as it says.
        out_of_memory: whether memory was not enough for a case.

    Returns:
        The first of these that applies:

        * ``fail`` or ``error`` if a case did,
        * ``waived`` or ``error`` if a test broke off, which no case shows,
        * ``not tested`` if memory was not enough for a case, so that nobody takes it for a pass,
        * ``waived`` if a case was,
        * ``pass`` if a case did, but ``error`` if a known deviation is gone,
        * ``inconclusive`` if a case was,
        * ``unsupported`` if all cases were, and every test was seen to its end,
        * ``not tested``.
    """
    for verdict in (FAIL, ERROR):
        if verdict in failures:
            return verdict
    if broken_off:
        return WAIVED if known_to_fail else ERROR
    if out_of_memory:
        return NOT_TESTED
    if counts.get(WAIVED):
        return WAIVED
    if counts.get(PASS):
        return ERROR if gone else PASS
    if counts.get(INCONCLUSIVE):
        return INCONCLUSIVE
    # A test that was not seen to its end may have had a supported case.
    return UNSUPPORTED if counts.get(UNSUPPORTED) and not unseen else NOT_TESTED


def left_out_for_a_reason(clause: ClauseResult) -> bool:
    """Whether cases of a clause were drawn, and left out for reasons that do not hinder the gate.

    A run that lacked memory can be repeated with more of it.
    """
    return bool(clause["counts"] and clause["reasons"]) and not lacked_memory(clause["reasons"])


def lets_pass(verdict: Verdict, must_hold: bool, left_out_for_a_reason: bool) -> bool:
    """Whether the gate can pass with this verdict on a clause.

    Args:
        verdict: on the clause.
        must_hold: whether the clause has to hold.
        left_out_for_a_reason: see :func:`left_out_for_a_reason`. A clause of which no case was ever
            drawn is an obstacle.
    """
    if verdict == NOT_TESTED:
        return left_out_for_a_reason
    return not must_hold or verdict in (PASS, UNSUPPORTED, WAIVED)
