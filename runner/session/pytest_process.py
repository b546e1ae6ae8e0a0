"""Runs the tests by pytest, in a process of its own.

The process of its own keeps the judgement from being disturbed: by the pytest settings and plugins
of the user, and by an implementation that ends its process.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from ...reports.escaping import one_line, printable
from ...reports.reading import results_of
from ...reports.results import Results
from ...reports.verdict import not_passed
from ...spec.usage_error import UsageError
from ..processes.interrupts import Interrupts
from ..processes.starting import ends_with_parent, judging_environment, python_command
from ..processes.temporary_folder import FOLDER_OF_RUN
from .channel import Channel, ForgedResults
from .options import PROGRESS_FILE, PYTEST_PREFIX, Options
from .progress import ProgressShown
from .progress_file import ProgressReader
from .test_outcome import FINISHED

__all__ = ["PytestEnded", "run_tests"]

# After an interrupt, in seconds: it is sent to pytest again if it had no effect, and at last pytest
# is ended.
_REPEAT_SECONDS, _WAIT_SECONDS = 3.0, 60.0

# How often pytest is looked at, in seconds. Signals end the wait earlier.
_LOOK_SECONDS = 0.2

# After the results have come, in seconds. A thread or an exit handler of the implementation may
# keep the process. On a busy machine, a process with large libraries takes seconds to end.
_END_SECONDS = 20.0

_INTERRUPTED, _PYTEST_INTERNAL_ERROR, _PYTEST_USAGE_ERROR = 2, 3, 4

# What pytest ends with if all tests passed, some failed, or there were none.
_ENDED = (0, 1, 5)

# In characters, of the log of pytest that is shown.
_LONGEST_LOG, _LONGEST_REASON = 3000, 200

# The last line of a traceback.
_EXCEPTION = re.compile(r"[\w.]*(Error|Exception|Exit|Interrupt|Iteration)(: |$)")


class PytestEnded(Exception):
    """pytest ended without results. The message says how, and holds the end of its log."""


def run_tests(
    options: Options,
    folder: Path,
    interrupts: Interrupts,
    progress: ProgressShown | None = None,
) -> Results:
    """The results of the tests.

    Args:
        options: that were asked for.
        folder: for temporary files; each call needs a new one.
        interrupts: that are passed on to pytest.
        progress: shows how far the run has come; None for nothing.

    Raises:
        UsageError: the options make no sense.
        PytestEnded: there are no results.
    """
    log = folder / "log"
    with (
        Channel(replace(options, json=None).to_json()) as channel,
        _shown(progress, folder / PROGRESS_FILE, interrupts) as look,
    ):
        command = _command(options, folder, channel.other_end)
        status = _run(command, log, interrupts, channel, look, partial(_require_sense, options))
        try:
            content = channel.content()
        except ForgedResults:
            raise PytestEnded(
                "what came as results is not from this run: something in the process of the "
                "implementation wrote to every open file."
            ) from None
    said = printable(log.read_text("utf-8", "replace"))
    if content is None:
        if status == _PYTEST_USAGE_ERROR:
            raise UsageError(said.strip().removeprefix("ERROR: "))
        raise PytestEnded(f"{_how_ended(status)}{_why(status, said, options.verbose)}")
    if status == _PYTEST_INTERNAL_ERROR and options.verbose:
        print(said[-_LONGEST_LOG:], file=sys.stderr)
    return _believed(content, status, options, said)


@contextmanager
def _shown(
    progress: ProgressShown | None, file: Path, interrupts: Interrupts
) -> Iterator[Callable[[], None]]:
    """Gives a function that shows what was told in ``file`` since its last call."""
    if progress is None:
        yield lambda: None
        return
    progress.start(0)
    reader = ProgressReader(file, progress)

    def look() -> None:
        if interrupts.seconds is None:
            reader.read()
        else:
            progress.begin("interrupted: waiting for what was judged")

    try:
        yield look
        look()
    finally:
        progress.close()


def _believed(content: bytes, status: int | None, options: Options, said: str = "") -> Results:
    """The results of a run, if they answer what was asked, and the run ended as it should.

    Args:
        content: the results as JSON.
        status: that pytest ended with; None if it had to be ended after it gave them.
        options: that were asked for.
        said: the log of pytest.

    Raises:
        PytestEnded: they are not to be believed.
    """
    try:
        results = results_of(content, "what pytest gave")
    except UsageError as error:
        raise PytestEnded(str(error)) from None
    if results["stopped"] == "interrupted":  # the gate never passes
        return not_passed(results)
    # With several workers, pytest-xdist calls it an interrupt if enough tests have failed.
    if results["stopped"] == "max-failures" and options.max_failures and status == _INTERRUPTED:
        return not_passed(results)
    if status is not None and status not in _ENDED:
        why = _why(status, said, options.verbose)
        raise PytestEnded(f"after it gave its results, {_how_ended(status)}{why}")
    # Not imported at first: it imports Hypothesis, which takes time and needs a working folder.
    from .plan import asked_clauses, planned_tests

    planned = set(planned_tests(options))
    parts = results.get("parts")
    there = set(results["tests"] if parts is None else parts)
    # A shard has only the clauses of its own tests.
    clauses = {clause["id"] for clause in results["clauses"]}
    asked = set(asked_clauses(options))
    if there != planned or not (clauses == asked or (options.shard and clauses <= asked)):
        raise PytestEnded("its results are not of the tests that were asked for.")
    finished = parts is None or all(part["state"] == FINISHED for part in parts.values())
    if results["gate_passed"] and not finished and results["stopped"] is None:
        raise PytestEnded("its results lack tests that were asked for.")
    return results


def _command(options: Options, folder: Path, channel: int) -> list[str]:
    command = [
        *python_command("pytest", "main()"),
        *("--pyargs", "lstm_conformance.tests", "-p", "lstm_conformance.runner.plugin"),
        *("--noconftest", "-c", os.devnull, f"--rootdir={Path.cwd()}", "-p", "no:cacheprovider"),
        "--assert=plain",  # no test of the suite is read: their modules need not be rewritten
        *("-p", "no:unraisableexception"),  # at the end, it collects garbage five times
        *(f"{PYTEST_PREFIX}channel", str(channel)),
        *(
            "--tb=no",
            "-q",
            f"--maxfail={options.max_failures}",
            f"--basetemp={folder / 'temporary'}",
        ),
    ]
    workers = 0 if options.case is not None else options.workers
    if workers:
        command += ["-p", "xdist.plugin", "-n", str(workers)]
        # With worksteal, the last tests would begin as soon as the first.
        in_order = ["--dist=load", "--maxschedchunk=1"]
        command += ["--dist=worksteal"] if options.max_time is None else in_order
    return command


def _run(
    command: list[str],
    log: Path,
    interrupts: Interrupts,
    channel: Channel,
    look: Callable[[], None],
    meanwhile: Callable[[], None],
) -> int | None:
    """Runs pytest to its end, passes interrupts on to it, and returns its exit status.

    ``meanwhile`` is called while it starts, and ``look`` again and again from then on.

    The status is None if pytest had given its results and did not end.

    pytest has a session of its own. On Ctrl-C a terminal would interrupt it and its workers
    directly, several times, and it could not write what it has.
    """
    environment = judging_environment()
    environment["HYPOTHESIS_STORAGE_DIRECTORY"] = str(log.parent / "hypothesis")
    environment[FOLDER_OF_RUN] = str(log.parent)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
            # The plugin then ends its workers, and removes the folder.
            preexec_fn=ends_with_parent(signal.SIGTERM),
            pass_fds=(channel.other_end,),
        )
        channel.start()
        try:
            meanwhile()
            return _wait(process, interrupts, channel, look)
        finally:
            _kill_group(process)


def _require_sense(options: Options) -> None:
    """Refuses options that make no sense while pytest starts, which would take longer to do so.

    Modules are imported here, meanwhile: they import Hypothesis, which takes time and needs a
    working folder.
    """
    from .construction import require_target
    from .plan import settings_of

    settings_of(options, ())
    require_target(options)


def _wait(
    process: subprocess.Popen[bytes],
    interrupts: Interrupts,
    channel: Channel,
    look: Callable[[], None],
) -> int | None:
    sent, over = 0.0, None
    while True:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_LOOK_SECONDS)
        look()
        if process.returncode is not None:
            return process.returncode
        if channel.is_over:
            over = time.monotonic() if over is None else over
            if time.monotonic() - over > _END_SECONDS:
                _kill_group(process)
                process.wait()
                return None
        since = interrupts.seconds
        if since is None:
            continue
        # pytest acts on the first interrupt only. Python may have dropped that one.
        if time.monotonic() - sent > _REPEAT_SECONDS:
            process.send_signal(signal.SIGINT)
            sent = time.monotonic()
        if since > _WAIT_SECONDS or interrupts.is_urgent:
            _kill_group(process)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Ends pytest and its workers."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _why(status: int | None, said: str, verbose: bool) -> str:
    """The end of the sentence that :func:`_how_ended` begins, and what helps.

    A process that was ended by a signal says where. Any other traceback shows pytest or this
    package, which the implementation has disturbed: its last line says enough.
    """
    log = said[-_LONGEST_LOG:].strip()
    if status is not None and status < 0:
        return f".\n{_where(said)}"
    if verbose:
        return f".\n{log}"
    lines = [line.removeprefix("INTERNALERROR>").strip() for line in log.splitlines()]
    last = next((line for line in reversed(lines) if _EXCEPTION.match(line)), "")
    return (
        f"{f' ({one_line(last)[:_LONGEST_REASON]})' if last else ''}. Maybe the implementation "
        "has changed or closed something in its process: --isolate gives it one of its own. "
        "--verbose shows how pytest ended."
    )


def _where(said: str) -> str:
    """What was said last before a signal, and the calls in which it came, the innermost first.

    faulthandler writes the calls of all threads, and the outermost are those of pytest.
    """
    before, fatal, after = said.partition("Fatal Python error")
    if not fatal:
        return said[-_LONGEST_LOG:].strip()
    error, _, threads = after.partition("\n")
    _, current, calls = threads.partition("Current thread")
    last = before[-_LONGEST_LOG // 6 :]
    return f"{last}{fatal}{error}\n{current}{calls or threads}".strip()[:_LONGEST_LOG]


def _how_ended(status: int | None) -> str:
    if status is None:
        return "pytest closed its channel"
    if status < 0:
        return f"the process was ended by {signal.Signals(-status).name}"
    return f"pytest ended with status {status}"
