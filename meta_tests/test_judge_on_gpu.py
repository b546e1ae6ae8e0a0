"""The program that judges on a GPU: its table, its time limits, and its whole path on the CPU."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tools import judge_on_gpu
from tools.judge_on_gpu import Outcome, Step

from .helpers.command_line import environment
from .helpers.made_up_results import conforming, right

ROOT = Path(__file__).parents[1]


def test_the_table_has_a_row_for_each_step() -> None:
    broken: Any = right()
    broken["clauses"][0].update(verdict="fail", worst_ratio=1e9)
    text = judge_on_gpu.table(
        [
            Outcome("install", "the wheels", "", 3.2),
            Outcome("torch", "cuDNN", "", 90.0, conforming()),
            Outcome("torch-tf32", "TF32", "", 50.0, broken),
            Outcome("jax-rnn", "JAX", "not judged: JAX sees cpu only", 0.0),
            Outcome("sizes", "large", "exit status 2: <no> such | device", 1.0),
        ]
    )
    lines = text.splitlines()
    assert len(lines) == 2 + 5
    assert {line.replace("\\|", "").count("|") for line in lines} == {8}
    assert lines[3].startswith("| torch | cuDNN | conforms, ")
    assert "1e+09" in lines[4]
    assert broken["clauses"][0]["id"] in lines[4]
    assert "not judged: JAX sees cpu only" in lines[5]
    assert lines[6].endswith("| 1 | exit status 2: &lt;no> such \\| device |")


def test_all_steps_together_take_less_than_ten_minutes(tmp_path: Path) -> None:
    steps = judge_on_gpu.steps(tmp_path, "cuda")
    assert [step.name for step in steps] == list(judge_on_gpu.JUDGE_SECONDS)
    assert judge_on_gpu.INSTALL_SECONDS + sum(step.seconds for step in steps) < 600
    on_gpu = [step for step in steps if "--device" in step.command]
    assert len(on_gpu) == 6
    assert all(step.command[-1] == "cuda" for step in on_gpu)


@pytest.mark.parametrize(
    ("prints", "reason"),
    [
        ("cuda", ""),
        ("cpu,gpu", ""),
        ("cpu", "JAX sees cpu only"),
        (None, "JAX is not installed"),
    ],
)
def test_jax_is_judged_where_it_sees_a_gpu(
    prints: str | None, reason: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = "raise SystemExit(1)" if prints is None else f"print({prints!r})"
    monkeypatch.setattr(judge_on_gpu, "_JAX", program)
    jax = {step.name: step for step in judge_on_gpu.steps(tmp_path, "cuda")}["jax-rnn"]
    assert judge_on_gpu.reason_not_to(jax, sys.executable) == reason


@pytest.mark.parametrize(
    ("program", "seconds", "ended"),
    [
        ("print('good')", 30.0, ""),
        ("print('much'); raise SystemExit('bad\\n')", 30.0, "exit status 1: bad"),
        ("raise SystemExit(7)", 30.0, "exit status 7: it printed nothing"),
        ("import time; print('on', flush=True); time.sleep(600)", 1.0, "ended after 1 s"),
    ],
)
def test_how_a_step_ends(program: str, seconds: float, ended: str, tmp_path: Path) -> None:
    step = Step("some", "what", ("-c", program), seconds)
    outcome = judge_on_gpu.run(sys.executable, step, tmp_path)
    assert outcome.ended == ended
    assert outcome.results is None
    assert (tmp_path / "some.log").exists()


def test_wrong_arguments(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wheels, taken = tmp_path / "wheels", tmp_path / "taken"
    wheels.mkdir()
    taken.mkdir()
    new = str(tmp_path / "new")
    for arguments, says in (
        ((str(tmp_path / "none"), new), "there is no wheel lstm_conformance-*.whl in"),
        ((str(wheels), new), "there is no wheel lstm_conformance-*.whl in"),
        ((new,), "arguments are required: out"),
    ):
        with pytest.raises(SystemExit) as ended:
            judge_on_gpu.main(arguments)
        assert ended.value.code == 2
        assert says in capsys.readouterr().err
    (wheels / "lstm_conformance-0-py3-none-any.whl").touch()
    for arguments, says in (
        ((str(wheels), str(taken)), "exists: name a new folder"),
        ((str(wheels), new, "--scale", "0"), "--scale 0.0 is not a number above 0"),
    ):
        with pytest.raises(SystemExit) as ended:
            judge_on_gpu.main(arguments)
        assert ended.value.code == 2
        assert says in capsys.readouterr().err
    assert not Path(new).exists()


@pytest.mark.whole
def test_wheels_that_cannot_be_installed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lstm_conformance-0-py3-none-any.whl").write_bytes(b"no wheel")
    assert judge_on_gpu.main([str(tmp_path), str(tmp_path / "out")]) == 1
    text = capsys.readouterr().out
    assert text.count("\n") == 3
    assert "exit status 1" in text
    assert (tmp_path / "out" / "table.md").read_text("utf-8") == text


@pytest.mark.whole
def test_the_whole_path_on_the_cpu(tmp_path: Path) -> None:
    """With little time for each step, so that most of them judge only a few clauses."""
    wheels, out = tmp_path / "wheels", tmp_path / "out"
    build = ("-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(wheels))
    subprocess.run([sys.executable, *build, str(ROOT)], check=True, env=environment())
    # The environment sees packages of the interpreter that it is made from, not those of the
    # environment that this test runs in.
    folders = [folder for folder in sys.path if folder.endswith("site-packages")]
    variables = {**environment(), "PYTHONPATH": os.pathsep.join(folders)}
    options = ("--device", "cpu", "--scale", "0.1")
    done = subprocess.run(
        [sys.executable, "-m", "tools.judge_on_gpu", str(wheels), str(out), *options],
        cwd=ROOT, env=variables, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    rows = {line.split(" | ")[0]: line for line in done.stdout.splitlines()}
    assert [row.removeprefix("| ") for row in rows][2:] == [
        "install",
        *judge_on_gpu.JUDGE_SECONDS,
    ], done.stderr
    assert rows["| install"].endswith("as it should |")
    # How far a step comes in its time is up to the machine.
    for name in ("torch", "torch-undeclared", "torch-cudnn-off-tf32"):
        row = rows[f"| {name}"]
        assert row.endswith("as it should |") or "ended after" in row, row
        assert (out / f"{name}.log").exists()
    assert (out / "table.md").read_text("utf-8") == done.stdout
