"""The example programs in other languages conform, and a mistake in them is named."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lstm_conformance.runner.processes.child_process import ChildProcess, Limits
from lstm_conformance.runner.processes.program import PROTOCOL

from .helpers.command_line import Ended, run

EXAMPLES = Path(__file__).parents[1] / "examples"

# Each capability that a program may declare, to a clause of which every case needs it.
EXERCISED_BY = {
    "layers": "STACK-1",
    "bidirectional": "DIR-4",
    "projection": "PROJ-3",
    "no-bias": "EQ-4",
    "two-biases": "EQ-5",
    "batch-first": "SHAPE-5",
    "unbatched": "SHAPE-6",
    "packed": "PACK-3",
    "states": "STATE-3",
    "full-dropout": "DROP-2",
    "gradients": "COMB-2",
}
PRECISIONS = {"float64", "float32"}

# Clauses on all combinations, and on values that may be lost between two programs: small and large
# numbers, NaN.
VALUES = ("COMB-1", "EQ-6", "EDGE-4", "EDGE-11")

# The order of the gates in other frameworks.
ORDER = {"INPUT_GATE": 0, "OUTPUT_GATE": 1, "FORGET_GATE": 2, "CANDIDATE": 3}


def tool(name: str) -> str:
    """The path of a compiler or interpreter. In CI it must not be missing."""
    path = shutil.which(name)
    if path is None and os.environ.get("CI") == "true":
        pytest.fail(f"{name} is missing")
    if path is None:
        pytest.skip(f"needs {name}")
    return path


def command(language: str, sources: Path) -> str:
    """The command that runs the example. It is built first if that is needed."""
    if language == "javascript":
        return shlex.join([tool("node"), str(sources / "lstm.mjs")])
    flags = ["-O2", "-std=c11", "-Wall", "-Wextra", "-Werror"]
    built = sources / "runner"
    subprocess.run(
        [tool("cc"), *flags, str(sources / "runner.c"), "-lm", "-o", str(built)], check=True
    )
    return shlex.join([str(built)])


def capabilities(program: str) -> set[str]:
    """The capabilities that the program declares."""
    worker = ChildProcess(shlex.split(program), Limits(), {"method": "hello", "protocol": PROTOCOL})
    declared = worker.start()["capabilities"]
    worker.stop()
    return set(declared)


def judge(program: str, clauses: tuple[str, ...], folder: Path) -> tuple[Ended, dict[str, Any]]:
    """How the command ended, and the results."""
    file = folder / "results.json"
    options = [f"--clause={clause}" for clause in clauses]
    ended = run(
        "check", "--exec", program, "--profile", "smoke", "-n", "0", "--json", str(file), *options,
        cwd=folder,
    )  # fmt: skip
    return ended, json.loads(file.read_text("utf-8")) if file.exists() else {}


@pytest.mark.whole
@pytest.mark.parametrize("language", ["c", "javascript"])
def test_example_conforms(language: str, tmp_path: Path) -> None:
    sources = shutil.copytree(EXAMPLES / language, tmp_path / language)
    program = command(language, sources)
    declared = capabilities(program)
    assert declared >= PRECISIONS
    clauses = (*(EXERCISED_BY[name] for name in declared - PRECISIONS), *VALUES)
    ended, results = judge(program, clauses, tmp_path)
    assert ended.status == 0, ended.out + ended.err
    assert {clause["id"] for clause in results["clauses"]} == set(clauses)
    for clause in results["clauses"]:
        assert set(clause["counts"]) == {"pass"}, clause["id"]
    assert {entry["dtype"] for entry in results["tensors"]} == PRECISIONS
    gradients = {entry["tensor"] for entry in results["tensors"]} - {"output", "h_n", "c_n"}
    assert bool(gradients) == ("gradients" in declared)


@pytest.mark.whole
@pytest.mark.parametrize("language", ["c", "javascript"])
def test_wrong_gate_order_is_named(language: str, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    sources = shutil.copytree(EXAMPLES / language, tmp_path / language)
    file = sources / {"c": "lstm.c", "javascript": "lstm.mjs"}[language]
    text = file.read_text("utf-8")
    for gate, block in ORDER.items():
        text, number = re.subn(rf"\b{gate}( = | )\d\b", rf"{gate}\g<1>{block}", text)
        assert number == 1
    file.write_text(text, "utf-8")
    ended, results = judge(command(language, sources), ("EQ-1",), tmp_path)
    assert ended.status == 1, ended.out + ended.err
    (clause,) = results["clauses"]
    assert clause["failure"]["diagnosis"]["defects"] == ["GatesInOrderIOFG"]
    assert "matches GatesInOrderIOFG" in ended.out
