"""Runs ``lstm-conformance`` as a user does, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

SCHEMA = json.loads(files("lstm_conformance.reports").joinpath("results.schema.json").read_text())
IMPLEMENTATIONS = Path(__file__).parents[1] / "implementations"


class Ended(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


def environment() -> dict[str, str]:
    """The environment, without the variables of pytest-xdist that mark a worker process."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COV_"))}


def command(*arguments: str) -> list[str]:
    """The command line of ``lstm-conformance`` with these arguments."""
    return [sys.executable, "-m", "lstm_conformance", *arguments]


def run(*arguments: str, cwd: Path, **variables: str) -> Ended:
    """Runs the command to its end, with these variables in its environment besides."""
    done = subprocess.run(
        command(*arguments),
        cwd=cwd,
        env={**environment(), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def check(target: str, *options: str, cwd: Path) -> tuple[Ended, dict[str, Any]]:
    """Judges ``target`` in one process; how it ended, and the results."""
    file = cwd / "results.json"
    ended = run("check", target, "-n", "0", "--json", str(file), *options, cwd=cwd)
    return ended, json.loads(file.read_text("utf-8")) if file.exists() else {}


def root_causes(results: dict[str, Any]) -> set[str]:
    """Ids of the clauses that are named as causes."""
    return {clause["id"] for clause in results["clauses"] if clause["root_cause"]}
