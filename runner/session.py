"""One judgement from its options to its results."""

from __future__ import annotations

import math
import platform
import shlex
import signal
import sys
import time
from argparse import Namespace
from contextlib import suppress
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .adapters import REGISTRY
from .checker import ERROR, NOT_TESTED, UNSUPPORTED, Checker, Failure, Record, Settings
from .diagnosis import Diagnostician
from .explain import explain
from .isolation import IsolatedChecker, worker
from .judge import FAIL, INCONCLUSIVE, PASS
from .known_deviations import Deviation, KnownDeviationsError, read_known_deviations
from .profiles import PROFILES
from .progress import Progress
from .results_file import write_results
from .spec.capabilities import CAPABILITIES
from .spec.case import Case
from .spec.clauses import CHAPTERS, TESTABLE, root_causes
from .spec.combinations import all_combinations
from .spec.contract import Implementation
from .spec.precision import PRECISIONS
from .target import TargetError, load
from .undeclared import PROBES
from .without import Without
from .worker import Limits, ProcessFailed, Worker

__all__ = [
    "SCHEMA_VERSION",
    "WAIVED",
    "JudgingSession",
    "UsageError",
    "environment",
    "failure_as_json",
    "with_known_deviation",
]

SCHEMA_VERSION = 1

# Clauses that visit parameter combinations: their records tell the coverage.
_VISITING = "COMB-1"

# Clauses by which a given case is judged unless others are named.
_OF_A_CASE = ("COMB-1", "COMB-2")

WAIVED = "waived"

# JSON has no infinity.
_LARGEST_RATIO = 1e99


class UsageError(Exception):
    """The question cannot be put; the message is one sentence for the user."""


class JudgingSession:
    """What is judged, how, and what came of it.

    Args:
        target: text of the target.
        implementation: what it names.
        settings: how it is judged.
        clauses: ids of those that are judged.
        missing_devices: device to the reason why it cannot be used.
        known: clause to its known deviation.
        json: where the results are to be written, if anywhere.
        progress: where progress is shown, if anywhere.
        process: to be asked what might end this one.
        apart: whether cases are judged there.
    """

    def __init__(
        self,
        target: str,
        implementation: Implementation,
        settings: Settings,
        clauses: tuple[str, ...],
        missing_devices: dict[str, str],
        known: dict[str, Deviation],
        json: Path | None,
        progress: Progress | None,
        process: Worker | None = None,
        apart: bool = False,
    ) -> None:
        self.target = target
        self.implementation = implementation
        self.settings = settings
        self.clauses = clauses
        self._missing_devices = missing_devices
        self.known = known
        self._json = json
        self._progress = progress
        self._process = process
        self._apart = apart
        self.diagnostician = Diagnostician(implementation)
        self._records: list[Record] = []
        self._broken_off: dict[str, str] = {}
        self._failed_tests = 0
        self._seconds: dict[str, float] = {}
        self._start = time.perf_counter()

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
        known = {}
        if option.lstm_known_deviations:
            try:
                known = read_known_deviations(Path(option.lstm_known_deviations))
            except KnownDeviationsError as error:
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
            Settings(profile, option.lstm_seed, dtypes, present, given_case, required),
            tuple(clause for clause in TESTABLE if clause in clauses),
            {device: reason for device, reason in reasons.items() if reason is not None},
            known,
            json,
            Progress(sys.stderr) if option.lstm_progress else None,
            worker(option, target, limits),
            apart,
        )

    def checker(self, test: str, clauses: tuple[str, ...]) -> Checker:
        """That judges cases for one test, which names ``clauses``."""
        if self._process is None or not self._apart:
            return Checker(self.implementation, self.settings, test, clauses)
        return IsolatedChecker(self.implementation, self.settings, test, clauses, self._process)

    def expect_tests(self, number: int) -> None:
        """How many tests there will be, for the progress bar."""
        if self._progress is not None:
            self._progress.tests = number

    def add(
        self,
        clauses: tuple[str, ...],
        records: list[dict[str, Any]] | None,
        broken_off: str,
        seconds: float,
    ) -> None:
        """Takes in what one test found out.

        Args:
            clauses: that the test judges.
            records: of the test, as JSON; None if it never got so far.
            broken_off: why it came to no verdict, if it did not: a crash, or an error in it.
            seconds: that it took.
        """
        chapter = TESTABLE[clauses[0]].chapter
        self._seconds[chapter] = self._seconds.get(chapter, 0.0) + seconds
        for record in records or ():
            self._records.append(Record.of_json(record))
        if broken_off:
            self._broken_off.update(dict.fromkeys(clauses, broken_off[-2000:]))
        self._failed_tests += bool(broken_off) or any(
            record["failures"] and not self.excuses(record["clause"]) for record in records or ()
        )
        if self._progress is not None:
            cases = sum(sum(record["verdicts"].values()) for record in records or ())
            self._progress.advance(cases, self._failed_tests)

    def excuses(self, clause: str) -> bool:
        """Whether the implementation may break ``clause``: knowingly, or since it is a SHOULD."""
        return clause in self.known or TESTABLE[clause].level == "SHOULD"

    def finish(self, interrupted: bool, max_failures: int) -> None:
        """Writes the results, if a file for them was named."""
        if self._progress is not None:
            self._progress.close()
        if self._json is None:
            return
        enough = 0 < max_failures <= self._failed_tests
        stopped = "max-failures" if enough else "interrupted" if interrupted else None
        # An interrupt that is sent once more must not keep the results from being written.
        on_interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
        write_results(self._json, self.results(stopped))
        signal.signal(signal.SIGINT, on_interrupt)

    def results(self, stopped: str | None) -> dict[str, Any]:
        """The results, of the form that ``results.schema.json`` describes."""
        clauses = [self._clause(clause_id) for clause_id in self.clauses]
        verdicts = {clause["verdict"] for clause in clauses}
        broken = {c["id"] for c in clauses if c["verdict"] in (FAIL, ERROR)}
        causes = root_causes(broken)
        for clause in clauses:
            clause["root_cause"] = clause["id"] in causes
        return {
            "schema_version": SCHEMA_VERSION,
            "conformant": (stopped is None and PASS in verdicts and all(map(_stands, clauses))),
            "stopped": stopped,
            "implementation": {
                "name": self.implementation.name,
                "version": self.implementation.version,
                "target": self.target,
                "capabilities": sorted(self.implementation.capabilities),
                "undeclared": [] if stopped else self._undeclared(),
            },
            "environment": environment(),
            "seed": self.settings.seed,
            "profile": self.settings.profile.name,
            "dtypes": list(self.settings.dtypes),
            "devices": list(self.settings.devices),
            "missing_devices": self._missing_devices,
            "clauses": clauses,
            "chapters": [
                {"id": c.id, "title": c.title, "seconds": round(self._seconds[c.id], 3)}
                for c in CHAPTERS.values()
                if c.id in self._seconds
            ],
            "tensors": self._tensors(),
            "coverage": {"combinations": self._combinations()},
            "duration_seconds": round(time.perf_counter() - self._start, 3),
            "time_in_tests_seconds": round(sum(self._seconds.values()), 3),
            "time_in_implementation_seconds": round(sum(r.seconds for r in self._records), 3),
        }

    def _clause(self, clause_id: str) -> dict[str, Any]:
        records = [record for record in self._records if record.clause == clause_id]
        counts = _summed(record.verdicts for record in records)
        reasons = _summed(record.reasons for record in records)
        failures = [failure for record in records for failure in record.failures]
        ratios = [r.worst_ratio for r in records if r.worst_ratio is not None]
        verdict = _verdict(counts, [failure.verdict for failure in failures])
        failure = None
        if failures:
            smallest = min(failures, key=lambda failure: failure.size)
            failure = failure_as_json(smallest)
            failure["explanation"] = explain(clause_id, failure, self.target)
        elif clause_id in self._broken_off:
            verdict = ERROR
            reasons = {self._broken_off[clause_id]: 1, **reasons}
        elif not records:
            reasons = {"not reached": 1}
        if clause_id in self.known:
            verdict, reason = with_known_deviation(self.known[clause_id], verdict)
            reasons = {**({reason: 1} if reason else {}), **reasons}
        clause = TESTABLE[clause_id]
        return {
            "id": clause.id,
            "chapter": clause.chapter,
            "level": clause.level,
            "title": clause.title,
            "text": clause.text,
            "equation": clause.equation,
            "source": clause.source,
            "verdict": verdict,
            "cases": sum(counts.values()) - counts.get(NOT_TESTED, 0),
            "counts": counts,
            "worst_ratio": min(max(ratios), _LARGEST_RATIO) if ratios else None,
            "reasons": reasons,
            "failure": failure,
        }

    def _undeclared(self) -> list[str]:
        """Capabilities that work, though they are not declared; looked for if all is judged."""
        missing = [name for name in PROBES if name not in self.implementation.capabilities]
        if self._process is None or len(self.clauses) < len(TESTABLE):
            return []
        found = []
        for name in missing:
            with suppress(ProcessFailed):
                if self._process.ask({"capability": name}).get("works") is True:
                    found.append(name)
        self._process.stop()
        return found

    def _tensors(self) -> list[dict[str, Any]]:
        seen: dict[str, tuple[int, float]] = {}
        for record in self._records:
            for kind, (cases, worst) in record.tensors.items():
                before, worst_before = seen.get(kind, (0, 0.0))
                seen[kind] = (before + cases, max(worst, worst_before))
        return [
            {
                "tensor": kind.split()[1],
                "dtype": kind.split()[0],
                "cases": cases,
                "worst_ratio": min(worst, _LARGEST_RATIO),
            }
            for kind, (cases, worst) in sorted(seen.items())
        ]

    def _combinations(self) -> dict[str, Any]:
        asked: dict[str, str] = {}
        for record in self._records:
            if record.clause == _VISITING:
                asked.update(record.combinations)
        why = "not reached"
        if self.settings.case is not None or _VISITING not in self.clauses:
            why = "not asked for"
        elif not self.settings.profile.every_combination:
            why = f"profile {self.settings.profile.name} visits a covering array"
        everything = [str(combination) for combination in all_combinations()]
        left_out = {text: asked.get(text, why) for text in everything}
        left_out = {text: reason for text, reason in left_out.items() if reason}
        by_reason: dict[str, list[str]] = {}
        for text, reason in left_out.items():
            by_reason.setdefault(reason, []).append(text)
        return {
            "total": len(everything),
            "visited": len(everything) - len(left_out),
            "left_out": [
                {"reason": reason, "combinations": texts} for reason, texts in by_reason.items()
            ],
        }


def _stands(clause: dict[str, Any]) -> bool:
    """Whether a clause is no obstacle to conformance: shown, or left out for a reason.

    A clause for which no case was ever drawn or looked at is one.
    """
    if clause["verdict"] == NOT_TESTED:
        return bool(clause["counts"] and clause["reasons"])
    return clause["level"] == "SHOULD" or clause["verdict"] in (PASS, UNSUPPORTED, WAIVED)


def with_known_deviation(deviation: Deviation, verdict: str) -> tuple[str, str]:
    """The verdict on a clause that is known to be broken, and what is to be said of it."""
    if verdict in (FAIL, ERROR):
        return WAIVED, f"known deviation: {deviation}"
    if verdict == PASS:
        return ERROR, "known as a deviation, but it is none any more: remove the entry"
    return verdict, ""


def _implementation(
    option: Namespace, target: str, limits: Limits
) -> tuple[Implementation, str, bool]:
    """What is judged, its text for reports, and whether its cases are judged in another process.

    Raises:
        TargetError: it cannot be judged.
    """
    if option.lstm_exec is not None or option.lstm_python is not None:
        try:
            from .program import Program, adapter_command
        except ModuleNotFoundError as error:
            raise TargetError(
                "Programs need safetensors, which is not installed: "
                "pip install 'lstm-conformance[programs]'."
            ) from error
        if option.lstm_exec is not None:
            command = shlex.split(option.lstm_exec)
            return Program(command, limits), f"--exec {shlex.quote(option.lstm_exec)}", False
        command, environment = adapter_command(option.lstm_python, target)
        text = f"{target} --python {shlex.quote(option.lstm_python)}"
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


def failure_as_json(failure: Failure) -> dict[str, Any]:
    """``failure`` as plain JSON, in which numbers that JSON lacks are text."""
    plain = asdict(failure)
    finding = plain["finding"]
    for name in ("observed", "expected", "noise"):
        value = finding.get(name)
        if value is not None and not math.isfinite(value):
            finding[name] = str(value)
    if finding.get("ratio") is not None:
        finding["ratio"] = min(finding["ratio"], _LARGEST_RATIO)
    return plain


def _known(kind: str, name: str, table: dict[str, Any]) -> Any:
    if name not in table:
        raise UsageError(f"There is no {kind} {name!r}: choose from {', '.join(table)}.")
    return table[name]


def _summed(counts: Any) -> dict[str, int]:
    total: dict[str, int] = {}
    for count in counts:
        for name, number in count.items():
            total[name] = total.get(name, 0) + number
    return dict(sorted(total.items()))


def _verdict(counts: dict[str, int], of_failures: list[str]) -> str:
    """The gravest verdict of a failure; without one, pass if any case passed."""
    for verdict in (FAIL, ERROR):
        if verdict in of_failures:
            return verdict
    return next((v for v in (PASS, INCONCLUSIVE, UNSUPPORTED) if counts.get(v)), NOT_TESTED)


def environment() -> dict[str, Any]:
    """What the results may depend on, without importing anything for it."""
    packages = {}
    for package in ("lstm-conformance", "numpy", "scipy", "hypothesis", "pytest"):
        try:
            packages[package] = version(package)
        except PackageNotFoundError:
            packages[package] = "missing"
    torch = sys.modules.get("torch")
    if torch is not None:
        packages["torch"] = str(torch.__version__)
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "packages": packages,
    }
