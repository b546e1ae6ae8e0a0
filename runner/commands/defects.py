"""``lstm-conformance defects``: whether the suite kills the LSTMs that are wrong on purpose."""

from __future__ import annotations

import importlib
import inspect
import multiprocessing
import os
import sys
import time
from argparse import Namespace
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ...adapters.target import TargetError, load
from ...defects.public_bugs import bugs_of
from ...reports.kill_table import kill_markdown, kill_text
from ...reports.writing import not_writable, write_results, write_text
from ...spec.case import Case
from ...spec.clauses import TESTABLE
from ...spec.combinations import Combination
from ...spec.precision import PRECISIONS
from ...spec.strategies import Domain
from ..searching.checker import Checker, Settings
from ..searching.profiles import PROFILES
from ..session.environment import environment
from ..session.progress import Progress
from ..session.suite import TEST_MODULES, runs

if TYPE_CHECKING:
    from ...defects.catalogue import Defect
    from ..judging.rules import Rule
    from ..searching.checker import Search

__all__ = [
    "Attempt",
    "FirstFailure",
    "Kill",
    "UntilFirstFailure",
    "defects",
    "exit_status",
    "first_failure",
]

ENOUGH, NOT_ENOUGH, USAGE, NOT_COMPLETED = 0, 1, 2, 3

SCHEMA_VERSION = 1
SEED = 0

# Profile to how many of 100 defects it has to kill.
REQUIRED = {"smoke": 95, "default": 100}

# All that a judgement imports sooner or later, so that no defect is charged for it; the last one
# is what torch imports when it is first told to be deterministic.
_IMPORTED = [
    *TEST_MODULES,
    "lstm_conformance.adapters.torch_module",
    "lstm_conformance.runner.judging.dropout_masks",
    "scipy.stats",
    "torch._inductor",
]


@dataclass(frozen=True)
class Attempt:
    """What the tests of one clause make of an implementation until the first failure.

    Attributes:
        case: the line of the case that failed, None if none did.
        cases: how many were judged, the failing one included.
        seconds: that they took.
    """

    case: str | None
    cases: int
    seconds: float


@dataclass(frozen=True)
class Kill:
    """How a defect fared.

    Attributes:
        killed_by: the clause whose tests failed; None for a survivor.
        case: the line of the failing case; empty for a survivor and where the process ended.
        cases: judged up to the first failure.
        seconds: that they took, from when the implementation was loaded, with the 0.3 s that
            Hypothesis needs for its first test in a process; None where the process ended,
            since it cannot tell.
    """

    killed_by: str | None
    case: str
    cases: int | None
    seconds: float | None


def defects(options: Namespace) -> int:
    """Judges defects, prints and writes what came of it, and returns the exit status."""
    for path in (options.json, options.markdown):
        problem = None if path is None else not_writable(path)
        if problem:
            return _refused(problem)
    try:
        from ...defects.catalogue import catalogue
        from ...defects.equivalent import EQUIVALENT

        everything = {defect.id: defect for defect in catalogue()}
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        return _refused(
            "the defects need torch, which is not installed: pip install 'lstm-conformance[torch]'."
        )
    unknown = [name for name in options.defect or () if name not in everything]
    if unknown:
        return _refused(f"there is no defect {unknown[0]!r}.")
    asked = [d for d in everything.values() if not options.defect or d.id in options.defect]
    start = time.perf_counter()
    try:
        kills = _judge_all(asked, options.profile, options.workers)
    except TargetError as error:
        return _refused(str(error))
    except KeyboardInterrupt:
        print("lstm-conformance: interrupted.", file=sys.stderr)
        return NOT_COMPLETED
    results = _results(
        asked, kills, EQUIVALENT, options.profile, seconds=time.perf_counter() - start
    )
    if options.json is not None:
        write_results(options.json, results)
    if options.markdown is not None:
        write_text(options.markdown, kill_markdown(results))
    print(kill_text(results), end="")
    return exit_status(sum(bool(kill.killed_by) for kill in kills), len(kills), options.profile)


def exit_status(killed: int, total: int, profile: str) -> int:
    """Whether so many killed defects are enough for a profile."""
    return ENOUGH if 100 * killed >= REQUIRED[profile] * total else NOT_ENOUGH


def _refused(problem: str) -> int:
    print(f"lstm-conformance: {problem}", file=sys.stderr)
    return USAGE


def _results(
    asked: list[Defect],
    kills: list[Kill],
    equivalent: Iterable[type],
    profile: str,
    seconds: float,
) -> dict[str, Any]:
    bugs = bugs_of()
    return {
        "schema_version": SCHEMA_VERSION,
        "environment": environment(),
        "profile": profile,
        "seed": SEED,
        "duration_seconds": round(seconds, 3),
        "defects": [
            {
                "id": defect.id,
                "kind": defect.kind,
                "text": defect.text,
                "shows": defect.shows,
                "breaks": defect.breaks,
                "verdict": "killed" if kill.killed_by else "survived",
                "expected": kill.killed_by == defect.breaks,
                **asdict(kill),
                "bugs": list(bugs.get(defect.id, ())),
            }
            for defect, kill in zip(asked, kills, strict=True)
        ],
        "equivalent": [
            {"id": mutant.__name__, "text": inspect.cleandoc(mutant.__doc__ or "")}
            for mutant in equivalent
        ],
    }


def _judge_all(asked: list[Defect], profile: str, workers: int) -> list[Kill]:
    """Each defect in a process of its own, ``workers`` of them at a time.

    Some defects change the state of torch, of the random numbers or of the whole process, and
    the next one in it might be killed, or saved, by that. On Linux such a process is a copy of
    one that has imported everything, and costs 0.1 s; elsewhere, where copies of a process that
    uses native libraries are not safe, it costs the 3 s that importing torch and scipy takes.
    """
    context = multiprocessing.get_context("forkserver" if sys.platform == "linux" else "spawn")
    context.set_forkserver_preload(_IMPORTED)
    progress = Progress(sys.stderr) if sys.stderr.isatty() else None
    if progress is not None:
        progress.tests = len(asked)

    def judge(defect: Defect) -> Kill:
        with ProcessPoolExecutor(1, context) as process:
            # No initializer: a pool is broken by one that fails as by a defect.
            process.submit(_prepare, folder).result()
            return _judge(defect, profile, process)

    with (
        TemporaryDirectory(prefix="lstm-conformance-") as folder,
        ThreadPoolExecutor(workers) as threads,
    ):
        try:
            futures = [threads.submit(judge, defect) for defect in asked]
            for future in as_completed(futures):
                cases = future.result().cases
                if progress is not None:
                    progress.advance(cases or 0, failed=0)
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
            if progress is not None:
                progress.close()
    return [future.result() for future in futures]


def _prepare(folder: str) -> None:
    """Makes this process ready to judge one defect.

    Args:
        folder: for what Hypothesis writes, which would go to the user's folder otherwise.
    """
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = folder
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # what implementations print and warn of
        os.dup2(nowhere, stream)
    for module in _IMPORTED:
        importlib.import_module(module)


def _judge(defect: Defect, profile: str, process: ProcessPoolExecutor) -> Kill:
    """By the clause that it breaks; if that does not kill it by all others, in their order."""
    cases, seconds = 0, 0.0
    for clause in (defect.breaks, *(clause for clause in TESTABLE if clause != defect.breaks)):
        try:
            attempt = process.submit(first_failure, defect.target, clause, profile).result()
        except BrokenProcessPool:  # it has ended the process, which is a failure of that clause
            return Kill(clause, "", None, None)
        cases += attempt.cases
        seconds += attempt.seconds
        if attempt.case is not None:
            return Kill(clause, attempt.case, cases, round(seconds, 3))
    return Kill(None, "", cases, round(seconds, 3))


def first_failure(target: str, clause: str, profile: str) -> Attempt:
    """Judges ``target`` by the tests of ``clause`` until the first case that breaks it.

    Args:
        target: as for ``lstm-conformance check``; the cases are the same as there.
        clause: id of a clause that can be tested.
        profile: name of a profile.

    Raises:
        TargetError: the target cannot be judged.
    """
    settings = Settings(PROFILES[profile], SEED, tuple(PRECISIONS), ("cpu",))
    planned = list(runs(clause, settings.profile))
    implementation = load(target)
    cases, start = 0, time.perf_counter()
    for run in planned:
        checker = UntilFirstFailure(implementation, settings, run.name, (clause,))
        case = None
        try:
            run.test(checker)
        except FirstFailure as failure:
            case = failure.case
        cases += checker.cases
        if case is not None:
            return Attempt(case, cases, time.perf_counter() - start)
    return Attempt(None, cases, time.perf_counter() - start)


class FirstFailure(BaseException):
    """Ends a test at its first failing case.

    It is no Exception: Hypothesis would take that for a failing case, and look for a smaller one.

    Attributes:
        case: its line.
    """

    def __init__(self, case: str) -> None:
        self.case = case


class UntilFirstFailure(Checker):
    """Judges by its own clauses only, whatever others a test names, and ends at a failure.

    Attributes:
        cases: how many were judged so far.

    Raises:
        FirstFailure: from within the test.
    """

    cases = 0

    def each_combination(
        self, combinations: Iterable[Combination], domain: Domain, rules: dict[str, Rule]
    ) -> None:
        super().each_combination(combinations, domain, {name: rules[name] for name in self.records})

    def _examine(self, case: Case, rules: dict[str, Rule], seen: Search) -> bool:
        self.cases += 1
        if not super()._examine(case, rules, seen):
            raise FirstFailure(str(case))
        return True
