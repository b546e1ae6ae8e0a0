"""Judges each defect in a process of its own."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ...spec.clauses import TESTABLE
from ..session.progress import Progress
from ..session.suite import TEST_MODULES
from .first_failure import first_failure

if TYPE_CHECKING:
    from ...defects.catalogue import Defect

__all__ = ["Kill", "judge_defects"]

# Everything that a judgement imports sooner or later, so that no defect is charged for it. torch
# imports the last one when it is first told to be deterministic.
_IMPORTED = [
    *TEST_MODULES,
    "lstm_conformance.adapters.torch_module",
    "lstm_conformance.runner.judging.dropout_masks",
    "scipy.stats",
    "torch._inductor",
]


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


def judge_defects(asked: list[Defect], profile: str, workers: int) -> list[Kill]:
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
