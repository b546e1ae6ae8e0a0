"""The walk-throughs for contributors: their steps are applied to a copy of the checkout."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from .helpers.command_line import Ended, command, environment
from .helpers.pages import Block, blocks, in_common_words

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "walk-throughs.md"

# Folders of the package, besides `package`, which is its root.
PARTS = ("spec", "reference", "reports", "adapters", "defects", "tests", "runner")

# Each section to the exit statuses of its commands.
STATUSES = {
    "Add a clause": [0] * 6,
    "Add a defect": [0] * 2,
    "Add an adapter": [0, 0, 1],
    "Add a finding": [1, 0, 0],
}
# The section that another one goes on from.
BEFORE = {"Add a finding": "Add an adapter"}


def put(root: Path, block: Block) -> None:
    """Puts the text of a block where the sentence before it says.

    Args:
        root: the folder of a checkout.
        block: its text ends up in one of the files.

    Raises:
        AssertionError: the sentence does not name exactly one place.
    """
    place = re.search(
        r"(?P<how>New file|At the end of|In) `(?P<file>[^`]+)`"
        r"(, (?P<where>before the last two lines|after the line with `(?P<text>[^`]+)`))?:$",
        block.introduction,
    )
    assert place, block.introduction
    path = root / place["file"]
    assert path.exists() == (place["how"] != "New file"), path
    assert (place["how"] == "In") == (place["where"] is not None), block.introduction
    if place["how"] == "New file":
        path.write_text(block.code, "utf-8")
        return
    lines = path.read_text("utf-8").splitlines(keepends=True)
    if place["how"] == "At the end of":
        at, text = len(lines), f"\n\n{block.code}"
    elif place["text"] is None:
        at, text = len(lines) - 2, block.code
    else:
        found = [number for number, line in enumerate(lines) if place["text"] in line]
        assert len(found) == 1, block.introduction
        at, text = found[0] + 1, block.code
    path.write_text("".join([*lines[:at], text, *lines[at:]]), "utf-8")


class Checkout:
    """A copy of the checkout, which may be changed, and a package whose folders are its folders.

    Args:
        folder: an empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self.root = folder / "checkout"
        self._packages = folder / "packages"
        for name in (*PARTS, "package", "meta_tests", "tools"):
            shutil.copytree(
                ROOT / name, self.root / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        for name in ("pyproject.toml", "conftest.py", "tox.ini", "constraints.txt", "README.md"):
            shutil.copy(ROOT / name, self.root)
        package = self._packages / "lstm_conformance"
        package.mkdir(parents=True)
        for path in (*map(self.root.joinpath, PARTS), *(self.root / "package").iterdir()):
            (package / path.name).symlink_to(path)

    def run(self, line: str) -> Ended:
        """Runs a command line in the folder of the copy."""
        program, *arguments = shlex.split(line)
        started = {
            "lstm-conformance": command(*arguments),
            "python": [sys.executable, *arguments],
        }[program]
        done = subprocess.run(
            started,
            cwd=self.root,
            env={
                **environment(),
                # The copy itself, for the framework that is made up.
                "PYTHONPATH": os.pathsep.join(map(str, (self._packages, self.root))),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def follow(self, steps: Iterable[Block]) -> Iterator[Ended]:
        """Applies texts, runs commands, compares what they print, and says how each ended."""
        shown: list[str] = []
        for step in steps:
            if step.not_run:
                continue
            if step.language == "sh":
                shown.clear()
                for line in step.commands:
                    ended = self.run(line)
                    shown += [ended.out, ended.err]
                    yield ended
            elif step.language == "text":
                for line in step.code.splitlines():
                    assert in_common_words(line) in in_common_words(" ".join(shown)), line
            else:
                put(self.root, step)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    pytest.importorskip("torch", reason="the defects are made with torch")
    return Checkout(tmp_path)


def section(heading: str) -> list[Block]:
    """The steps of a section, after those of the section that it goes on from."""
    before = section(BEFORE[heading]) if heading in BEFORE else []
    return [*before, *(block for block in blocks(PAGE) if block.section == heading)]


def statuses(heading: str) -> list[int]:
    return [*(statuses(BEFORE[heading]) if heading in BEFORE else []), *STATUSES[heading]]


def is_text(block: Block) -> bool:
    return block.language in ("python", "toml")


@pytest.mark.whole
@pytest.mark.parametrize(
    "heading",
    ["Add a clause", "Add a defect", "Add a finding"],  # the last one with the adapter
)
def test_the_steps_work_as_they_stand(heading: str, checkout: Checkout) -> None:
    ended = list(checkout.follow(section(heading)))
    assert [each.status for each in ended] == statuses(heading), ended


def test_every_section_is_tried() -> None:
    assert list(dict.fromkeys(block.section for block in blocks(PAGE))) == list(STATUSES)


def test_without_its_text_there_is_no_defect(checkout: Checkout) -> None:
    judge = next(block for block in section("Add a defect") if block.language == "sh")
    (line,) = judge.commands
    ended = checkout.run(line)
    assert ended.status == 2
    assert "there is no defect 'TanhOfCellTwice'" in ended.err


@pytest.mark.whole
@pytest.mark.parametrize(
    ("heading", "left_out"),
    [
        pytest.param(heading, block, id=f"{heading}-{number}")
        for heading in ("Add a clause", "Add a finding")
        for number, block in enumerate(filter(is_text, section(heading)))
    ],
)
def test_a_text_that_is_left_out_is_noticed(
    heading: str, left_out: Block, checkout: Checkout
) -> None:
    steps = [step for step in section(heading) if step.language != "text" and step != left_out]
    pairs = zip(checkout.follow(steps), statuses(heading), strict=True)
    assert any(ended.status != status for ended, status in pairs)


@pytest.mark.parametrize(
    "introduction",
    [
        "Copy this:",
        "In `pyproject.toml`:",
        "New file `pyproject.toml`:",
        "In `pyproject.toml`, after the line with `no such text`:",
        "In `pyproject.toml`, after the line with `lstm`:",
    ],
)
def test_a_place_that_is_none_is_refused(introduction: str, tmp_path: Path) -> None:
    root = tmp_path / "checkout"
    root.mkdir()
    shutil.copy(ROOT / "pyproject.toml", root)
    with pytest.raises(AssertionError):
        put(root, Block("toml", "x = 1\n", "", "", introduction))
    assert (root / "pyproject.toml").read_text("utf-8") == (ROOT / "pyproject.toml").read_text()
