"""Collects the outcomes of tests, in the process where all reports come together."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from ...reports.results import AskedResult, Results, Stopped
from ...spec.clauses import TESTABLE, must_hold
from ...spec.interrupts import was_interrupted
from ..processes.child_process import ChildProcess, ProcessFailed
from ..searching.record import Record
from .environment import environment, load_average
from .outcomes import Outcomes
from .plan import Plan
from .progress import ProgressShown
from .results_builder import build_results
from .right_alone import note_right_alone
from .test_outcome import CUT_SHORT, NOT_REACHED
from .undeclared import PROBES

__all__ = ["Collector"]


class Collector:
    """The outcomes of the tests of a run, and the results that are made of them.

    Args:
        asked: what is judged and how.
        plan: of the run.
        write: takes the results; None for nothing.
        progress: shows how far the run has come; None for nothing.
        process: that can be asked for undeclared capabilities, and whether a failing case is right
            alone; None if neither is looked for.
        clock: in seconds.
        diagnoses: whether failures are diagnosed.

    Attributes:
        outcomes: of all tests of the run.
        failed_tests: number of tests that have broken a clause that has to hold, or broke off.
    """

    def __init__(
        self,
        asked: AskedResult,
        plan: Plan,
        write: Callable[[Results], None] | None = None,
        progress: ProgressShown | None = None,
        process: ChildProcess | None = None,
        clock: Callable[[], float] = time.time,
        diagnoses: bool = True,
    ) -> None:
        self._asked = asked
        self._plan = plan
        self._write = write
        self._progress = progress
        self._process = process
        self._clock = clock
        self._diagnoses = diagnoses
        self._start = clock()
        self._load = load_average()
        self.failed_tests = 0
        self.outcomes = Outcomes(plan.tests, plan.finished)
        if progress is not None:
            progress.start(len(plan.tests))

    def add(
        self,
        test: str,
        clauses: tuple[str, ...],
        records: Iterable[Record] = (),
        broken_off: str = "",
        seconds: float = 0.0,
        cut_short: bool = False,
    ) -> None:
        """Adds a report of the test ``test``; see :meth:`.TestOutcome.add`."""
        if was_interrupted():  # the interrupt may be what failed
            return
        records = list(records)
        self.outcomes.of(test).add(clauses, records, broken_off, seconds, cut_short)
        # A test may judge clauses that were not asked for.
        asked = [record for record in records if record.clause in self._plan.clauses]
        self.failed_tests += bool(broken_off) or any(
            record.failures and must_hold(record.clause, self._asked["strict"]) for record in asked
        )
        if self._progress is not None:
            cases = sum(record.cases for record in records)
            self._progress.advance(cases, self.failed_tests)

    def finish(self, interrupted: bool, max_failures: int) -> None:
        """Writes the results, if anybody wants them.

        Args:
            interrupted: whether pytest ended before all tests were run.
            max_failures: number of failing tests after which it was to end; 0 for never.
        """
        if self._progress is not None:
            self._progress.close()
        if self._write is None:
            return
        stopped: Stopped | None = None
        if 0 < max_failures <= self.failed_tests:
            stopped = "max-failures"
        elif interrupted or was_interrupted():
            stopped = "interrupted"
        elif self.outcomes.in_state(CUT_SHORT, NOT_REACHED):
            # Each planned test has to report its own end. Only a budget may keep it from that.
            stopped = "interrupted" if self._plan.budget is None else "max-time"
        self._write(self.results(stopped))

    def results(self, stopped: Stopped | None) -> Results:
        """The results of what was judged so far.

        Args:
            stopped: why the run ended before everything was judged; None if it did not.
        """
        if self._plan.complete is not None:
            return self._plan.complete
        seconds = max(0.0, self._clock() - self._start)
        self.outcomes.keep_longer(self._plan.cut_short)
        duration = self._plan.earlier_seconds + seconds
        if self._process is not None and self._diagnoses and stopped in (None, "max-failures"):
            note_right_alone(self.outcomes, self._process, self._asked["strict"])
        results = build_results(self._asked, self._plan.clauses, self.outcomes, stopped, duration)
        # Packages may have been imported in the meantime.
        packages = self._asked["environment"]["packages"]
        now = environment()
        results["environment"] = {**now, "packages": {**packages, **now["packages"]}}
        load = load_average()
        if self._load is not None and load is not None:
            results["environment"]["load_average"] = {"start": self._load, "end": load}
        if stopped is None:
            results["implementation"] = {
                **results["implementation"],
                "undeclared": self._undeclared(),
            }
        return results

    def results_of(self, clauses: Iterable[str]) -> Results:
        """The results of some clauses, whose tests have ended while others may still run."""
        return build_results(self._asked, clauses, self.outcomes, None, 0.0)

    def _undeclared(self) -> list[str]:
        """Capabilities that work though they are not declared; none unless all is judged."""
        shard = self._asked["shard"]
        first = shard is None or shard["index"] == 1
        if self._process is None or len(self._plan.clauses) < len(TESTABLE) or not first:
            return []
        declared = self._asked["implementation"]["capabilities"]
        found = []
        for name in PROBES:
            if name not in declared:
                with suppress(ProcessFailed):
                    if self._process.ask({"capability": name}).get("works") is True:
                        found.append(name)
        self._process.stop()
        return found
