"""``--isolate``: has every case judged in another process, which may crash or hang without harm."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import cast

from ...reports.results import RecordResult
from ...spec.case import Case
from ...spec.verdicts import ERROR, WAIVED
from ..failures.diagnosis import Diagnostician, Evidence
from ..failures.failure import Failure
from ..judging.rules import Rule
from ..processes.child_process import ChildProcess, ProcessFailed
from ..searching.case_judge import CaseOutcome, count_known
from ..searching.record import Record
from ..searching.settings import Settings

__all__ = ["IsolatedJudge"]

# A diagnosis runs many cases.
_DIAGNOSIS_SECONDS = 300.0


class IsolatedJudge:
    """Judges the cases of one test in another process.

    Args:
        process: that runs :mod:`.isolated_process`.
        settings: how cases are judged.
        test: name of the test.
    """

    def __init__(self, process: ChildProcess, settings: Settings, test: str) -> None:
        self._process = process
        self._settings = settings
        self._test = test

    def prepare(self, cases: Sequence[Case]) -> None:
        """Nothing: each case is computed in the other process, on its own."""

    def judge(self, case: Case, rules: dict[str, Rule]) -> CaseOutcome:
        """See :class:`~lstm_conformance.runner.searching.case_judge.Judge`."""
        try:
            return CaseOutcome(self._ask(case, tuple(rules)))
        except ProcessFailed as failed:
            records = [self._unanswered(clause, case, failed) for clause in rules]
            return CaseOutcome(records, broke_process=True)

    def diagnose(
        self,
        diagnostician: Diagnostician,
        clause: str,
        failure: Failure,
        evidence: Sequence[Evidence],
    ) -> Failure:
        """See :class:`~lstm_conformance.runner.searching.case_judge.Judge`."""
        if failure.verdict == ERROR:  # the process would crash or hang again
            return failure
        with suppress(ProcessFailed):
            (record,) = self._ask(Case.parse(failure.case), (clause,), diagnose=True)
            for found in record.failures:
                return replace(failure, diagnosis=found.diagnosis)
        return failure

    def _unanswered(self, clause: str, case: Case, failed: ProcessFailed) -> Record:
        record = Record(clause)
        failure = Failure(ERROR, str(case), str(case), exception=str(failed))
        known = count_known(record, case, ERROR, self._settings)
        record.count(WAIVED if known else ERROR)
        (record.waived if known else record.failures).append(failure)
        return record

    def _ask(self, case: Case, clauses: tuple[str, ...], diagnose: bool = False) -> list[Record]:
        message = {"test": self._test, "clauses": clauses, "case": str(case), "diagnose": diagnose}
        answer = self._process.ask(message, _DIAGNOSIS_SECONDS if diagnose else None)
        if "changed" in answer:
            self._process.stop()  # the next case must not be judged in a changed process
            raise ProcessFailed(f"the process was changed: {', '.join(answer['changed'])}")
        if "error" in answer:
            raise ProcessFailed(f"judging raised {answer['error']}")
        try:
            return [Record.from_json(cast(RecordResult, plain)) for plain in answer["records"]]
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ProcessFailed(f"the process answered nonsense: {error}") from error
