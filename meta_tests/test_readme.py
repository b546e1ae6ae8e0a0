"""The commands of the README run, its links lead somewhere, and it is short.

The first command runs as it stands in test_ci, the second one in CI.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from lstm_conformance.runner.session.options import DEFAULT_TARGET
from lstm_conformance.spec.clauses import CLAUSES

from .helpers.command_line import environment, run
from .helpers.pages import (
    blocks,
    commands_of_the_readme,
    in_common_words,
    write_implementations,
)

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_two_commands_on_the_first_screen() -> None:
    assert len(commands_of_the_readme()) == 2
    first_screen = "\n".join(README.splitlines()[:40])
    assert all(command in first_screen for command in commands_of_the_readme())
    check, tests = commands_of_the_readme()
    assert f"lstm-conformance check {DEFAULT_TARGET}" in check
    assert "-m pytest" in tests


def test_ci_runs_the_test_command() -> None:
    path = ROOT / ".ci" / "run"
    if not path.exists():
        pytest.skip("not a checkout")
    assert path.read_text(encoding="utf-8").rstrip().endswith("\n" + commands_of_the_readme()[1])


def test_figures_are_current() -> None:
    assert f"{len(CLAUSES)} clauses" in README
    assert "2,304" in README


def test_it_is_short() -> None:
    assert len(README.splitlines()) <= 125


def inline_commands() -> list[str]:
    """The commands in its sentences and tables."""
    return re.findall(r"`(lstm-conformance [^`]+)`", README)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files that the README names."""
    write_implementations(tmp_path)
    program = tmp_path / "my_lstm"
    words = shlex.join([sys.executable, str(ROOT / "examples" / "python" / "program.py")])
    program.write_text(f"#!/bin/sh\nexec {words}\n", "utf-8")
    program.chmod(0o755)
    return tmp_path


def test_a_command_runs(folder: Path) -> None:
    """By few clauses; all else is as in the README."""
    assert len(inline_commands()) == 4
    for line in inline_commands():
        _, *arguments = shlex.split(line)
        fewer = ["--clause", "EQ-1", "-n", "0"] if arguments[0] == "check" else []
        ended = run(*arguments, *fewer, cwd=folder)
        assert ended.status == 0, (line, ended.out, ended.err)


@pytest.mark.whole
@pytest.mark.slow
def test_the_tests_of_ones_own_run(folder: Path) -> None:
    (code,) = [block.code for block in blocks(ROOT / "README.md") if block.language == "python"]
    (folder / "test_my_lstm.py").write_text(code, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-k", "all or EQ-1 or GRAD-10"],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed, 1 skipped" in done.stdout


@pytest.mark.slow
def test_check_prints_the_failure(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    (failure,) = [b.code for b in blocks(ROOT / "README.md") if b.code.startswith("EQ-5 ")]
    (tmp_path / "my_lstm.py").write_text(
        "from lstm_conformance.defects.equations.parameters import BiasHHIgnored as FastLSTM\n"
    )
    ended = run("check", "my_lstm.py:FastLSTM", "--clause", "EQ-5", "-n", "0", cwd=tmp_path)
    assert ended.status == 1
    assert without_small_errors(failure) in without_small_errors(ended.out)


def without_small_errors(text: str) -> str:
    """Without what differs between machines: an error of a few roundings may be 0, too."""
    return in_common_words(re.sub(r"Error \S+ times", "Error # times", text))


def test_links_lead_to_files_and_headings() -> None:
    assert dead_links(README) == []
    wrong = "[a](nowhere.md) [b](docs/python.md#nowhere) [c](docs/python.md#judge-an-object)"
    assert dead_links(wrong) == ["nowhere.md", "docs/python.md#nowhere"]


def dead_links(text: str) -> list[str]:
    """Links to files that are not there, or to headings that their files do not have."""
    dead = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        name, _, heading = link.partition("#")
        page = ROOT / name
        if not page.exists():
            dead.append(link)
        elif heading:
            found = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
            words = [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in found]
            if heading not in words:
                dead.append(link)
    return dead
