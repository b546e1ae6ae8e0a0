"""One judgement from its options to its results."""

from __future__ import annotations

import shlex
import signal
import sys
import time
from argparse import Namespace
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ...adapters import REGISTRY
from ...adapters.target import TargetError, load, target_text
from ...adapters.without import Without
from ...reports.escaping import one_line
from ...reports.reading import ResultsError, read_results
from ...reports.writing import write_results
from ...spec.capabilities import CAPABILITIES
from ...spec.case import Case
from ...spec.clauses import TESTABLE
from ...spec.contract import Implementation
from ...spec.precision import PRECISIONS
from ...spec.usage_error import UsageError
from ..failures.diagnosis import Diagnostician
from ..judging.known_deviations import Deviation, KnownDeviationsError, read_known_deviations
from ..processes.child_process import Limits, ProcessFailed, Worker
from ..searching.checker import Checker, Settings
from ..searching.example_database import ExamplesError, open_examples
from ..searching.profiles import PROFILES
from ..searching.record import Record
from .budget import Budget, most_telling_first, seconds_of
from .environment import environment
from .isolated_checker import IsolatedChecker, worker
from .progress import Progress
from .results_builder import Tally, excused
from .same_run import differing, parts_of
from .shards import Shard
from .suite import judging_tests
from .test_outcome import CUT_SHORT, FINISHED, NOT_REACHED, Part
from .undeclared import PROBES

__all__ = ["JudgingSession"]

# Clauses by which a given case is judged unless others are named.
_OF_A_CASE = ("COMB-1", "COMB-2")


class JudgingSession:
    """What is judged, how, and what came of it.

    Args:
        target: text of the target.
        implementation: what it names.
        settings: how it is judged.
        clauses: ids of those that are judged.
        missing_devices: device to the reason why it cannot be used.
        json: where the results are to be written, if anywhere.
        progress: where progress is shown, if anywhere.
        process: to be asked what might end this one.
        apart: whether cases are judged there.
        without: capabilities that were taken away from the implementation.
        shard: the part of the tests that is run; None for all.
        max_time: seconds for the run; None for as many as it takes.
        clock: in seconds, that of all processes.

    Attributes:
        tests: names of those that are to be run, in their order, with the clauses that each
            judges; none if what is judged is one given case.
    """

    def __init__(
        self,
        target: str,
        implementation: Implementation,
        settings: Settings,
        clauses: tuple[str, ...],
        missing_devices: dict[str, str],
        json: Path | None,
        progress: Progress | None,
        process: Worker | None = None,
        apart: bool = False,
        without: frozenset[str] = frozenset(),
        shard: Shard | None = None,
        max_time: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.target = target
        self.implementation = implementation
        self.settings = settings
        self.clauses = clauses
        self._missing_devices = missing_devices
        self._without = without
        self._json = json
        self._progress = progress
        self._process = process
        self._apart = apart
        self._shard = shard
        self._max_time = max_time
        self._clock = clock
        self._start = clock()
        self._budget: Budget | None = None
        self._resumed: frozenset[str] = frozenset()
        self._cut_short: dict[str, Part] = {}
        self._earlier_seconds = 0.0
        self._complete: dict[str, Any] | None = None
        self.diagnostician = Diagnostician(implementation)
        self._tally = Tally(self._asked(), clauses)
        self._failed_tests = 0
        self.tests: dict[str, tuple[str, ...]] = {}

    @classmethod
    def of_options(cls, option: Namespace, target: str) -> JudgingSession:
        """From the options of the pytest plugin.

        Raises:
            UsageError: one of them makes no sense.
        """
        profile = _known("profile", option.lstm_profile, PROFILES)
        dtypes = tuple(option.lstm_dtype or PRECISIONS)
        clauses = tuple(option.lstm_clause or TESTABLE)
        for dtype in dtypes:
            _known("dtype", dtype, PRECISIONS)
        for clause in clauses:
            _known("clause", clause, TESTABLE)
        given_case = None
        if option.lstm_case is not None:
            try:
                given_case = Case.parse(option.lstm_case)
            except ValueError as error:
                raise UsageError(f"--case cannot be read: {error}.") from None
            clauses = tuple(option.lstm_clause or _OF_A_CASE)
        deviations: tuple[Deviation, ...] = ()
        if option.lstm_known_deviations:
            try:
                deviations = read_known_deviations(Path(option.lstm_known_deviations))
            except KnownDeviationsError as error:
                raise UsageError(str(error)) from None
        examples = None
        if option.lstm_examples:
            try:
                examples = open_examples(option.lstm_examples)
            except ExamplesError as error:
                raise UsageError(str(error)) from None
        json = Path(option.lstm_json) if option.lstm_json else None
        if json is not None and not json.parent.is_dir():
            raise UsageError(f"The results cannot be written: there is no folder {json.parent}.")
        without, required = (
            frozenset(option.lstm_without or ()),
            frozenset(option.lstm_require or ()),
        )
        for capability in without | required:
            _known("capability", capability, CAPABILITIES)
        shard = max_time = None
        try:
            if option.lstm_shard is not None:
                shard = Shard.parse(option.lstm_shard)
            if option.lstm_max_time is not None:
                max_time = seconds_of(option.lstm_max_time)
        except ValueError as error:
            raise UsageError(f"{error}.") from None
        limits = Limits(option.lstm_time_limit, option.lstm_memory_limit)
        try:
            implementation, text, apart = _implementation(option, target, limits)
        except TargetError as error:
            raise UsageError(str(error)) from None
        if without:
            implementation = Without(implementation, without)
        reasons = {
            device: _device_missing(implementation, device)
            for device in option.lstm_device or ["cpu"]
        }
        present = tuple(device for device, reason in reasons.items() if reason is None)
        return cls(
            text,
            implementation,
            Settings(
                profile,
                option.lstm_seed,
                dtypes,
                present,
                given_case,
                required,
                deviations,
                examples,
            ),
            tuple(clause for clause in TESTABLE if clause in clauses),
            {device: reason for device, reason in reasons.items() if reason is not None},
            json,
            Progress(sys.stderr) if option.lstm_progress else None,
            worker(option, target, limits),
            apart,
            without,
            shard,
            max_time,
        )

    def plan(
        self, resume: Path | None = None, processes: int = 1, end: float | None = None
    ) -> float | None:
        """Decides which tests are to be run, in which order, and in what time.

        Args:
            resume: results; what finished tests found out is taken over from them.
            processes: how many run tests at once.
            end: when time is over, by the clock; if None, as the options say.

        Returns:
            The end; None if there is none.

        Raises:
            UsageError: the results are of another run.
        """
        if self.settings.case is not None:
            return None
        tests = judging_tests(self.clauses, self.settings.profile)
        if self._shard is not None:
            mine = self._shard.tests(tests)
            tests = {name: clauses for name, clauses in tests.items() if name in mine}
        if resume is not None:
            self._resume(resume, tests)
        self._tally.expect(tests)
        self.tests = {n: clauses for n, clauses in tests.items() if n not in self._resumed}
        if self._progress is not None:
            self._progress.tests = len(self.tests)
        if self._max_time is not None:
            # What an earlier budget cut short has had cases.
            order = sorted(most_telling_first(self.tests), key=self._cut_short.__contains__)
            self.tests = {name: tests[name] for name in order}
            end = self._start + self._max_time if end is None else end
            self._budget = Budget(end, self.tests, processes, self._clock)
        return end

    def _resume(self, path: Path, tests: dict[str, tuple[str, ...]]) -> None:
        try:
            earlier = read_results(path)
        except ResultsError as error:
            raise UsageError(str(error)) from None
        difference = differing(earlier, self._asked())
        if difference:
            raise UsageError(
                f"{path} cannot be resumed: it differs from what is asked for in {difference}."
            )
        judged = {clause["id"] for clause in earlier["clauses"]}
        complete = "parts" not in earlier
        others = judged ^ {*self.clauses} if complete else set(earlier["parts"]) ^ set(tests)
        if others:
            raise UsageError(
                f"{path} cannot be resumed: it is of other clauses than are asked for, "
                f"as {one_line(min(others))} tells."
            )
        if complete and earlier["stopped"] is not None:
            raise UsageError(f"{path} cannot be resumed: an older lstm-conformance wrote it.")
        if complete:
            self._complete, self._resumed = earlier, frozenset(tests)
            return
        try:
            parts = parts_of(earlier, tests)
        except ValueError as error:
            raise UsageError(f"{path} is damaged: the test {error} cannot be so.") from None
        finished = {name: part for name, part in parts.items() if part.state == FINISHED}
        self._tally.parts.update(finished)
        self._resumed = frozenset(finished)
        self._cut_short = {name: part for name, part in parts.items() if part.state == CUT_SHORT}
        self._earlier_seconds = earlier["duration_seconds"]

    def is_over(self) -> bool:
        """Whether there is no time left, so that nothing more is to be begun."""
        return self._budget is not None and self._budget.is_over()

    def checker(self, test: str, clauses: tuple[str, ...]) -> Checker:
        """That judges cases for one test.

        Args:
            test: its name, with its file.
            clauses: that it names.
        """
        function = test.partition(".")[2]
        if self._process is None or not self._apart:
            checker = Checker(self.implementation, self.settings, function, clauses)
        else:
            checker = IsolatedChecker(
                self.implementation, self.settings, function, clauses, self._process
            )
        if self._budget is not None and test in self.tests:
            checker.out_of_time = self._budget.begin(test)
        return checker

    def add(
        self,
        test: str,
        clauses: tuple[str, ...],
        records: list[dict[str, Any]] | None,
        broken_off: str,
        seconds: float,
        cut_short: bool = False,
    ) -> None:
        """Takes in what one test found out; see :meth:`.Tally.add`. Records come as JSON."""
        read = None if records is None else [Record.of_json(record) for record in records]
        self._tally.add(test, clauses, read, broken_off, seconds, cut_short)
        self._failed_tests += bool(broken_off) or any(
            record.failures and not excused(record.clause) for record in read or ()
        )
        if self._progress is not None:
            cases = sum(record.cases for record in read or ())
            self._progress.advance(cases, self._failed_tests)

    def finish(self, interrupted: bool, max_failures: int) -> None:
        """Writes the results, if a file for them was named."""
        if self._progress is not None:
            self._progress.close()
        if self._json is None:
            return
        enough = 0 < max_failures <= self._failed_tests
        stopped = "max-failures" if enough else "interrupted" if interrupted else None
        if (
            stopped is None
            and self._budget is not None
            and self._tally.unfinished(CUT_SHORT, NOT_REACHED)
        ):
            stopped = "max-time"
        # An interrupt that is sent once more must not keep the results from being written.
        on_interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
        write_results(self._json, self.results(stopped))
        signal.signal(signal.SIGINT, on_interrupt)

    def results(self, stopped: str | None) -> dict[str, Any]:
        """The results, of the form that ``results.schema.json`` describes."""
        if self._complete is not None:
            return self._complete
        seconds = max(0.0, self._clock() - self._start)
        self._tally.keep(self._cut_short)
        results = self._tally.results(stopped, self._earlier_seconds + seconds)
        results["environment"] = environment()  # with what was imported in the meantime
        if stopped is None:
            results["implementation"]["undeclared"] = self._undeclared()
        return results

    def _asked(self) -> dict[str, Any]:
        """The part of the results that is known beforehand."""
        return {
            "implementation": {
                "name": self.implementation.name,
                "version": self.implementation.version,
                "target": self.target,
                "capabilities": sorted(self.implementation.capabilities),
                "undeclared": [],
            },
            "environment": environment(),
            "seed": self.settings.seed,
            "profile": self.settings.profile.name,
            "dtypes": list(self.settings.dtypes),
            "devices": list(self.settings.devices),
            "missing_devices": self._missing_devices,
            "required": sorted(self.settings.required),
            "without": sorted(self._without),
            "case": None if self.settings.case is None else str(self.settings.case),
            "shard": None if self._shard is None else asdict(self._shard),
            "deviations": [d.as_json() for d in self.settings.deviations],
        }

    def _undeclared(self) -> list[str]:
        """Capabilities that work, though they are not declared; looked for if all is judged."""
        missing = [name for name in PROBES if name not in self.implementation.capabilities]
        first = self._shard is None or self._shard.index == 1
        if self._process is None or len(self.clauses) < len(TESTABLE) or not first:
            return []
        found = []
        for name in missing:
            with suppress(ProcessFailed):
                if self._process.ask({"capability": name}).get("works") is True:
                    found.append(name)
        self._process.stop()
        return found


def _implementation(
    option: Namespace, target: str, limits: Limits
) -> tuple[Implementation, str, bool]:
    """What is judged, its text for reports, and whether its cases are judged in another process.

    Raises:
        TargetError: it cannot be judged.
    """
    if option.lstm_exec is not None or option.lstm_python is not None:
        try:
            from ..processes.program import Program, adapter_command
        except ModuleNotFoundError as error:
            raise TargetError(
                "Programs need safetensors, which is not installed: "
                "pip install 'lstm-conformance[programs]'."
            ) from error
        text = target_text(target, option.lstm_exec, option.lstm_python)
        if option.lstm_exec is not None:
            return Program(shlex.split(option.lstm_exec), limits), text, False
        command, environment = adapter_command(option.lstm_python, target)
        return Program(command, limits, environment), text, False
    adapter = REGISTRY.get(target)
    apart = option.lstm_isolate or (adapter is not None and adapter.isolated)
    return load(target), target, apart


def _device_missing(implementation: Implementation, device: str) -> str | None:
    """Why ``device`` cannot be used; None if it can."""
    asked = getattr(implementation, "device_missing", None)
    if asked is not None:
        reason: str | None = asked(device)
        return reason
    return None if device == "cpu" else f"{implementation.name} computes on the cpu only"


def _known(kind: str, name: str, table: dict[str, Any]) -> Any:
    if name not in table:
        raise UsageError(f"There is no {kind} {name!r}: choose from {', '.join(table)}.")
    return table[name]
