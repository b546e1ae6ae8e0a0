"""``lstm-conformance check``: pytest in a process of its own, and its results."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from itertools import count
from pathlib import Path
from typing import Any

from ...reports.reading import ResultsError
from ...reports.tables import broken, markdown_report, text_report, unseen
from ...reports.writing import not_writable, write_results, write_text
from ..gate.baseline import Comparison, Question, read_baseline
from ..session.test_outcome import CUT_SHORT

__all__ = ["USAGE", "check", "conclude", "exit_status"]

CONFORMANT, NOT_CONFORMANT, USAGE, NOT_COMPLETED = 0, 1, 2, 3

# After this time an interrupt that had no effect is sent again.
_REPEAT_SECONDS = 10.0

_PYTEST_INTERNAL_ERROR, _PYTEST_USAGE_ERROR = 3, 4


def check(options: Namespace) -> int:
    """Judges ``options.target``, prints and writes what came of it, and returns the status.

    The process of its own keeps the judgement from being disturbed: by the caller's pytest
    settings and plugins, and by an implementation that ends its process.
    """
    for path in (options.json, options.markdown):
        problem = None if path is None else not_writable(path)
        if problem:
            print(f"lstm-conformance: {problem}", file=sys.stderr)
            return USAGE
    baseline = None
    if options.baseline is not None:
        try:
            baseline = read_baseline(options.baseline, Question.of_options(options))
        except ResultsError as problem:
            print(f"lstm-conformance: {problem}", file=sys.stderr)
            return USAGE
    with tempfile.TemporaryDirectory(prefix="lstm-conformance-") as folder:
        start, rest = time.monotonic(), options
        results = None
        for sitting in count():
            file = Path(folder) / f"results-{sitting}.json"
            failed = _sitting(rest, file)
            if failed:
                break
            results = json.loads(file.read_text("utf-8"))
            left = (options.max_time or 0.0) - (time.monotonic() - start)
            if not _gets_further(results, left, options.workers):
                break
            again = {"resume": file, "max_time": round(left, 3), "seed": results["seed"]}
            rest = Namespace(**{**vars(options), **again})
    if results is None:
        return failed
    return conclude(results, options, baseline) or failed


def _sitting(options: Namespace, file: Path) -> int:
    """Runs pytest once, and returns 0 if it wrote results, else the exit status; why is printed.

    Args:
        options: of the command.
        file: for the results, in a folder for temporary files.
    """
    log = file.with_name("log")
    status = _run(_command(options, file), log)
    written = file.exists()
    if not written:
        if status == _PYTEST_USAGE_ERROR:  # pytest has said why
            said = log.read_text("utf-8", "replace").strip().removeprefix("ERROR: ")
            print(f"lstm-conformance: {said}", file=sys.stderr)
            return USAGE
        print(f"lstm-conformance: not completed: {_how_ended(status)}.", file=sys.stderr)
    if not written or status == _PYTEST_INTERNAL_ERROR:
        print(log.read_text("utf-8", "replace")[-3000:], file=sys.stderr)
    return 0 if written else NOT_COMPLETED


def conclude(results: dict[str, Any], options: Namespace, baseline: dict[str, Any] | None) -> int:
    """Prints and writes what the command came to, and returns its exit status.

    Args:
        results: of the implementation.
        options: with the files to be written, and the path of the baseline.
        baseline: than which the results must not be worse; None if they have to conform.
    """
    if options.json is not None:
        write_results(options.json, results)
    text, report, status = text_report(results), markdown_report(results), exit_status(results)
    if baseline is not None:
        comparison = Comparison(options.baseline, baseline, results)
        text, report = f"{text}\n{comparison.text()}", f"{comparison.markdown()}\n{report}"
        status = comparison.status
    if options.markdown is not None:
        write_text(options.markdown, report)
    print(text, end="")
    return status


def exit_status(results: dict[str, Any]) -> int:
    """Of the command that came to ``results``."""
    if results["conformant"]:
        return CONFORMANT
    if results["stopped"] == "interrupted":
        return NOT_COMPLETED
    if results["shard"] is not None and not broken(results):
        # The verdict comes with the other shards; this one is right, as far as it goes.
        return NOT_COMPLETED if unseen(results) else CONFORMANT
    inconclusive = any(clause["verdict"] == "inconclusive" for clause in results["clauses"])
    return NOT_CONFORMANT if broken(results) or inconclusive else NOT_COMPLETED


def _gets_further(results: dict[str, Any], left: float, workers: int) -> bool:
    """Whether tests that used up their share of the time have more of it in what others left.

    They begin anew, so that it has to be more than they took.

    Args:
        results: of what was judged so far.
        left: seconds.
        workers: how many processes run tests at once; 0 if it is one.
    """
    if results["stopped"] != "max-time":
        return False
    parts = results["parts"].values()
    again: float = sum(part["seconds"] for part in parts if part["state"] == CUT_SHORT)
    return 0.0 < again / max(1, workers) < left


def _command(options: Namespace, file: Path) -> list[str]:
    command = [
        *(sys.executable, "-m", "pytest"),
        *("--pyargs", "lstm_conformance.tests", "-p", "lstm_conformance.runner.plugin"),
        *("--noconftest", "-c", os.devnull, f"--rootdir={Path.cwd()}", "-p", "no:cacheprovider"),
        *("--lstm-implementation", options.target or "", "--lstm-profile", options.profile),
        *("--lstm-json", str(file), "--tb=no", "-q", f"--maxfail={options.max_failures}"),
    ]
    if options.seed is not None:
        command.append(f"--lstm-seed={options.seed}")
    for name in ("dtype", "device", "clause", "require", "without", "examples"):
        for value in getattr(options, name) or ():
            command.append(f"--lstm-{name}={value}")
    for name in ("exec", "python", "time_limit", "memory_limit"):
        if getattr(options, name) is not None:
            command.append(f"--lstm-{name.replace('_', '-')}={getattr(options, name)}")
    if options.isolate:
        command.append("--lstm-isolate")
    for name in ("case", "shard"):
        if getattr(options, name) is not None:
            command.append(f"--lstm-{name}={getattr(options, name)}")
    if options.resume is not None:
        command.append(f"--lstm-resume={options.resume.resolve()}")
    if options.known_deviations is not None:
        command.append(f"--lstm-known-deviations={options.known_deviations.resolve()}")
    workers = 0 if options.case is not None else options.workers
    if workers > 0:
        command += ["-p", "xdist.plugin", "-n", str(workers)]
        # Worksteal would begin with the last tests as soon as with the first.
        in_order = ["--dist=load", "--maxschedchunk=1"]
        command += ["--dist=worksteal"] if options.max_time is None else in_order
    if options.max_time is not None:
        command.append(f"--lstm-max-time={options.max_time!r}")
    if sys.stderr.isatty():
        command.append("--lstm-progress")
    return command


def _run(command: list[str], log: Path) -> int:
    """Runs pytest to its end, and passes an interrupt on to it.

    pytest has a session of its own: on Ctrl-C the terminal would tell it and its workers
    directly, several times over, and it could not write what it has.
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
            # A shell makes jobs in the background ignore it; here it is how to stop pytest.
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
                pass  # Python drops an interrupt that comes while it cleans up an object
            process.send_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, on_interrupt)
        signal.signal(signal.SIGTERM, on_termination)


def _how_ended(status: int) -> str:
    if status < 0:
        return f"the process was ended by {signal.Signals(-status).name}"
    return f"pytest ended with status {status}"
