"""``--isolate``: every case is judged in a process that may crash or hang without harm."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from ...spec.case import Case
from ...spec.contract import Implementation
from ...spec.verdicts import ERROR, WAIVED
from ..failures.diagnosis import Diagnostician
from ..failures.failure import Failure
from ..judging.rules import Rule
from ..processes.child_process import Limits, ProcessFailed, Worker
from ..searching.checker import Checker, Search, Settings
from ..searching.record import Record

__all__ = ["IsolatedChecker", "worker"]

# A diagnosis looks at many cases.
_DIAGNOSIS_SECONDS = 300.0


def worker(option: Namespace, target: str, limits: Limits) -> Worker:
    """A process that judges cases with the same options.

    Args:
        option: of the pytest plugin.
        target: what is judged.
        limits: of time and memory.
    """
    plain = {name: value for name, value in vars(option).items() if name.startswith("lstm_")}
    plain.update(lstm_json=None, lstm_progress=False, lstm_isolate=False, lstm_examples=None)
    plain.update(lstm_shard=None, lstm_max_time=None, lstm_resume=None)  # it is told each case
    greeting = {"options": {name: _plain(value) for name, value in plain.items()}, "target": target}
    return Worker([sys.executable, "-m", f"{__package__}.isolated_process"], limits, greeting)


def _plain(value: Any) -> Any:
    return value if isinstance(value, (list, int, float, str, type(None))) else str(value)


class IsolatedChecker(Checker):
    """Draws cases as its base class does, and has them judged elsewhere.

    Args:
        process: that judges.
    """

    def __init__(
        self,
        implementation: Implementation,
        settings: Settings,
        test: str,
        clauses: Iterable[str],
        process: Worker,
    ) -> None:
        super().__init__(implementation, settings, test, clauses)
        self._process = process

    def _examine(self, case: Case, rules: dict[str, Rule], seen: Search) -> bool:
        counts = not seen.smallest
        seen.shrunk += not counts
        try:
            records = self._judge(case, tuple(rules))
        except ProcessFailed as failed:
            seen.process_broke()
            records = [self._unanswered(clause, case, failed, counts) for clause in rules]
        holds = True
        for found in records:
            if counts:
                self.records[found.clause].add(found)
            for failure in found.failures:
                seen.add(found.clause, case, partial(_first_found_as, failure), None)
                holds = False
            for failure in found.waived:
                seen.add(found.clause, case, partial(_first_found_as, failure), None, waived=True)
        return holds

    def _unanswered(self, clause: str, case: Case, failed: ProcessFailed, counts: bool) -> Record:
        record = Record(clause)
        failure = Failure(ERROR, str(case), str(case), exception=str(failed))
        known = self._is_known(clause, case, ERROR, counts)
        record.count(WAIVED if known else ERROR)
        (record.waived if known else record.failures).append(failure)
        return record

    def _judge(self, case: Case, clauses: tuple[str, ...], **more: Any) -> list[Record]:
        message = {"test": self._test, "clauses": clauses, "case": str(case), **more}
        answer = self._process.ask(message, _DIAGNOSIS_SECONDS if more else None)
        if "changed" in answer:
            self._process.stop()  # the next case shall not be judged in such a process
            raise ProcessFailed(f"the process was changed: {', '.join(answer['changed'])}")
        if "error" in answer:
            raise ProcessFailed(f"judging raised {answer['error']}")
        try:
            return [Record.of_json(record) for record in answer["records"]]
        except (KeyError, TypeError, AttributeError) as error:
            raise ProcessFailed(f"the process answered nonsense: {error}") from error

    def diagnose(self, diagnostician: Diagnostician, clause: str) -> None:
        """As the base class does, in the process."""
        failures = self.records[clause].failures
        smallest = min(failures, key=lambda failure: failure.size)
        if smallest.verdict == ERROR:  # it would crash or hang again
            return
        with suppress(ProcessFailed):
            (record,) = self._judge(Case.parse(smallest.case), (clause,), diagnose=True)
            for failure in record.failures:
                found = replace(smallest, diagnosis=failure.diagnosis)
                failures[failures.index(smallest)] = found


def _first_found_as(failure: Failure, first_case: str) -> Failure:
    return replace(failure, first_case=first_case)
