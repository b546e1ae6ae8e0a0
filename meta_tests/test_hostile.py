"""Implementations that end or spoil the process, or write to its outputs, cost no other verdict."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .helpers.command_line import IMPLEMENTATIONS, check, run

pytest.importorskip("torch")


def target(name: str) -> str:
    return f"{IMPLEMENTATIONS / 'hostile.py'}:{name}"


@pytest.mark.whole
@pytest.mark.slow
def test_ending_a_worker_process_breaks_the_clauses_where_it_happens(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    clauses = ("--clause", "EQ-4", "--clause", "PROJ-3", "--clause", "PROJ-4", "--clause", "DIR-4")
    ended = run(
        "check", target("Aborting"), "-n", "1", "--profile", "smoke", *clauses, "--json", str(file),
        cwd=tmp_path,
    )  # fmt: skip
    assert ended.status == 1
    verdicts = {c["id"]: c["verdict"] for c in json.loads(file.read_text())["clauses"]}
    assert verdicts == {"EQ-4": "pass", "PROJ-3": "pass", "PROJ-4": "error", "DIR-4": "pass"}
    assert "crashed" in ended.out


def test_ending_the_only_process_is_not_completed(tmp_path: Path) -> None:
    ended, results = check(target("Aborting"), "--clause", "PROJ-4", cwd=tmp_path)
    assert ended.status == 3
    assert results == {}
    assert "the process was ended by SIGABRT" in ended.err
    # The calls of pytest, which come last in the log, do not crowd out where it happened.
    assert "Fatal Python error: Aborted" in ended.err
    where = next(line for line in ended.err.splitlines() if line.startswith("  File "))
    assert "hostile.py" in where


def test_printing_does_not_matter(tmp_path: Path) -> None:
    options = ("--profile", "smoke", "--clause", "EQ-4")
    ended, results = check(target("Printing"), *options, cwd=tmp_path)
    assert ended.status == 0
    assert results["gate_passed"] is True
    assert "raw" not in ended.out
    assert "script" not in ended.out


def test_what_all_code_shares_is_restored(tmp_path: Path) -> None:
    ended, results = check(
        target("Spoiling"), "--profile", "smoke", "--clause", "EQ-4", "--clause", "PURE-14",
        cwd=tmp_path,
    )  # fmt: skip
    verdicts = {c["id"]: c["verdict"] for c in results["clauses"]}
    assert verdicts == {"EQ-4": "pass", "PURE-14": "fail"}
    assert "INTERNALERROR" not in ended.out + ended.err


@pytest.mark.whole
def test_what_cannot_be_restored_is_one_sentence(tmp_path: Path) -> None:
    ended, results = check(target("ClosingAll"), "--clause", "EQ-4", cwd=tmp_path)
    assert ended.status == 3
    assert results == {}
    assert "--isolate gives it one of its own" in ended.err
    assert len(ended.err.splitlines()) == 1
