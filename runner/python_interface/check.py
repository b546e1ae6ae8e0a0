"""``check`` and ``check_case``: judge an object in memory."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from ...reports.results import Results
from ...spec.usage_error import UsageError
from ..processes.interrupts import Interrupts
from ..processes.temporary_folder import temporary_folder
from ..session.options import Options
from ..session.progress import Progress, ProgressShown
from ..session.pytest_process import PytestEnded, run_tests
from .check_results import CheckResults
from .given_object import given_object
from .known_deviations import known_deviations_in_python
from .notebook_progress import NotebookProgress, is_notebook
from .run_in_process import RunInProcess

__all__ = ["check", "check_case"]

# A function that is told how far a run has come: tests that have ended, all tests, cases, and tests
# that have failed.
Callback = Callable[[int, int, int, int], object]


def check(
    obj: Any,
    *,
    profile: Literal["smoke", "default", "thorough"] = "default",
    clauses: str | Iterable[str] | None = None,
    only: str | Iterable[str] | None = None,
    strict: bool = False,
    without: str | Iterable[str] | None = None,
    require: str | Iterable[str] | None = None,
    known_deviations: str | Path | Mapping[str, str] | Iterable[Mapping[str, Any]] | None = None,
    sizes: str | Mapping[str, int] | Iterable[str | Mapping[str, int]] | None = None,
    seed: int | None = None,
    dtypes: str | Iterable[str] | None = None,
    devices: str | Iterable[str] | None = None,
    working_precision: Literal["tf32", "bfloat16", "float16"] | None = None,
    max_time: float | str | None = None,
    max_failures: int = 0,
    progress: bool | Callable[[int, int, int, int], object] = False,
    diagnosis: bool = True,
    capabilities: Collection[str] | None = None,
    differentiate: Callable[..., Any] | None = None,
    workers: int = 0,
    isolate: bool = False,
) -> CheckResults:
    """Judges an LSTM, as ``lstm-conformance check`` does, and returns the results.

    The cases are those of the command line with the same profile and seed. They run in this
    process, one after the other. What the implementation prints meanwhile is dropped. Afterwards
    the state of this process is as before: filters of warnings, handlers of signals, random
    generators, and the settings of NumPy and torch.

    Args:
        obj: a class or a function that is called like ``torch.nn.LSTM`` and returns a module; a
            module that exists already, which may be compiled or scripted, and is as before
            afterwards; a function ``lstm(case, arguments)`` over NumPy arrays; a cell
            ``cell(x, states, weights)``; an implementation (see ``spec/contract.py``); or a target
            as on the command line: the name of an adapter, ``"package.module:Attribute"``,
            ``"file.py:Attribute"``.
        profile: how much is judged.
        clauses: only these: ids, chapters (``"EQ"``) or patterns (``"PACK-*"``).
        only: only clauses of these kinds: ``"numbers"``, ``"interface"``, ``"side effects"``,
            ``"argument checks"``.
        strict: a broken SHOULD fails the gate, too.
        without: capabilities that are not used, as if they were missing.
        require: capabilities whose lack is a failure.
        known_deviations: clauses that are known to be broken: a mapping from ids to reasons, the
            path of a TOML file or the name of one that is shipped (``"torch"``), or a list of its
            tables.
        sizes: judged besides, as ``{"hidden_size": 1024, "batch_size": 64}``.
        seed: from which all cases are drawn (default: 0; profile thorough draws one).
        dtypes: only these, by their names in torch.
        devices: by their names in torch (default: cpu).
        working_precision: the format to which factors of products of float32 may be rounded.
        max_time: seconds, or a text as ``"5m"``: the most informative tests come first, each with
            a share of the time.
        max_failures: the run stops after this number of failing tests; 0 for never.
        progress: True for a bar, on standard error or as an output of a notebook; or a function
            that is called after each test with four numbers: tests that have ended, all tests,
            cases, tests that have failed.
        diagnosis: whether to look for what a failing implementation does instead. It takes
            seconds for each cause.
        capabilities: of a function over arrays, or those that a cell has besides the ones that the
            loops around it add, by the names in the table of ``docs/test-your-own.md``. Without a
            number format among them, it computes in float64 and float32.
        differentiate: gradients of a function over arrays, see ``FunctionLSTM``.
        workers: number of worker processes; 0 for this process. The object has to be importable.
        isolate: has every case run in another process, which may crash. The object has to be
            importable.

    Raises:
        UsageError: nothing can be judged; the message says what to do.
        KeyboardInterrupt: the user interrupted the run.
    """
    given = given_object(obj, capabilities, differentiate)
    file, deviations = known_deviations_in_python(known_deviations)
    options = Options.from_keywords(
        {
            "target": given.target,
            "profile": profile,
            "clauses": clauses,
            "kinds": only,
            "strict": strict,
            "without": without,
            "required": require,
            "known_deviations": file,
            "sizes": sizes,
            "seed": seed,
            "dtypes": dtypes,
            "devices": devices,
            "working_precision": working_precision,
            "max_time": max_time,
            "max_failures": max_failures,
            "no_diagnosis": not diagnosis,
            "workers": workers,
            "isolate": isolate,
        }
    )
    if workers or isolate:
        keyword = "workers=" if workers else "isolate=True"
        options = replace(options, target=given.for_other_process(keyword))
    if workers:
        if deviations:
            raise UsageError("with workers=, give known_deviations as the path of a TOML file.")
        if progress:
            raise UsageError("with workers=, there is no progress=: leave one of them out.")
        return CheckResults(_in_processes(options), given)
    if isolate and deviations:
        raise UsageError("with isolate=True, give known_deviations as the path of a TOML file.")
    run = RunInProcess(given, options, deviations, _shown(progress))
    return CheckResults(run.judge_all(), given)


def check_case(
    obj: Any,
    case: str,
    *,
    clause: str | Iterable[str] | None = None,
    capabilities: Collection[str] | None = None,
    differentiate: Callable[..., Any] | None = None,
) -> CheckResults:
    """Judges one case. What the implementation prints is not dropped.

    Args:
        obj: as for :func:`check`.
        case: its line, as a failure shows it: ``"v1 input_size=2 hidden_size=3"``.
        clause: the clauses by which it is judged (default: COMB-1 and COMB-2, which compare all
            results and all gradients).
        capabilities: as for :func:`check`.
        differentiate: as for :func:`check`.

    Raises:
        UsageError: nothing can be judged; the message says what to do.
    """
    given = given_object(obj, capabilities, differentiate)
    options = Options.from_keywords({"target": given.target, "case": case, "clauses": clause})
    return CheckResults(RunInProcess(given, options, quiet=False).judge_all(), given)


def _in_processes(options: Options) -> Results:
    """The results of the same run as that of the command line, with worker processes."""
    with (
        Interrupts() as interrupts,
        temporary_folder() as folder,
    ):
        try:
            results = run_tests(options, Path(folder), interrupts)
        except PytestEnded as ended:
            raise UsageError(f"{options.target_text} could not be judged: {ended}") from None
        if interrupts.seconds is not None:
            raise KeyboardInterrupt
        return results


def _shown(progress: bool | Callback) -> ProgressShown | None:
    if callable(progress):
        return _Told(progress)
    if not progress:
        return None
    return NotebookProgress() if is_notebook() else Progress(sys.stderr)


class _Told:
    """Progress that a function of the caller is told."""

    def __init__(self, tell: Callback) -> None:
        self._tell = tell
        self._tests = self._done = self._cases = 0

    def start(self, tests: int) -> None:
        """See :class:`.ProgressShown`."""
        self._tests = tests

    def begin(self, test: str) -> None:
        """See :class:`.ProgressShown`."""

    def found(self, clause: str, text: str) -> None:
        """See :class:`.ProgressShown`."""

    def advance(self, cases: int, failed: int) -> None:
        """See :class:`.ProgressShown`."""
        self._done += 1
        self._cases += cases
        self._tell(self._done, self._tests, self._cases, failed)

    def close(self) -> None:
        """See :class:`.ProgressShown`."""
