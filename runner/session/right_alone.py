"""Failures that depend on earlier calls. In the process where they came up, nothing shows that."""

from __future__ import annotations

from dataclasses import replace

from ...spec.case import Case
from ...spec.clauses import TESTABLE, must_hold, root_causes
from ...spec.verdicts import PASS
from ..failures.failure import Diagnosis, Failure
from ..processes.child_process import ChildProcess, ProcessFailed
from ..searching.record import Record
from .isolated_judge import ask_for_records
from .outcomes import Outcomes
from .results_builder import smallest

__all__ = ["note_right_alone"]

# A process takes seconds to start. So many failing cases are judged alone in a new one, for no more
# than so many seconds each: one that hung may hang again.
_MOST, _SECONDS = 3, 20.0

_TEXT = (
    "Right as the first case of a new process: it depends on earlier calls, and the command that "
    "repeats it may pass."
)


def note_right_alone(outcomes: Outcomes, process: ChildProcess, strict: bool) -> None:
    """Adds to the diagnoses which cases are right if no other case comes before them.

    The smallest failures of the first causes are tried, if no known mistake explains them.

    Args:
        outcomes: of all tests. Their failures get the diagnosis.
        process: that runs :mod:`.isolated_process`.
        strict: whether clauses that are only recommended have to hold.
    """
    broken = {clause: r.failures for clause, r in outcomes.records.items() if r.failures}
    causes = [c for c in TESTABLE if c in root_causes({*broken}) and must_hold(c, strict)]
    unexplained = [c for c in causes if _is_unexplained(smallest(broken[c]))]
    for clause in unexplained[:_MOST]:
        failure = smallest(broken[clause])
        for test, record in _records_with(outcomes, clause, failure):
            if _is_right_alone(process, test, clause, failure):
                place = record.failures.index(failure)
                record.failures[place] = replace(failure, diagnosis=_explained(failure))
                break


def _is_unexplained(failure: Failure) -> bool:
    """Whether a case failed each time, and no known mistake explains that."""
    known = failure.diagnosis
    return failure.failed_runs == failure.runs and not (known is not None and known.defects)


def _records_with(outcomes: Outcomes, clause: str, failure: Failure) -> list[tuple[str, Record]]:
    """Names of the tests that have found ``failure``, with their records."""
    return [
        (test, record)
        for test, outcome in outcomes.by_test.items()
        for record in outcome.records
        if record.clause == clause and failure in record.failures
    ]


def _is_right_alone(process: ChildProcess, test: str, clause: str, failure: Failure) -> bool:
    """Whether the case is right in a new process; False if it gives no answer."""
    process.stop()  # the next question starts it again
    try:
        name, case = test.partition(".")[2], Case.parse(failure.case)
        (record,) = ask_for_records(process, name, case, (clause,), seconds=_SECONDS)
    except ProcessFailed:
        return False
    finally:
        process.stop()
    return record.verdicts == {PASS: 1}


def _explained(failure: Failure) -> Diagnosis:
    known = failure.diagnosis
    return Diagnosis(_TEXT) if known is None else replace(known, text=f"{_TEXT} {known.text}")
