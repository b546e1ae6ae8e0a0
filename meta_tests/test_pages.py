"""The pages for users: their commands run, their links lead somewhere, their figures are published.

Modules that `ELSEWHERE` names try the code of the other pages.
"""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from lstm_conformance.adapters.function import FunctionLSTM
from lstm_conformance.runner.commands.main import _parser
from lstm_conformance.spec.case import Case
from lstm_conformance.spec.combinations import all_combinations, covering_array

from .helpers.command_line import run
from .helpers.made_up_results import right, versions, wrong
from .helpers.pages import blocks, write_implementations
from .helpers.selection import elsewhere

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PUBLISHED = ROOT / "reports" / "published"

# Pages whose commands are tried here.
TRIED = (
    "devices.md",
    "how-long.md",
    "index.md",
    "interpreting-failures.md",
    "options.md",
    "reports.md",
    "results.md",
    "test-your-own.md",
    "vectors.md",
)
# Pages to the modules that try their code.
ELSEWHERE = {
    "ci.md": "test_ci",
    "gate.md": "test_ci",
    "protocol.md": "test_program",
    "python.md": "test_python_page",
    "python-reference.md": "test_python_reference",
    "tutorial.md": "test_tutorial",
    "walk-throughs.md": "test_walk_throughs",
}
# Pages that have no code.
WITHOUT = (
    "dropout.md",
    "glossary.md",
    "limits.md",
    "oracle.md",
    "other-tools.md",
    "rounding-noise.md",
    "sizes.md",
)


def commands() -> list[Any]:
    """Those that judge take long: ``test_readme.py`` and ``test_ci.py`` have some for every run."""
    return [
        elsewhere(line) if " check " in line else line
        for page in TRIED
        for block in blocks(DOCS / page)
        if block.language == "sh" and not block.not_run
        for line in block.commands
    ]


# With these, a command whose text is the key takes no minutes; all else is as on the page.
FEWER = {
    "drop_in.py": "--clause EQ-1 --clause STATE-2",
    "--working-precision": "--profile smoke --clause EQ-1",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files that the pages name."""
    write_implementations(tmp_path)
    (tmp_path / "known.toml").write_text("# Nothing is broken.\n", "utf-8")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    changed = right()
    changed["implementation"].update(name="mine", target="mine.py:LSTM")
    made_up = {"results": right(), "before": changed, "after": wrong(), "torch": right()}
    made_up |= {"jax": right(), "keras": changed}
    made_up |= dict(zip(("mine-1.0", "mine-1.1", "mine-2.0"), versions(wrong()), strict=True))
    for name, results in made_up.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(results), "utf-8")
    return tmp_path


@pytest.mark.parametrize("line", commands())
def test_a_command_runs(line: str, folder: Path) -> None:
    if "drop_in" in line:
        pytest.importorskip("torch")
    program, command, *arguments = shlex.split(line)
    assert program == "lstm-conformance"
    if command == "check":
        more = " ".join(fewer for text, fewer in FEWER.items() if text in line)
        arguments += [*more.split(), "-n", "0"]
    ended = run(command, *arguments, cwd=folder)
    # With a budget, some clause may not be reached.
    assert ended.status in ((0, 3) if "--max-time" in line else (0,)), ended.out + ended.err
    written = [name for name in arguments if name.endswith((".html", ".svg", ".xml"))]
    assert all((folder / name).stat().st_size for name in written)


def inline_commands() -> list[str]:
    """The commands in sentences and tables of all pages."""
    texts = [page.read_text("utf-8") for page in sorted(DOCS.glob("*.md"))]
    return sorted(
        {line for text in texts for line in re.findall(r"`(lstm-conformance .+?)`", text)}
    )


@pytest.mark.parametrize("line", inline_commands())
def test_a_command_in_a_sentence_has_options_that_exist(line: str) -> None:
    _, command, *arguments = shlex.split(line)
    if arguments:
        _parser().parse_args([command, *arguments])
    else:  # only its name
        with pytest.raises(SystemExit) as ended:
            _parser().parse_args([command, "--help"])
        assert ended.value.code == 0


def test_a_wrong_option_in_a_sentence_is_noticed() -> None:
    with pytest.raises(SystemExit):
        test_a_command_in_a_sentence_has_options_that_exist("lstm-conformance check --jsn FILE")


@pytest.mark.whole
def test_the_steps_for_a_badge_run(folder: Path) -> None:
    (steps,) = [block.code for block in blocks(DOCS / "reports.md") if block.language == "yaml"]
    check, report = (shlex.split(step["run"])[1:] for step in yaml.safe_load(steps))
    assert run(*check, "--clause", "EQ-2", "-n", "0", cwd=folder).status == 0
    summary = folder / "summary.md"
    ended = run(*report, cwd=folder, GITHUB_STEP_SUMMARY=str(summary))
    assert ended.status == 0, ended.err
    assert summary.read_text("utf-8").startswith("# Conformance of ")
    assert "<svg" in (folder / "badge.svg").read_text("utf-8")


def test_the_settings_of_the_page_are_read(folder: Path) -> None:
    (settings,) = [block.code for block in blocks(DOCS / "options.md") if block.language == "toml"]
    (folder / "pyproject.toml").write_text(settings, "utf-8")
    ended = run("check", "--clause", "EQ-2", "-n", "0", cwd=folder)
    assert ended.status == 0, ended.err
    assert "profile smoke, without packed, known-deviations known.toml" in ended.err


def test_functions_of_the_page_are_implementations() -> None:
    of_numpy, of_jax, of_cell = [
        block.code for block in blocks(DOCS / "test-your-own.md") if block.language == "python"
    ]
    assert made_by(of_numpy).capabilities == {"states", "float32"}
    if importlib.util.find_spec("jax"):
        assert made_by(of_jax).capabilities > {"states", "float32", "gradients"}
    case = Case.parse("v1 input_size=2 hidden_size=3 num_layers=2 bidirectional=True seq_len=4")
    given: dict[str, Any] = {"cell": lambda x, states, weights: states}
    exec(of_cell, given)
    output, _, _ = given["lstm"](case, case.arguments())
    assert output.shape == case.shapes()["output"]


def made_by(code: str) -> FunctionLSTM:
    """The implementation ``LSTM`` that the code makes of a function ``lstm``."""
    given: dict[str, Any] = {"lstm": lambda case, arguments: None}
    exec(code, given)
    assert isinstance(given["LSTM"], FunctionLSTM)
    return given["LSTM"]


def test_the_code_of_the_page_validates_results(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = [block.code for block in blocks(DOCS / "results.md") if block.language == "python"]
    monkeypatch.chdir(folder)
    exec(code, {})
    assert capsys.readouterr().out == f"{right()['verdict']['word']}\n"
    (folder / "results.json").write_text(json.dumps({**right(), "seed": "0"}), "utf-8")
    with pytest.raises(jsonschema.ValidationError, match="'0' is not of type 'integer'"):
        exec(code, {})


def test_every_page_is_tried_somewhere() -> None:
    """A new page has to be named above."""
    assert sorted([*TRIED, *ELSEWHERE, *WITHOUT]) == sorted(path.name for path in DOCS.glob("*.md"))
    for page, module in ELSEWHERE.items():
        assert f'"{page}"' in (ROOT / "meta_tests" / f"{module}.py").read_text("utf-8")


# What a block may be that is not tried: output, and what belongs into the page of a project.
SHOWN = ("text", "markdown")


@pytest.mark.parametrize("page", WITHOUT)
def test_no_code_is_overlooked(page: str) -> None:
    assert not [block for block in blocks(DOCS / page) if block.language not in SHOWN]


def test_every_block_of_code_has_a_language() -> None:
    """Otherwise it would be overlooked."""
    for page in DOCS.glob("*.md"):
        fences = re.findall(r"^ *```", page.read_text("utf-8"), re.MULTILINE)
        assert len(fences) == 2 * len([*blocks(page)]), page.name


@pytest.mark.parametrize(
    "word",
    [
        "adapter", "capability", "case", "cause", "clause", "combination", "cotangent",
        "covering array", "defect", "diagnosis", "domain", "drop-in", "gate", "ill-conditioned",
        "known deviation", "MUST, SHOULD", "profile", "ratio", "reference, oracle",
        "rounding noise", "shard", "unit roundoff", "verdict", "waived",
    ],
)  # fmt: skip
def test_the_glossary_has_words_that_pages_use(word: str) -> None:
    assert f"**{word}**" in (DOCS / "glossary.md").read_text("utf-8")


@pytest.mark.parametrize("page", ["index.md", "options.md", "tutorial.md"])
def test_pages_for_beginners_lead_to_the_glossary(page: str) -> None:
    assert "](glossary.md)" in (DOCS / page).read_text("utf-8")


def test_code_that_is_not_run_says_why() -> None:
    found = [(page, block) for page in TRIED for block in blocks(DOCS / page) if block.not_run]
    assert [(page, block.not_run) for page, block in found] == [
        ("devices.md", "it needs a GPU"),
        ("devices.md", "it needs torch_xla"),
        ("devices.md", "it needs a GPU"),
        ("index.md", "it installs packages; test_ci installs the package"),
        ("interpreting-failures.md", "the default profile takes minutes"),
        ("test-your-own.md", "it takes minutes; the page about failures has smaller sizes"),
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
        "calibration.md": ("5.78", "6.40", "9.18", "7.42", "0.24%"),
        "calibration_sizes.md": ("11.63",),
        "sensitivity.md": ("9e-15 to 4e-14", "3e-07 to 7e-06", "5e-06 to 2e-05", "3e-02 to 2e-01"),
    },
    "interpreting-failures.md": {"diagnosis.md": ("65.8%", "95.9%", "556")},
    "oracle.md": {"defects.md": ("910",)},
    "test-your-own.md": {"calibration_products.md": ("5.12", "13.68")},
    "limits.md": {"first_sight.md": ("the dropout of packed",)},
    "other-tools.md": {"suites.md": ("298", "83", "64", "56")},
    "sizes.md": {"windows.md": ("196", "100.0%")},
    "../README.md": {"defects.md": ("910",), "calibration.md": ("100,800",)},
}


@pytest.mark.parametrize("page", FIGURES)
def test_figures_are_published(page: str) -> None:
    text = " ".join((DOCS / page).read_text("utf-8").split())
    for source, figures in FIGURES[page].items():
        published = " ".join((PUBLISHED / source).read_text("utf-8").split())
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
