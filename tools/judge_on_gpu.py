"""Judges torch.nn.LSTM, and what else there is, on a GPU without a network, in under ten minutes.

``python -m tools.judge_on_gpu WHEELS OUT``: WHEELS is a folder with a wheel of this package, and of
each package that the machine lacks. torch is the machine's own. OUT is a new folder, which gets the
results and the output of each step, and a table of them, ``table.md``.

Each step has a time limit of its own. A step that fails does not end the others. The exit status is
0 if every step ended with a verdict, 1 if one did not, and 2 for wrong input.

Only the standard library is needed until the wheels are installed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Outcome", "Step", "main", "steps", "table"]

ROOT = Path(__file__).parents[1]

# Of judging, in seconds, one after the other: with the starts and the installation less than ten
# minutes on 16 cores.
INSTALL_SECONDS = 60
JUDGE_SECONDS = {
    "torch": 90,
    "torch-tf32": 50,
    "torch-undeclared": 15,
    "torch-cudnn-off": 50,
    "torch-cudnn-off-tf32": 40,
    "jax-rnn": 30,
    "sizes": 110,
    "benchmark": 40,
}

# How much longer than its ``--max-time`` a step may take: for the start, and for a case that has
# begun.
START_SECONDS = 12

SIZES = "hidden_size=1024 batch_size=64 seq_len=512"

# NVIDIA's libraries then compute no product of float32 in TF32, whatever a program asks for.
WITHOUT_TF32 = {"NVIDIA_TF32_OVERRIDE": "0"}

_JAX = "import jax; print(','.join(sorted({device.platform for device in jax.devices()})))"


@dataclass(frozen=True)
class Step:
    """One command.

    Attributes:
        name: of its row, and of its files in the folder of results.
        what: is judged, in a few words.
        command: its words, after those of the interpreter.
        seconds: its time limit.
        variables: of its environment, besides those of this process.
    """

    name: str
    what: str
    command: tuple[str, ...]
    seconds: float
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What came of a step.

    Attributes:
        name: see :class:`Step`.
        what: see :class:`Step`.
        ended: how the step ended: "" if as it should, or why not.
        seconds: that it took.
        results: of ``check``; None if it wrote none.
    """

    name: str
    what: str
    ended: str
    seconds: float
    results: dict[str, Any] | None = None


def steps(out: Path, device: str, scale: float = 1.0) -> list[Step]:
    """The steps after the installation.

    Args:
        out: the folder of results.
        device: that is judged.
        scale: of all times.
    """
    undeclared = ("--dtype", "float32", "--clause", "EQ")
    declared = ("--working-precision", "tf32")
    tf32 = f"{ROOT / 'tools' / 'torch_in_tf32.py'}:torch_in_tf32"
    # Name, what is judged, target, options, environment.
    judged: list[tuple[str, str, str, tuple[str, ...], Mapping[str, str]]] = [
        ("torch", "cuDNN, without TF32", "torch", (), WITHOUT_TF32),
        ("torch-tf32", "cuDNN, TF32 allowed and declared", "torch", declared, {}),
        ("torch-undeclared", "cuDNN, TF32 allowed, not declared", "torch", undeclared, {}),
        ("torch-cudnn-off", "torch's kernels, without TF32", "torch-cudnn-off", (), WITHOUT_TF32),
        ("torch-cudnn-off-tf32", "torch's kernels, TF32 declared", tf32, declared, {}),
        ("jax-rnn", "JAX's own function", "jax-rnn", (), {}),
        (
            "sizes",
            f"cuDNN, {SIZES}",
            "torch",
            # Profile smoke has few other cases of this clause.
            ("--profile", "smoke", "--clause", "SIZE-3", "--sizes", SIZES),
            WITHOUT_TF32,
        ),
    ]
    found = []
    for name, what, target, options, variables in judged:
        seconds = JUDGE_SECONDS[name] * scale
        command = [
            "-m",
            "lstm_conformance",
            "check",
            target,
            "--max-time",
            f"{max(seconds, 1.0):.0f}s",
        ]
        command += ["--json", str(out / f"{name}.json"), *options]
        if target != "jax-rnn":  # JAX takes the GPU by itself
            command += ["--device", device]
        found.append(Step(name, what, tuple(command), seconds + START_SECONDS, variables))
    seconds = JUDGE_SECONDS["benchmark"] * scale
    command = ["-m", "pytest", "-q", "tools/benchmark_verdict.py", "--benchmark-max-time=0.2"]
    command += [f"--benchmark-json={out / 'benchmark.json'}", "-k", "verdict or forward"]
    found.append(Step("benchmark", "the cost of a verdict, on the CPU", tuple(command), seconds))
    return found


def run(python: str, step: Step, out: Path) -> Outcome:
    """Runs a step to its end, or to its time limit; what it prints goes to a file."""
    log, results = out / f"{step.name}.log", out / f"{step.name}.json"
    start, ended = time.monotonic(), ""
    with log.open("wb") as file:
        process = subprocess.Popen(
            [python, "-u", *step.command],  # so that its last words are the last line
            cwd=ROOT,
            env={**os.environ, **step.variables},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status = process.wait(step.seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            status, ended = -1, f"ended after {step.seconds:.0f} s"
    seconds = time.monotonic() - start
    found = None
    if step.command[:3] == ("-m", "lstm_conformance", "check") and results.exists():
        found = json.loads(results.read_text("utf-8"))
    # 1 and 3 are verdicts of `check`, which its results hold.
    if not ended and status and found is None:
        ended = f"exit status {status}: {_last_line(log)}"
    return Outcome(step.name, step.what, ended, seconds, found)


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1][:200] if lines else "it printed nothing"


def install(python: str, wheels: Path, out: Path, scale: float) -> Outcome:
    """Makes an environment that has the machine's own packages, and installs the wheels."""
    environment = out / "environment"
    offline = ("-m", "pip", "install", "-q", "--no-index", "--find-links", str(wheels.resolve()))
    more = [p for p in ("pytest-benchmark",) if any(wheels.glob(f"{p.replace('-', '_')}-*.whl"))]
    inside = str(environment / "bin" / "python")
    limit, seconds = INSTALL_SECONDS * max(scale, 1.0), 0.0
    commands = (
        (python, ("-m", "venv", "--system-site-packages", str(environment))),
        # This version, whichever the machine has; then what it needs and the machine lacks.
        (inside, (*offline, "--no-deps", "--force-reinstall", "lstm-conformance")),
        (inside, (*offline, "lstm-conformance", *more)),
    )
    for interpreter, command in commands:
        step = Step("install", "the wheels, without a network", command, limit - seconds)
        outcome = run(interpreter, step, out)
        seconds += outcome.seconds
        if outcome.ended:
            break
    return Outcome("install", step.what, outcome.ended, seconds)


def reason_not_to(step: Step, python: str) -> str:
    """Why a step cannot be taken on this machine; empty if it can."""
    if step.name == "benchmark":
        asked = [python, "-c", "import pytest_benchmark"]
        found = subprocess.run(asked, capture_output=True, check=False).returncode == 0
        return "" if found else "pytest-benchmark is not installed"
    if step.name != "jax-rnn":
        return ""
    try:
        done = subprocess.run(
            [python, "-c", _JAX], capture_output=True, text=True, check=False, timeout=60
        )
    except subprocess.TimeoutExpired:
        return "JAX did not say which devices it sees"
    if done.returncode:
        return "JAX is not installed"
    platforms = done.stdout.strip()
    return "" if {"gpu", "cuda", "rocm"} & {*platforms.split(",")} else f"JAX sees {platforms} only"


def table(outcomes: Sequence[Outcome]) -> str:
    """The outcomes in Markdown, a row for each step."""
    rows = [["step", "what", "verdict", "broken clauses", "worst ratio", "seconds", "how it ended"]]
    rows.append(["---"] * len(rows[0]))
    for outcome in outcomes:
        verdict = broken = worst = ""
        if outcome.results is not None:
            clauses = outcome.results["clauses"]
            of_all = outcome.results["verdict"]
            verdict = f"{of_all['word']}, {of_all['judged']} clauses judged"
            broken = ", ".join(c["id"] for c in clauses if c["verdict"] in ("fail", "error"))
            ratios = [c["worst_ratio"] for c in clauses if c["worst_ratio"] is not None]
            worst = f"{max(ratios):.3g}" if ratios else ""
        ended = outcome.ended or "as it should"
        seconds = f"{outcome.seconds:.0f}"
        rows.append([outcome.name, outcome.what, verdict, broken, worst, seconds, ended])
    return "\n".join(f"| {' | '.join(map(_cell, row))} |" for row in rows) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the steps, prints the table, and returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.judge_on_gpu")
    parser.add_argument("wheels", type=Path, help="folder with wheels of this package and others")
    parser.add_argument("out", type=Path, help="a new folder for results")
    parser.add_argument("--device", default="cuda", help="torch's name of it (default: cuda)")
    parser.add_argument("--scale", type=float, default=1.0, help="of all times (default: 1)")
    given = parser.parse_args(arguments)
    if not list(given.wheels.glob("lstm_conformance-*.whl")):
        parser.error(f"there is no wheel lstm_conformance-*.whl in {given.wheels}.")
    if given.out.exists():
        parser.error(f"{given.out} exists: name a new folder.")
    if not 0.0 < given.scale <= 10.0:
        parser.error(f"--scale {given.scale} is not a number above 0 and up to 10.")
    out = given.out.resolve()
    out.mkdir(parents=True)
    outcomes = [install(sys.executable, given.wheels, out, given.scale)]
    python = str(out / "environment" / "bin" / "python")
    for step in [] if outcomes[0].ended else steps(out, given.device, given.scale):
        if reason := reason_not_to(step, python):
            outcomes.append(Outcome(step.name, step.what, f"not judged: {reason}", 0.0))
        else:
            outcomes.append(run(python, step, out))
        (out / "table.md").write_text(table(outcomes), "utf-8")
    (out / "table.md").write_text(table(outcomes), "utf-8")
    print(table(outcomes), end="")
    return int(any(o.ended and not o.ended.startswith("not judged") for o in outcomes))


if __name__ == "__main__":
    sys.exit(main())
