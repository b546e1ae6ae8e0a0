"""``--isolate``: has every case run in another process, which may crash or hang without harm.

What comes back is judged here. Only rules that use a torch module by hand judge in that process.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import get_args

from ...reports.results import RecordResult
from ...spec.case import Case
from ...spec.clauses import CLAUSES
from ...spec.verdicts import BROKEN, ERROR, PASS, WAIVED, Verdict
from ..failures.diagnosis import Diagnostician, Evidence
from ..failures.failure import Failure
from ..judging.rules import Rule
from ..processes.child_process import ChildProcess, ProcessFailed
from ..searching.case_judge import CaseJudge, CaseOutcome, count_known
from ..searching.record import Record
from ..searching.settings import Settings
from .isolated_implementation import ELSEWHERE, IsolatedImplementation

__all__ = ["IsolatedJudge", "ask_for_records"]

# A diagnosis runs many cases.
_DIAGNOSIS_SECONDS = 300.0

# Some tests have several rules, and that process judges the case by each of them.
_MOST_RULES = 8


class IsolatedJudge:
    """Judges the cases of one test, and has them run in another process.

    Args:
        implementation: in that process.
        process: that runs :mod:`.isolated_process`.
        settings: how cases are judged.
        test: name of the test.
    """

    def __init__(
        self,
        implementation: IsolatedImplementation,
        process: ChildProcess,
        settings: Settings,
        test: str,
    ) -> None:
        self._implementation = implementation
        self._process = process
        self._settings = settings
        self._test = test
        self._here = CaseJudge(implementation, settings)

    def prepare(self, cases: Sequence[Case]) -> None:
        """See :class:`~lstm_conformance.runner.searching.case_judge.Judge`."""
        self._here.prepare(cases)

    def judge(self, case: Case, rules: dict[str, Rule]) -> CaseOutcome:
        """See :class:`~lstm_conformance.runner.searching.case_judge.Judge`."""
        here = {c: rule for c, rule in rules.items() if not self._is_by_hand(c)}
        there = tuple(clause for clause in rules if clause not in here)
        outcome = CaseOutcome([])
        if here:
            self._implementation.bench_was_asked = False
            outcome = self._here.judge(case, here)
            if self._implementation.bench_was_asked:
                # Such a rule judges something, or one more thing, in the other process.
                again = [r for r in outcome.records if PASS in r.verdicts or ELSEWHERE in r.reasons]
                there += tuple(record.clause for record in again)
                kept = [record for record in outcome.records if record not in again]
                outcome = replace(outcome, records=kept)
        if not there:
            return outcome
        try:
            records = ask_for_records(self._process, self._test, case, there)
            return replace(outcome, records=outcome.records + records)
        except ProcessFailed as failed:
            records = [self._unanswered(clause, case, failed) for clause in there]
            return replace(outcome, records=outcome.records + records, broke_process=True)

    def diagnose(
        self,
        diagnostician: Diagnostician,
        clause: str,
        failure: Failure,
        evidence: Sequence[Evidence],
    ) -> Failure:
        """See :class:`~lstm_conformance.runner.searching.case_judge.Judge`."""
        if evidence:
            return self._here.diagnose(diagnostician, clause, failure, evidence)
        if failure.verdict == ERROR:  # the process would crash or hang again
            return failure
        with suppress(ProcessFailed):
            case = Case.parse(failure.case)
            (record,) = ask_for_records(
                *(self._process, self._test, case, (clause,)),
                diagnose=True,
                seconds=_DIAGNOSIS_SECONDS,
            )
            for found in record.failures:
                return replace(failure, diagnosis=found.diagnosis, ratio_map=found.ratio_map)
        return failure

    def _is_by_hand(self, clause: str) -> bool:
        """Whether the rule of ``clause`` needs the module itself, which is in the other process."""
        return "module" in self._implementation.capabilities & {*CLAUSES[clause].needs}

    def _unanswered(self, clause: str, case: Case, failed: ProcessFailed) -> Record:
        record = Record(clause)
        failure = Failure(ERROR, str(case), str(case), exception=str(failed))
        known = count_known(record, case, ERROR, self._settings)
        record.count(WAIVED if known else ERROR)
        (record.waived if known else record.failures).append(failure)
        return record


def ask_for_records(
    process: ChildProcess,
    test: str,
    case: Case,
    clauses: tuple[str, ...],
    *,
    diagnose: bool = False,
    seconds: float | None = None,
) -> list[Record]:
    """What another process finds out about each of ``clauses`` in ``case``.

    Args:
        process: that runs :mod:`.isolated_process`.
        test: name of the test of the clauses.
        case: that is judged.
        clauses: their ids.
        diagnose: whether failures are diagnosed there.
        seconds: that the answer may take; by default those of the limits of the process.

    Raises:
        ProcessFailed: it gave no answer, or one that cannot be used.
    """
    message = {"test": test, "clauses": clauses, "case": str(case), "diagnose": diagnose}
    answer = process.ask(message, seconds)
    if "changed" in answer:
        # The next case must not be judged in a changed process.
        raise process.failed(f"was changed: {', '.join(answer['changed'])}")
    if "error" in answer:
        raise ProcessFailed(f"judging raised {answer['error']}")
    try:
        return _read(answer["records"], case, clauses)
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise process.failed(f"answered nonsense: {error}") from error


def _read(plain: list[RecordResult], case: Case, clauses: tuple[str, ...]) -> list[Record]:
    """The records of an answer.

    Raises:
        ValueError: they are not about one case of each of ``clauses``.
    """
    records = [Record.from_json(record) for record in plain]
    if tuple(record.clause for record in records) != clauses:
        raise ValueError("the records are of other clauses")
    for record in records:
        failures = [*record.failures, *record.waived]
        counts = record.verdicts
        if not {*counts} <= {*get_args(Verdict)} or not 1 <= record.cases <= _MOST_RULES:
            raise ValueError(f"{counts} are no verdicts on one case")
        if any(verdict in counts for verdict in BROKEN) != bool(record.failures):
            raise ValueError(f"{counts} with {len(record.failures)} failures")
        if any(failure.case != str(case) for failure in failures):
            raise ValueError("the failure is of another case")
    return records
