"""Whether the gate would pass for published results, by today's clauses and known deviations."""

from __future__ import annotations

from collections.abc import Sequence

from lstm_conformance.reports.results import ClauseResult, Results
from lstm_conformance.runner.judging.known_deviations import Deviation, applying, of_version
from lstm_conformance.runner.session.clause_verdict import left_out_for_a_reason, lets_pass
from lstm_conformance.spec.case import Case
from lstm_conformance.spec.clauses import TESTABLE, must_hold
from lstm_conformance.spec.verdicts import BROKEN, WAIVED

__all__ = ["obstacles"]


def obstacles(results: Results, known: Sequence[Deviation]) -> list[str]:
    """The clauses for which the gate does not pass today; empty if it passes.

    A clause may have become a MUST after it was judged, and a known deviation may have been added
    or removed. Clauses that the results lack are no obstacles.

    Args:
        results: of a run that may be older than the clauses, or than the known deviations.
        known: the known deviations of the implementation.

    Raises:
        UsageError: there is a condition on the version, and the version is none of PEP 440.
    """
    implementation = results["implementation"]
    of_this = of_version(known, implementation["name"], implementation["version"])
    return [clause["id"] for clause in results["clauses"] if not _passes(clause, of_this)]


def _passes(clause: ClauseResult, known: Sequence[Deviation]) -> bool:
    verdict = clause["verdict"]
    if verdict in (*BROKEN, WAIVED):
        verdict = WAIVED if _is_known(clause, known) else "fail"
    required = clause["id"] not in TESTABLE or must_hold(clause["id"], strict=False)
    return lets_pass(verdict, required, left_out_for_a_reason(clause))


def _is_known(clause: ClauseResult, known: Sequence[Deviation]) -> bool:
    """Whether a known deviation covers the case that the results show.

    Some older results show no case of what was waived. Where a test broke off outside of a case,
    only a deviation without conditions covers it, as in a run.
    """
    if clause["failure"] is not None:
        return applying(known, clause["id"], Case.parse(clause["failure"]["case"])) is not None
    naming = [deviation for deviation in known if clause["id"] in deviation.clauses]
    return any(clause["verdict"] == WAIVED or not deviation.when for deviation in naming)
