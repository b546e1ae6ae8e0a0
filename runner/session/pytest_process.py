"""Runs the tests by pytest, in a process of its own.

The process of its own keeps the judgement from being disturbed: by the pytest settings and plugins
of the user, and by an implementation that ends its process.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import cast

from ...reports.results import Results
from ...spec.usage_error import UsageError
from ..processes.interrupts import Interrupts
from ..processes.starting import ends_with_parent, judging_environment, python_command
from .options import PYTEST_PREFIX, Options

__all__ = ["PytestEnded", "run_tests"]

# After an interrupt, in seconds: it is sent to pytest again if it had no effect, and at last pytest
# is ended.
_REPEAT_SECONDS, _WAIT_SECONDS = 3.0, 60.0

# How often pytest is looked at, in seconds. Signals end the wait earlier.
_LOOK_SECONDS = 0.2

_PYTEST_INTERNAL_ERROR, _PYTEST_USAGE_ERROR = 3, 4

# In characters, of the log of pytest that is shown.
_LONGEST_LOG = 3000


class PytestEnded(Exception):
    """pytest ended without results. The message says how, and holds the end of its log."""


def run_tests(options: Options, folder: Path, interrupts: Interrupts) -> Results:
    """The results of the tests.

    Args:
        options: that were asked for.
        folder: for temporary files; each call needs a new one.
        interrupts: that are passed on to pytest.

    Raises:
        UsageError: pytest reports that the options make no sense.
        PytestEnded: there are no results.
    """
    file, log = folder / "results.json", folder / "log"
    status = _run(_command(options, folder, file), log, interrupts)
    if not file.exists():
        said = log.read_text("utf-8", "replace")
        if status == _PYTEST_USAGE_ERROR:
            raise UsageError(said.strip().removeprefix("ERROR: "))
        raise PytestEnded(f"{_how_ended(status)}.\n{said[-_LONGEST_LOG:]}")
    if status == _PYTEST_INTERNAL_ERROR:
        print(log.read_text("utf-8", "replace")[-_LONGEST_LOG:], file=sys.stderr)
    return cast(Results, json.loads(file.read_text("utf-8")))


def _command(options: Options, folder: Path, file: Path) -> list[str]:
    handed_over = replace(options, json=file, progress=sys.stderr.isatty())
    options_file = folder / "options.json"
    options_file.write_text(handed_over.to_json(), "utf-8")
    command = [
        *python_command("pytest", "main()"),
        *("--pyargs", "lstm_conformance.tests", "-p", "lstm_conformance.runner.plugin"),
        *("--noconftest", "-c", os.devnull, f"--rootdir={Path.cwd()}", "-p", "no:cacheprovider"),
        *(f"{PYTEST_PREFIX}options", str(options_file)),
        *(
            "--tb=no",
            "-q",
            f"--maxfail={options.max_failures}",
            f"--basetemp={folder / 'temporary'}",
        ),
    ]
    workers = 0 if options.case is not None else options.workers
    if workers > 0:
        command += ["-p", "xdist.plugin", "-n", str(workers)]
        # With worksteal, the last tests would begin as soon as the first.
        in_order = ["--dist=load", "--maxschedchunk=1"]
        command += ["--dist=worksteal"] if options.max_time is None else in_order
    return command


def _run(command: list[str], log: Path, interrupts: Interrupts) -> int:
    """Runs pytest to its end, passes interrupts on to it, and returns its exit status.

    pytest has a session of its own. On Ctrl-C a terminal would interrupt it and its workers
    directly, several times, and it could not write what it has.
    """
    environment = judging_environment()
    environment["HYPOTHESIS_STORAGE_DIRECTORY"] = str(log.parent / "hypothesis")
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=None if sys.stderr.isatty() else output,  # the progress bar is for terminals
            stdin=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
            # The plugin then ends its workers, and removes the folder.
            preexec_fn=ends_with_parent(signal.SIGTERM),
        )
        try:
            return _wait(process, interrupts)
        finally:
            _kill_group(process)


def _wait(process: subprocess.Popen[bytes], interrupts: Interrupts) -> int:
    sent = 0.0
    while True:
        try:
            return process.wait(_LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            pass
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


def _how_ended(status: int) -> str:
    if status < 0:
        return f"the process was ended by {signal.Signals(-status).name}"
    return f"pytest ended with status {status}"
