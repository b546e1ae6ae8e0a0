"""The pages for users: their commands run, their links lead somewhere, their figures are published.

`test_ci`, `test_python_examples`, `test_tutorial` and `test_walk_throughs` try the commands of the
other pages.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml

from lstm_conformance.spec.combinations import all_combinations, covering_array

from .helpers.command_line import run
from .helpers.pages import blocks

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PUBLISHED = ROOT / "reports" / "published"

# Pages whose commands are tried here.
TRIED = ("index.md", "interpreting-failures.md", "how-long.md", "devices.md")
# Pages that have no commands.
WITHOUT = (
    "dropout.md",
    "limits.md",
    "oracle.md",
    "other-tools.md",
    "rounding-noise.md",
    "sizes.md",
)


def commands() -> list[str]:
    return [
        line
        for page in TRIED
        for block in blocks(DOCS / page)
        if block.language == "sh" and not block.not_run
        for line in block.commands
    ]


@pytest.mark.slow
@pytest.mark.parametrize("line", commands())
def test_a_command_runs(line: str, tmp_path: Path) -> None:
    shutil.copy(ROOT / "examples" / "python" / "numpy_function.py", tmp_path / "my_lstm.py")
    program, *arguments = shlex.split(line)
    assert program == "lstm-conformance"
    ended = run(*arguments, "-n", "0", cwd=tmp_path)
    # With a budget, some clause may not be reached.
    assert ended.status in ((0, 3) if "--max-time" in line else (0,)), ended.out + ended.err


@pytest.mark.parametrize("page", WITHOUT)
def test_no_command_is_overlooked(page: str) -> None:
    assert not [block for block in blocks(DOCS / page) if block.language == "sh"]


def test_a_command_that_is_not_run_says_why() -> None:
    reasons = [block.not_run for page in TRIED for block in blocks(DOCS / page)]
    assert [reason for reason in reasons if reason] == [
        "it installs packages; test_ci installs the package",
        "the default profile takes minutes",
        "it needs a GPU",
        "it needs a GPU",
    ]


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md")))
def test_links_lead_to_files(page: str) -> None:
    """On GitHub, too, where pages that are made for the site do not exist."""
    assert not dead_links(DOCS / page)


def test_a_dead_link_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("[a](page.md#x) [b](nowhere.md) [c](https://example.org) [d](#x)\n", "utf-8")
    assert dead_links(page) == ["nowhere.md"]


def dead_links(page: Path) -> list[str]:
    links = re.findall(r"\]\(([^)\s#]+)[^)\s]*\)", page.read_text("utf-8"))
    files = [link for link in links if not re.match(r"[a-z]+:", link)]
    return [link for link in files if not (page.parent / link).exists()]


def test_every_page_is_in_the_navigation() -> None:
    text = (ROOT / "mkdocs.yml").read_text("utf-8").partition("\nnav:\n")[2]
    named = set(re.findall(r": ([\w/-]+\.md)$", text, re.MULTILINE))
    pages = {path.name for path in DOCS.glob("*.md")}
    pages |= {path.relative_to(ROOT).as_posix() for path in PUBLISHED.glob("*.md")}
    assert pages <= named, "add these pages to mkdocs.yml"
    assert yaml.safe_load(f"nav:\n{text}")


# Page to figures on it, and where they are published.
FIGURES = {
    "rounding-noise.md": {
        "calibration.md": ("6.58", "6.94", "26.30", "5.98", "0.09%", "0.11%"),
        "calibration_sizes.md": ("13.69",),
        "sensitivity.md": ("9e-15 to 4e-14", "3e-07 to 7e-06", "5e-06 to 2e-05", "3e-02 to 2e-01"),
    },
    "interpreting-failures.md": {"diagnosis.md": ("93.2%", "367")},
    "oracle.md": {"defects.md": ("703",)},
    "limits.md": {"first_sight.md": ("the dropout of packed",)},
}


@pytest.mark.parametrize("page", FIGURES)
def test_figures_are_published(page: str) -> None:
    text = (DOCS / page).read_text("utf-8")
    for source, figures in FIGURES[page].items():
        published = (PUBLISHED / source).read_text("utf-8")
        for figure in figures:
            assert figure in text, figure
            assert figure in published, (source, figure)


def test_figures_of_profiles() -> None:
    text = (DOCS / "how-long.md").read_text("utf-8")
    assert f"{len(all_combinations()):,}" in text
    assert f"{2 * len(covering_array())} instead of {2 * len(all_combinations()):,} cases" in text
    about = re.search(r"takes about (\d+) s of judging", text)
    assert about is not None
    file = ROOT / "runner" / "session" / "expected_seconds.json"
    total = sum(json.loads(file.read_text("utf-8")).values())
    assert abs(int(about[1]) - total) < 0.1 * total
