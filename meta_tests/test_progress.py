"""While a run goes on: the bar, and the failures as they are found."""

from __future__ import annotations

import io
import json
import os
import pty
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lstm_conformance.runner.failures.explanation import failure_in_brief
from lstm_conformance.runner.failures.failure import Failure
from lstm_conformance.runner.judging.comparison import Finding
from lstm_conformance.runner.processes.interrupts import Interrupts
from lstm_conformance.runner.session import pytest_process
from lstm_conformance.runner.session.options import Options
from lstm_conformance.runner.session.progress import FailureLines, Progress
from lstm_conformance.runner.session.progress_file import ProgressFile, ProgressReader
from lstm_conformance.spec.clauses import TESTABLE

from .helpers.command_line import command, environment, run
from .helpers.made_up_records import CASE, FINDING, session
from .helpers.selection import elsewhere

RECOMMENDED = next(id for id, clause in TESTABLE.items() if clause.level == "SHOULD")

WRONG = """
from lstm_conformance.adapters.reference import ReferenceLSTM

class Wrong(ReferenceLSTM):
    def run(self, case):
        observation = super().run(case)
        if case.config.hidden_size > 1:
            observation.tensors["h_n"].values[...] += 1e-3
        return observation
"""
WRONG_GRADIENTS = WRONG.replace("if case.config.hidden_size > 1:", "if case.cotangents:").replace(
    '"h_n"', '"input.grad"'
)


def test_the_bar_counts_cases_and_failures_names_the_test_and_goes_away() -> None:
    stream = io.StringIO()
    progress = Progress(stream)
    progress.start(0)
    progress.start(4)
    progress.begin("test_packed.test_lengths")
    progress.advance(20, failed=0)
    progress.advance(5, failed=0)
    progress.advance(5, failed=1)
    progress.close()
    lines = stream.getvalue().split("\r")
    assert lines[1] == "[....................]   0%  0 cases  starting"
    assert lines[3].rstrip() == "[....................]   0%  0 cases  test_lengths"
    assert "  25%  20 cases  test_lengths" in lines[4]
    assert lines[5].count("#") == Progress.WIDTH // 2
    assert "  75%  30 cases, 1 failed  test_lengths" in lines[6]
    assert not lines[-2].strip()
    assert len(lines[-2]) == len(lines[-3].rstrip()), "nothing of it is left"


def test_the_bar_fits_into_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    stream = io.StringIO()
    progress = Progress(stream)
    progress.begin("test_x.test_a_name" + "_that_is_long" * 9 + "\x1b[2J")
    assert len(stream.getvalue()) == 60
    assert stream.getvalue().endswith("...")


def test_failures_stand_above_the_bar() -> None:
    stream = io.StringIO()
    progress = Progress(stream)
    progress.start(4)
    progress.found("EQ-1", "EQ-1 fails\n  v1")
    shown = stream.getvalue().split("\r")
    assert shown[3] == "EQ-1 fails\n  v1\n"
    assert shown[4].startswith("[...")
    progress.close()
    assert stream.getvalue().endswith(" \r\n"), "the report begins below an empty line"
    quiet = io.StringIO()
    Progress(quiet, failures=False).found("EQ-1", "EQ-1 fails")
    assert quiet.getvalue() == ""


def test_the_first_failure_of_a_clause_is_printed_and_not_hundreds() -> None:
    stream = io.StringIO()
    lines = FailureLines(stream)
    lines.found("EQ-1", "first\x1b[2J")
    lines.found("EQ-1", "second")
    for number in range(50):
        lines.found(f"X-{number}", f"X-{number} fails")
    text = stream.getvalue().splitlines()
    assert text[0] == "first [2J"
    assert text[1:10] == [f"X-{number} fails" for number in range(9)]
    assert text[10:] == ["More clauses are broken. The report at the end has them."]


class Told(list[Any]):
    """What a progress was told."""

    def __getattr__(self, name: str) -> Any:
        return lambda *told: self.append((name, *told))


def test_processes_tell_by_a_file(tmp_path: Path) -> None:
    path, told = tmp_path / "progress", Told()
    reader = ProgressReader(path, told)
    reader.read()
    one, other = ProgressFile(path), ProgressFile(path)
    one.start(7)
    other.begin("test_x.test_y")
    reader.read()
    assert told == [("start", 7), ("begin", "test_x.test_y")]
    other.found("EQ-1", "EQ-1 fails\n  v1")
    one.advance(3, 1)
    reader.read()
    reader.read()
    assert told[2:] == [("found", "EQ-1", "EQ-1 fails\n  v1"), ("advance", 3, 1)]


def test_what_others_write_into_the_file_is_passed_over(tmp_path: Path) -> None:
    path, told = tmp_path / "progress", Told()
    reader = ProgressReader(path, told)
    path.write_bytes(b'\xff\n[]\n{"a": 1}\n["start", "x"]\n["found", 1, 2]\n["close"]\nnull\n["sta')
    reader.read()
    assert told == []
    with path.open("ab") as file:
        file.write(b'rt", 7]\n' + b"[" * 2_500_000)
    for _ in range(5):
        reader.read()
    ProgressFile(path).start(1)
    ProgressFile(path).start(8)
    reader.read()
    assert told == [("start", 7), ("start", 8)]
    ProgressFile(tmp_path / "no" / "folder").start(7)


def test_the_bar_is_there_before_pytest_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Importing a framework takes longer than users wait without a sign."""
    told = Told()

    def ended(*arguments: Any) -> int:
        arguments[3].start()
        (tmp_path / "log").write_text("")
        told.append("pytest")
        ProgressFile(tmp_path / "progress").begin("test_x.test_y")
        return 1

    monkeypatch.setattr(pytest_process, "_run", ended)
    with Interrupts() as interrupts, pytest.raises(pytest_process.PytestEnded):
        pytest_process.run_tests(Options(target="reference"), tmp_path, interrupts, told)
    assert told == [("start", 0), "pytest", ("begin", "test_x.test_y"), ("close",)]


def test_an_interrupt_is_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is told afterwards does not hide it."""
    told = Told()

    def interrupted(*arguments: Any) -> int:
        _, _, interrupts, channel, look, _ = arguments
        (tmp_path / "log").write_text("")
        channel.start()
        interrupts._receive(signal.SIGINT, None)
        ProgressFile(tmp_path / "progress").begin("test_x.test_y")
        look()
        return 1

    monkeypatch.setattr(pytest_process, "_run", interrupted)
    with Interrupts() as interrupts, pytest.raises(pytest_process.PytestEnded):
        pytest_process.run_tests(Options(target="reference"), tmp_path, interrupts, told)
    assert {*told} == {
        ("start", 0),
        ("begin", "interrupted: waiting for what was judged"),
        ("close",),
    }


@pytest.mark.parametrize(
    ("failure", "says"),
    [
        (
            Failure("fail", CASE, CASE, Finding("h_n", "fail", 9e9, (0, 1), 0.25, 1 / 3, 1e-17)),
            "fails: h_n[0, 1] is 0.25, expected 0.333333",
        ),
        (
            Failure("fail", CASE, CASE, Finding("h_n", "fail", 9e9, (), float("nan"), 0.5, 1e-17)),
            "fails: h_n[] is nan, expected 0.5",
        ),
        (Failure("fail", CASE, CASE, FINDING), "fails: h_n: shape"),
        (Failure("error", CASE, CASE, exception="ValueError: a\nb"), "raises: ValueError: a b"),
        (Failure("error", CASE, CASE, exception="x" * 999), f"raises: {'x' * 200}..."),
    ],
)
def test_a_failure_in_two_lines(failure: Failure, says: str) -> None:
    text = failure_in_brief("EQ-1", failure.to_json())
    assert text == f"EQ-1 Gate order {says}\n  {CASE}"


@pytest.mark.parametrize(("strict", "told"), [(False, ["EQ-1"]), (True, [RECOMMENDED, "EQ-1"])])
def test_what_need_not_hold_is_no_failure(strict: bool, told: list[str]) -> None:
    judging = session(strict=strict, clauses=("EQ-1", RECOMMENDED)).session
    judging._progress = shown = Told()  # type: ignore[assignment]
    tell = judging.checker("test_x.test_y", ("EQ-1", RECOMMENDED))._tell
    tell(RECOMMENDED, Failure("fail", CASE, CASE, FINDING))
    tell("EQ-1", Failure("fail", CASE, CASE, FINDING))
    assert shown[0] == ("begin", "test_x.test_y")
    assert [clause for _, clause, _ in shown[1:]] == told


@pytest.mark.parametrize("workers", ["0", elsewhere("2")])
def test_check_prints_failures_as_they_are_found(workers: str, tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text(WRONG)
    options = ("--clause", "EQ-5,EQ-6", "--profile", "smoke", "--no-diagnosis", "-n", workers)
    wrong = run("check", "wrong.py:Wrong", *options, cwd=tmp_path)
    assert wrong.status == 1, wrong.err
    lines = wrong.err.splitlines()
    assert sorted(line.split(" fails: h_n[")[0] for line in lines[::2]) == [
        "EQ-5 Two biases",
        "EQ-6 Saturation",
    ]
    assert all(line.startswith("  v1 input_size=") for line in lines[1::2])
    shrunk = json.dumps(wrong.out)
    assert not any(line.strip() + '"' in shrunk for line in lines[1::2]), "as it was drawn"


def test_the_cause_is_looked_for_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    judging = session(clauses=("EQ-1",)).session
    judging._progress = shown = Told()  # type: ignore[assignment]
    checker = judging.checker("test_x.test_y", ("EQ-1",))
    judging.conclude(checker)
    assert shown == [("begin", "test_x.test_y")]
    checker.records["EQ-1"].failures.append(Failure("fail", CASE, CASE, FINDING))
    judging._diagnoses = False
    monkeypatch.setattr(checker, "run_failures_again", lambda: None)
    judging.conclude(checker)
    assert shown[1:] == [("begin", "looking for the cause of a failure")]


WRONG_AND_SLOW = """
import time
from pathlib import Path
from lstm_conformance.adapters.reference import ReferenceLSTM

class LSTM(ReferenceLSTM):
    def run(self, case):
        if Path("slow").exists():
            time.sleep(100)
        observation = super().run(case)
        observation.tensors["h_n"].values[...] += 1
        return observation

LSTM = LSTM()
"""


def test_a_failure_whose_test_is_interrupted_is_named(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text(WRONG_AND_SLOW)
    process = subprocess.Popen(
        command("check", "wrong.py:LSTM", "--clause", "EQ-5", "--profile", "smoke", "-n", "0"),
        cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    assert process.stderr is not None
    assert process.stderr.readline().startswith("EQ-5 Two biases fails: h_n[")
    (tmp_path / "slow").touch()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 3, out + err
    assert "Broken, in a test that was interrupted: EQ-5.\n" in err
    assert out.splitlines()[-1].startswith("NOT COMPLETED: no verdict")


@pytest.mark.whole
@pytest.mark.parametrize("workers", ["0", "1"])
def test_failures_of_clauses_that_were_not_asked_for_do_not_count(
    workers: str, tmp_path: Path
) -> None:
    """One test judges all combinations for COMB-1 and COMB-2."""
    (tmp_path / "wrong.py").write_text(WRONG_GRADIENTS)
    options = ("-x", "--profile", "smoke", "--no-diagnosis", "-n", workers)
    asked = run("check", "wrong.py:Wrong", "--clause", "COMB-1", *options, cwd=tmp_path)
    assert asked.status == 0, asked.out
    assert asked.err == ""
    assert asked.out.splitlines()[-1].startswith("CONFORMANT")
    other = run("check", "wrong.py:Wrong", "--clause", "COMB-2", *options, cwd=tmp_path)
    assert other.status == 1, other.out
    assert other.err.startswith("COMB-2")


@pytest.mark.whole
def test_quiet_and_right_runs_print_no_failure(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text(WRONG)
    options = ("--clause", "EQ-5", "--profile", "smoke", "--no-diagnosis", "-n", "0")
    assert run("check", "wrong.py:Wrong", *options, "-q", cwd=tmp_path).err == ""
    assert run("check", "reference", *options, cwd=tmp_path).err == ""


@pytest.mark.whole
def test_a_terminal_shows_the_bar(tmp_path: Path) -> None:
    words = ("check", "reference", "--clause", "EQ-5", "--profile", "smoke", "-n", "0")
    parent, child = pty.openpty()
    with subprocess.Popen(
        command(*words), cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=child
    ) as process:
        os.close(child)
        shown = b""
        while True:
            try:
                shown += os.read(parent, 4096)
            except OSError:  # nobody has the terminal any more
                break
        out = process.stdout.read() if process.stdout is not None else b""
    os.close(parent)
    lines = shown.decode().split("\r")
    assert lines[1] == "[....................]   0%  0 cases  starting"
    assert any(line.rstrip().endswith("  test_two_biases") for line in lines)
    assert any("] 100%  10 cases" in line for line in lines)
    assert not lines[-2].strip()
    assert b"\r" not in out
