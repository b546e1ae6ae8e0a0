"""Judges each defect in a process of its own."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeVar

from ...spec.clauses import TESTABLE
from ..session.progress import Progress
from ..session.suite import TEST_MODULES
from .first_failure import first_failure

if TYPE_CHECKING:
    from ...defects.catalogue import Defect

__all__ = ["Kill", "in_processes", "judge_defects"]

Judgement = TypeVar("Judgement")

# All modules that judging imports at some time. They are imported first, so that the time counts
# for no defect. torch imports the last one when it is first asked for deterministic algorithms.
_IMPORTED = [
    *TEST_MODULES,
    "lstm_conformance.adapters.torch_module",
    "lstm_conformance.runner.judging.dropout_masks",
    "scipy.stats",
    "torch._inductor",
]


@dataclass(frozen=True)
class Kill:
    """Which clause killed a defect, and after how many cases.

    Attributes:
        killed_by: id of the clause whose tests failed; None for a survivor.
        case: the line of the failing case; empty for a survivor and if the process ended.
        cases: number of cases up to the first failure; None if the process ended.
        seconds: that they took, without loading the implementation, but with the 0.3 s that
            Hypothesis needs for its first test in a process; None if the process ended.
    """

    killed_by: str | None
    case: str
    cases: int | None
    seconds: float | None


def judge_defects(asked: list[Defect], profile: str, workers: int) -> list[Kill]:
    """Judges each defect by the clauses until one kills it, ``workers`` of them at a time."""
    return in_processes(
        asked,
        lambda defect, process: _judge(defect, profile, process),
        lambda kill: kill.cases or 0,
        workers,
    )


def in_processes(
    asked: list[Defect],
    judge: Callable[[Defect, ProcessPoolExecutor], Judgement],
    cases_of: Callable[[Judgement], int],
    workers: int,
    imported: Sequence[str] = (),
) -> list[Judgement]:
    """Judges each defect in a process of its own, ``workers`` of them at a time.

    Some defects change the state of torch, of the random numbers or of the whole process. In the
    same process, that might kill or save the next defect. On Linux such a process is a copy of one
    that has imported everything, and costs 0.1 s. Elsewhere it is not safe to copy a process that
    uses native libraries, and each process needs 3 s to import torch and scipy.

    Args:
        asked: the defects.
        judge: is called in a thread of this process with a defect and its process.
        cases_of: how many cases a judgement took, for the progress bar.
        workers: how many processes there are at a time.
        imported: modules that each process needs besides those of judging.

    Returns:
        What ``judge`` returned for each defect.
    """
    context = multiprocessing.get_context("forkserver" if sys.platform == "linux" else "spawn")
    context.set_forkserver_preload([*_IMPORTED, *imported])
    progress = Progress(sys.stderr) if sys.stderr.isatty() else None
    if progress is not None:
        progress.start(len(asked))

    def judged(defect: Defect) -> Judgement:
        with ProcessPoolExecutor(1, context) as process:
            # Not an initializer: if that failed, the pool would be broken as by a defect.
            process.submit(_prepare, folder).result()
            return judge(defect, process)

    with (
        TemporaryDirectory(prefix="lstm-conformance-") as folder,
        ThreadPoolExecutor(workers) as threads,
    ):
        try:
            futures = [threads.submit(judged, defect) for defect in asked]
            for future in as_completed(futures):
                cases = cases_of(future.result())
                if progress is not None:
                    progress.advance(cases, failed=0)
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
            if progress is not None:
                progress.close()
    return [future.result() for future in futures]


def _prepare(folder: str) -> None:
    """Makes this process ready to judge one defect.

    Args:
        folder: for files of Hypothesis, which would otherwise be in the current folder.
    """
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = folder
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # for what implementations print, and for warnings
        os.dup2(nowhere, stream)
    for module in _IMPORTED:
        importlib.import_module(module)


def _judge(defect: Defect, profile: str, process: ProcessPoolExecutor) -> Kill:
    """Judges by the clause that the defect breaks and then by all others, until one kills it."""
    cases, seconds = 0, 0.0
    for clause in (defect.breaks, *(clause for clause in TESTABLE if clause != defect.breaks)):
        try:
            attempt = process.submit(first_failure, defect.target, clause, profile).result()
        except BrokenProcessPool:  # the defect has ended the process: the clause fails
            return Kill(clause, "", None, None)
        cases += attempt.cases
        seconds += attempt.seconds
        if attempt.case is not None:
            return Kill(clause, attempt.case, cases, round(seconds, 3))
    return Kill(None, "", cases, round(seconds, 3))
