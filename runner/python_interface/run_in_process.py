"""Runs the tests of the suite in this process, without pytest."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterable
from contextlib import AbstractContextManager
from functools import cached_property

from ...reports.results import Results
from ...spec.clean_text import clean_text
from ..judging.known_deviations import Deviation
from ..searching.checker import NotReached
from ..session.construction import Judged, construct, construct_here
from ..session.options import Options
from ..session.plan import asked_clauses
from ..session.progress import ProgressShown
from ..session.session import JudgingSession
from ..session.suite import Run, judging_runs
from ..session.test_outcome import NOT_REACHED
from .given_object import GivenObject
from .undisturbed_caller import undisturbed_caller

__all__ = ["RunInProcess"]


class RunInProcess:
    """The run that options ask for, in this process.

    Args:
        given: what is judged.
        options: that were asked for.
        deviations: known deviations besides those of a file.
        progress: shows how far the run has come; None for nothing.
        quiet: whether what the implementation prints is dropped.
    """

    def __init__(
        self,
        given: GivenObject,
        options: Options,
        deviations: tuple[Deviation, ...] = (),
        progress: ProgressShown | None = None,
        quiet: bool = True,
    ) -> None:
        self.given = given
        self.options = options.with_seed()
        self._deviations = deviations
        self._progress = progress
        self._quiet = quiet

    def undisturbed(self) -> AbstractContextManager[None]:
        """Inside, the implementation is used; see :func:`.undisturbed_caller`."""
        return undisturbed_caller(self._quiet)

    @cached_property
    def session(self) -> JudgingSession:
        """The run, made when it is first needed.

        Raises:
            UsageError: nothing can be judged.
        """
        session = JudgingSession.of_options(
            self.options,
            make=self._judged,
            deviations=self._deviations,
            progress=self._progress,
            write=self._written.append,
        )
        session.require_plainest_case()
        return session

    def _judged(self, options: Options) -> Judged:
        if self.given.make is None or options.isolate:
            return construct(options)
        return construct_here(options, self.given.make)

    @cached_property
    def _written(self) -> list[Results]:
        return []

    @cached_property
    def runs(self) -> dict[str, Run]:
        """Name of each test of the asked clauses to its run."""
        given_case = self.options.case is not None
        clauses = asked_clauses(self.options)
        return judging_runs(clauses, self.session.settings.profile, given_case)

    def judge_all(self) -> Results:
        """Runs the tests of the plan one after the other, and returns the results."""
        with self.undisturbed():
            session, most = self.session, self.options.max_failures
            try:
                for test in session.plan.tests:
                    if 0 < most <= session.collector.failed_tests:
                        break
                    self._judge(test)
                session.collector.finish(interrupted=False, max_failures=most)
            finally:
                if session.judged.process is not None:
                    session.judged.process.stop()
        (results,) = self._written
        return results

    def judge_clauses(self, clauses: Iterable[str]) -> Results:
        """The results of these clauses. Their tests are run, unless they were run before."""
        with self.undisturbed():
            wanted = set(clauses)
            outcomes = self.session.collector.outcomes
            for test, judged in self.session.plan.tests.items():
                if not wanted.isdisjoint(judged) and outcomes.of(test).state == NOT_REACHED:
                    self._judge(test)
            return self.session.collector.results_of(clauses)

    def _judge(self, test: str) -> None:
        session, run, why, start = self.session, self.runs[test], "", time.perf_counter()
        checker = session.checker(test, run.clauses)
        try:
            run.test(checker)
            session.conclude(checker)
        except KeyboardInterrupt:
            raise
        except NotReached:
            return
        # The implementation is used in cases, where its exceptions are verdicts. Others end a test
        # of pytest as well.
        except BaseException:
            why = clean_text(traceback.format_exc())
        records = list(checker.records.values())
        if any(record.failures for record in records):
            why = ""
        seconds = time.perf_counter() - start
        session.collector.add(test, run.clauses, records, why, seconds, checker.cut_short)
