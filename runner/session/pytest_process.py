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
from dataclasses import replace
from pathlib import Path
from typing import cast

from ...reports.results import Results
from ...spec.usage_error import UsageError
from .options import PYTEST_PREFIX, Options

__all__ = ["PytestEnded", "run_tests"]

# An interrupt that had no effect for this time is sent again.
_REPEAT_SECONDS = 10.0

_PYTEST_INTERNAL_ERROR, _PYTEST_USAGE_ERROR = 3, 4

# In characters, of the log of pytest that is shown.
_LONGEST_LOG = 3000


class PytestEnded(Exception):
    """pytest ended without results. The message says how, and holds the end of its log."""


def run_tests(options: Options, folder: Path) -> Results:
    """The results of the tests.

    Args:
        options: that were asked for.
        folder: for temporary files; each call needs a new one.

    Raises:
        UsageError: pytest reports that the options make no sense.
        PytestEnded: there are no results.
    """
    file, log = folder / "results.json", folder / "log"
    status = _run(_command(options, folder, file), log)
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
        *(sys.executable, "-m", "pytest"),
        *("--pyargs", "lstm_conformance.tests", "-p", "lstm_conformance.runner.plugin"),
        *("--noconftest", "-c", os.devnull, f"--rootdir={Path.cwd()}", "-p", "no:cacheprovider"),
        *(f"{PYTEST_PREFIX}options", str(options_file)),
        *("--tb=no", "-q", f"--maxfail={options.max_failures}"),
    ]
    workers = 0 if options.case is not None else options.workers
    if workers > 0:
        command += ["-p", "xdist.plugin", "-n", str(workers)]
        # With worksteal, the last tests would begin as soon as the first.
        in_order = ["--dist=load", "--maxschedchunk=1"]
        command += ["--dist=worksteal"] if options.max_time is None else in_order
    return command


def _run(command: list[str], log: Path) -> int:
    """Runs pytest to its end, passes interrupts on to it, and returns its exit status.

    pytest has a session of its own. On Ctrl-C a terminal would interrupt it and its workers
    directly, several times, and it could not write what it has.
    """
    environment = {k: v for k, v in os.environ.items() if k != "PYTEST_ADDOPTS"}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    environment["HYPOTHESIS_STORAGE_DIRECTORY"] = str(log.parent / "hypothesis")
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=None if sys.stderr.isatty() else output,  # the progress bar is for terminals
            stdin=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
            # Jobs in the background of a shell ignore it; pytest must not.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
    on_interrupt = signal.getsignal(signal.SIGINT)
    on_termination = signal.signal(signal.SIGTERM, signal.default_int_handler)
    interrupted = False
    try:
        while True:
            try:
                return process.wait(_REPEAT_SECONDS if interrupted else None)
            except KeyboardInterrupt:
                interrupted = True
                signal.signal(signal.SIGINT, lambda *_: process.kill())
            except subprocess.TimeoutExpired:
                pass  # Python drops an interrupt that comes while it finalizes an object
            process.send_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, on_interrupt)
        signal.signal(signal.SIGTERM, on_termination)


def _how_ended(status: int) -> str:
    if status < 0:
        return f"the process was ended by {signal.Signals(-status).name}"
    return f"pytest ended with status {status}"
