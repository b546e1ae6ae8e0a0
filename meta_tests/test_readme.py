"""The commands of the README are those that CI checks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lstm_conformance.runner.session.options import DEFAULT_TARGET
from lstm_conformance.spec.clauses import CLAUSES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands() -> list[str]:
    """The one-line commands of the first screen."""
    return re.findall(r"^python3 -m venv .*$", README, re.MULTILINE)


def test_two_commands_on_the_first_screen() -> None:
    assert len(commands()) == 2
    first_screen = "\n".join(README.splitlines()[:40])
    assert all(command in first_screen for command in commands())
    check, tests = commands()
    assert f"lstm-conformance check {DEFAULT_TARGET}" in check
    assert "-m pytest" in tests


def test_ci_runs_the_test_command() -> None:
    path = ROOT / ".ci" / "run"
    if not path.exists():
        pytest.skip("not a checkout")
    assert path.read_text(encoding="utf-8").rstrip().endswith("\n" + commands()[1])


def test_figures_are_current() -> None:
    assert f"{len(CLAUSES)} clauses" in README
    assert "2,304" in README
