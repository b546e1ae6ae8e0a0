"""One run: what is judged, how, by which tests, and where their outcomes come together."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from ...reports.results import AskedResult, Results, ShardResult
from ...reports.writing import write_results
from ...spec.clauses import must_hold
from ...spec.clean_text import clean_text
from ..failures.diagnosis import Diagnostician
from ..failures.explanation import failure_in_brief
from ..failures.failure import Failure
from ..judging.comparison import THRESHOLD
from ..judging.known_deviations import Deviation, of_version
from ..searching.checker import Checker
from ..searching.settings import Settings
from .collector import Collector
from .construction import Judged, construct
from .environment import environment
from .isolated_judge import IsolatedJudge
from .options import Options
from .plainest_case import require_plainest_case
from .plan import Plan, make_plan, settings_of
from .progress import Progress, ProgressShown
from .shards import Shard

__all__ = ["JudgingSession", "asked_result"]


class JudgingSession:
    """One run.

    Args:
        judged: the implementation.
        settings: how cases are drawn and judged.
        plan: which tests are run.
        collector: of their outcomes.
        progress: shows which test begins, and failures as they are found; None for nothing.
        diagnoses: whether failures are diagnosed.
    """

    def __init__(
        self,
        judged: Judged,
        settings: Settings,
        plan: Plan,
        collector: Collector,
        progress: ProgressShown | None = None,
        diagnoses: bool = True,
    ) -> None:
        self.judged = judged
        self.settings = settings
        self.plan = plan
        self.collector = collector
        self.diagnostician = Diagnostician(judged.implementation)
        self._progress = progress
        self._diagnoses = diagnoses

    @classmethod
    def of_options(
        cls,
        options: Options,
        processes: int = 1,
        end: float | None = None,
        clock: Callable[[], float] = time.time,
        write: Callable[[Results], None] | None = None,
        make: Callable[[Options], Judged] = construct,
        deviations: tuple[Deviation, ...] = (),
        progress: ProgressShown | None = None,
    ) -> JudgingSession:
        """The run that ``options`` ask for.

        Args:
            options: that were asked for.
            processes: number of processes that run tests at once.
            end: when time is over, if it began in another process.
            clock: in seconds, the same in all processes.
            write: takes the results; by default they are written to the file in ``options``.
            make: makes the implementation.
            deviations: known deviations, besides those of the file in ``options``.
            progress: shows how far the run has come; by default a bar, if ``options`` ask for it.

        Raises:
            UsageError: one of the options makes no sense.
        """
        settings = settings_of(options, ())  # files are read before the target is imported
        settings = replace(settings, deviations=settings.deviations + deviations)
        judged = make(options)
        implementation = judged.implementation
        known = of_version(settings.deviations, implementation.name, implementation.version)
        settings = replace(settings, devices=judged.devices, deviations=known)
        asked = asked_result(options, judged, settings)
        plan = make_plan(options, asked, processes, end, clock=clock)
        if progress is None and options.progress:
            progress = Progress(sys.stderr)
        if write is None and options.json is not None:
            write = partial(write_results, options.json)
        diagnoses = not options.no_diagnosis
        collector = Collector(asked, plan, write, progress, judged.process, clock, diagnoses)
        return cls(judged, settings, plan, collector, progress, diagnoses)

    def require_plainest_case(self) -> None:
        """Tries the plainest case before anything is judged.

        Raises:
            UsageError: it raises an exception, so nothing can be judged.
        """
        require_plainest_case(self.judged, self.settings)

    def checker(self, test: str, clauses: tuple[str, ...]) -> Checker:
        """The checker of one test, which begins now.

        If the time of the run is over, it raises :class:`.NotReached` instead of judging a case.

        Args:
            test: its name, with its file.
            clauses: that it is marked with.
        """
        name = test.partition(".")[2]
        judge = None
        if self.judged.process is not None and self.judged.isolated is not None:
            isolated = self.judged.isolated
            judge = IsolatedJudge(isolated, self.judged.process, self.settings, name)
        implementation = self.judged.implementation
        more: dict[str, Any] = {}
        if self._progress is not None:
            self._progress.begin(test)
            more["tell"] = self._tell
        budget = self.plan.budget
        if budget is not None and test in self.plan.tests:
            more["is_late"] = budget.is_over()
            more["out_of_time"] = budget.begin(test)
        return Checker(implementation, self.settings, name, clauses, judge, **more)

    def _tell(self, clause: str, failure: Failure) -> None:
        asked = clause in self.plan.clauses  # a test may judge other clauses, too
        if self._progress is not None and asked and must_hold(clause, self.settings.strict):
            self._progress.found(clause, failure_in_brief(clause, failure.to_json()))

    def conclude(self, checker: Checker) -> None:
        """Judges failures again and diagnoses them, after a test has judged its cases."""
        failed = any(record.failures for record in checker.records.values())
        if failed and self._progress is not None:
            self._progress.begin("looking for the cause of a failure")
        checker.run_failures_again()
        if self._diagnoses:
            checker.diagnose(self.diagnostician)


def asked_result(options: Options, judged: Judged, settings: Settings) -> AskedResult:
    """What is judged and how: the part of results that is known before any test runs."""
    implementation, here = judged.implementation, environment()
    if judged.isolated is not None:
        here["packages"] = {**judged.isolated.packages, **here["packages"]}
    return {
        "implementation": {
            "name": clean_text(implementation.name),
            "version": clean_text(implementation.version),
            "target": judged.target,
            "capabilities": sorted(implementation.capabilities),
            "undeclared": [],
        },
        "environment": here,
        "seed": settings.seed,
        "profile": settings.profile.name,
        "dtypes": list(settings.dtypes),
        "devices": list(settings.devices),
        "missing_devices": judged.missing_devices,
        "working_precision": settings.products,
        "kinds": sorted(options.kinds),
        "strict": settings.strict,
        "required": sorted(settings.required),
        "without": sorted(options.without),
        "sizes": [str(sizes) for sizes in settings.sizes],
        "case": None if settings.case is None else str(settings.case),
        "shard": _shard(options.shard),
        "threshold": THRESHOLD,
        "deviations": [deviation.to_json() for deviation in settings.deviations],
    }


def _shard(text: str | None) -> ShardResult | None:
    if text is None:
        return None
    shard = Shard.parse(text)
    return {"index": shard.index, "count": shard.count}
