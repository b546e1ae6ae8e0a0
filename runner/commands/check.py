"""``lstm-conformance check``: judges an implementation."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from dataclasses import replace
from itertools import count
from pathlib import Path

from ...reports.escaping import one_line
from ...reports.results import Results
from ...reports.verdict import broken, not_passed
from ...reports.writing import check_outputs, write_results
from ...spec.usage_error import UsageError
from ..gate.baseline import Question, read_baseline
from ..gate.conclusion import conclude
from ..gate.exit_status import NOT_COMPLETED
from ..processes.interrupts import Interrupts
from ..processes.temporary_folder import temporary_folder
from ..session.options import Options
from ..session.progress import FailureLines, Progress, ProgressShown
from ..session.pytest_process import PytestEnded, run_tests
from ..session.settings_file import read_settings
from ..session.test_outcome import CUT_SHORT
from ..session.worker_count import worker_count

__all__ = ["check", "check_options"]


def check_options(arguments: Namespace) -> Options:
    """The options of the command line, and those in ``pyproject.toml``. Says if there are any.

    Raises:
        UsageError: one of them makes no sense.
    """
    settings = read_settings(_working_folder())
    if not settings.name:
        return Options.from_command(arguments)
    named = (arguments.target, arguments.program)
    theirs = (settings.values.get("target"), settings.values.get("program"))
    # Known deviations, for example, are those of one implementation.
    is_another = any(named) and any(theirs) and named != theirs
    options = Options.from_command(arguments, {} if is_another else settings.values)
    if not options.quiet:
        used = f"are for {one_line(str(theirs[0] or theirs[1]))}, and not used"
        if not is_another:
            texts = [settings.shown[n] for n in Options.used_settings(arguments, settings.shown)]
            used = f"are used: {', '.join(texts)}" if texts else "are replaced by the command line"
        print(f"The settings in {settings.name} {used}.", file=sys.stderr)
    return options


def _working_folder() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise UsageError("the working folder was removed: change to another one.") from None


def check(options: Options) -> int:
    """Judges ``options.target``, prints and writes the results, and returns the exit status.

    Raises:
        UsageError: one of the options makes no sense.
    """
    # Results may replace those that they resume.
    check_outputs(
        {"--json": options.json, "--markdown": options.markdown},
        {
            "the baseline": options.baseline,
            "the file of known deviations": options.known_deviations,
            "the file of the target": options.target_file,
        },
    )
    baseline: tuple[Path, Results] | None = None
    if options.baseline is not None:
        earlier = read_baseline(options.baseline, Question.of_options(options))
        baseline = (options.baseline, earlier)
    with (
        Interrupts() as interrupts,
        temporary_folder() as folder,
    ):
        shown = _progress(options.quiet)
        results, ended = _judge(options, Path(folder), interrupts, shown)
        if interrupts.seconds is not None:
            ended = "interrupted." if results is None else ""
            if results is not None:
                # Whatever was judged, nobody waited for the verdict.
                results = {**not_passed(results), "stopped": "interrupted"}
            lost = _not_in(results, shown)
            if lost:
                print(f"Broken, in a test that was interrupted: {lost}.", file=sys.stderr)
        interrupts.act()
        return _conclude(options, results, ended, baseline)


def _not_in(results: Results | None, shown: FailureLines | Progress | None) -> str:
    """The clauses whose failures were shown, and are in no results, because their test had to end.

    Their search or diagnosis takes seconds after the failure is shown.
    """
    clauses = [] if results is None else broken(results)
    seen = set() if shown is None else shown.clauses
    return ", ".join(sorted(seen - {clause["id"] for clause in clauses}))


def _conclude(
    options: Options, results: Results | None, ended: str, baseline: tuple[Path, Results] | None
) -> int:
    if ended:
        print(f"lstm-conformance: not completed: {ended}", file=sys.stderr)
    if results is None:
        return NOT_COMPLETED
    status = conclude(
        results,
        json=options.json,
        markdown=options.markdown,
        baseline=baseline,
        verbose=options.verbose,
        quiet=options.quiet,
    )
    return status or (NOT_COMPLETED if ended else 0)


def _judge(
    options: Options, folder: Path, interrupts: Interrupts, shown: ProgressShown | None
) -> tuple[Results | None, str]:
    """The results, and how pytest ended if it should not have ended so.

    Within a budget, tests that used up their share of the time run again in what others left.
    """
    start = time.monotonic()
    workers = worker_count(options)
    rest = replace(options, workers=workers)
    results: Results | None = None
    for number in count():
        own_folder = folder / str(number)
        own_folder.mkdir()
        try:
            results = run_tests(rest, own_folder, interrupts, shown)
        except PytestEnded as ended:
            return results, str(ended)
        if interrupts.seconds is not None:
            return results, ""
        left = (options.max_time or 0.0) - (time.monotonic() - start)
        if not _gets_further(results, left, workers):
            return results, ""
        file = own_folder / "results.json"
        write_results(file, results)
        rest = replace(rest, resume=file, max_time=round(left, 3), seed=results["seed"])
    raise AssertionError


def _progress(quiet: bool) -> FailureLines | Progress | None:
    """Shows on standard error how far the run has come; no failures if ``quiet``."""
    if sys.stderr.isatty():
        return Progress(sys.stderr, failures=not quiet)
    return None if quiet else FailureLines(sys.stderr)


def _gets_further(results: Results, left: float, workers: int) -> bool:
    """Whether the time that is left is enough for the tests that were cut short.

    They begin anew, so it has to be more than they took.

    Args:
        results: of what was judged so far.
        left: seconds.
        workers: number of processes that run tests at once; 0 for one.
    """
    if results["stopped"] != "max-time":
        return False
    outcomes = results.get("parts", {}).values()
    again = sum(outcome["seconds"] for outcome in outcomes if outcome["state"] == CUT_SHORT)
    return 0.0 < again / max(1, workers) < left
