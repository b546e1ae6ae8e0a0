"""Adapters that are programs: Node.js runs them, and what is missing is said in one sentence."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lstm_conformance.adapters import REGISTRY, node
from lstm_conformance.adapters.target import load
from lstm_conformance.spec.usage_error import UsageError

from .helpers.command_line import run

ROOT = Path(__file__).parents[1]

NAMES = [name for name, adapter in REGISTRY.items() if adapter.program]


@pytest.mark.parametrize("name", NAMES)
def test_without_node_it_is_asked_for(name: str, tmp_path: Path) -> None:
    ended = run("check", name, "-n", "0", cwd=tmp_path, PATH=str(tmp_path))
    assert ended.status == 2, ended
    assert "runs in Node.js, and there is no program node on the PATH." in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
@pytest.mark.parametrize("name", NAMES)
def test_without_its_package_it_is_asked_for(name: str, tmp_path: Path) -> None:
    ended = run("check", name, "-n", "0", cwd=tmp_path)
    assert ended.status == 2, ended
    assert "which the working folder has not: npm install @" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("name", NAMES)
def test_no_interpreter_of_python_serves_it(name: str) -> None:
    with pytest.raises(UsageError, match=f"^{name} is a program, which no Python runs"):
        load(name)


@pytest.mark.parametrize("factory", [REGISTRY[name].factory for name in NAMES])
def test_its_program_is_in_the_package(factory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: name)
    words = getattr(node, factory.partition(":")[2])()
    assert Path(words[1]).is_file()


@pytest.mark.parametrize("name", NAMES)
def test_it_answers(name: str, tmp_path: Path) -> None:
    if shutil.which("node") is None or not (ROOT / "node_modules").is_dir():
        pytest.skip("needs node, and what `python -m tools.frameworks install` installs")
    clauses = [f"--clause={clause}" for clause in ("EQ-1", "EQ-4", "DIR-4", "STACK-1", "PACK-3")]
    ended = run(
        "check", name, "--profile", "smoke", "-n", "0", *clauses,
        cwd=tmp_path, NODE_PATH=str(ROOT / "node_modules"),
    )  # fmt: skip
    assert ended.status == 0, ended
