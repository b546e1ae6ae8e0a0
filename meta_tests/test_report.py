"""The report command: what it writes, and what it refuses in one sentence. Torch is not needed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from lstm_conformance.reports.reading import read_results
from lstm_conformance.reports.sections import LONGEST_PAGE
from lstm_conformance.runner.commands import report as report_command
from lstm_conformance.runner.commands.main import main

from .helpers.made_up_results import hostile, right, wrong


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Results of torch.nn.LSTM, of a wrong LSTM, and of the same with nothing wrong."""
    mended = right()
    mended["implementation"].update(name="mine", target="mine.py:LSTM")
    paths = []
    for name, results in (("torch", right()), ("wrong", wrong()), ("mended", mended)):
        paths.append(tmp_path / f"{name}.json")
        paths[-1].write_text(json.dumps(results), "utf-8")
    return paths


def report(*arguments: Path | str) -> int:
    """Runs the command."""
    return main(["report", *map(str, arguments)])


def refusal(capsys: pytest.CaptureFixture[str], *arguments: Path | str) -> str:
    """The sentence with which the command is refused; it prints nothing else."""
    assert report(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("lstm-conformance: ")
    assert err.count("\n") == 1
    return err


def test_made_up_results_are_results(files: list[Path], tmp_path: Path) -> None:
    for path in files:
        read_results(path)
    path = tmp_path / "hostile.json"
    path.write_text(json.dumps(hostile()), "utf-8")
    read_results(path)


def test_text_if_nothing_else_is_asked_for(
    files: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(files[1]) == 0
    assert "DEVIATES: mine 1.0" in capsys.readouterr().out
    assert report(files[1], "--markdown", files[1].with_suffix(".md")) == 0
    assert capsys.readouterr().out == ""


def test_everything_at_once(
    files: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    folder = tmp_path / "reports"
    folder.mkdir()
    summary = folder / "summary.md"
    summary.write_text("before\n", "utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    outputs = {name: folder / name for name in ("html", "markdown", "junit", "badge")}
    arguments = [word for name, path in outputs.items() for word in (f"--{name}", path)]
    assert report(files[1], *arguments, "--text", "--job-summary") == 0
    assert "DEVIATES" in capsys.readouterr().out
    assert outputs["html"].read_text("utf-8").startswith("<!DOCTYPE html>")
    assert outputs["markdown"].read_text("utf-8").startswith("# Conformance of mine 1.0")
    assert outputs["badge"].read_text("utf-8").startswith("<svg")
    assert ElementTree.parse(outputs["junit"]).getroot().tag == "testsuites"
    assert summary.read_text("utf-8").startswith("before\n# Conformance of mine 1.0")
    assert sorted(folder.iterdir()) == sorted([*outputs.values(), summary]), "nothing is left"


def test_two_of_one_implementation_are_compared(
    files: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(files[2], files[1]) == 0
    assert "mine: 5 newly broken, 2 no longer judged." in capsys.readouterr().out
    page = tmp_path / "page.html"
    assert report(files[2], files[1], "--html", page, "--markdown", tmp_path / "page.md") == 0
    assert "What changed in mine" in page.read_text("utf-8")
    assert (tmp_path / "page.md").read_text("utf-8").startswith("# What changed in mine")


def test_several_implementations_are_shown_side_by_side(
    files: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(files[0], files[1], "--text", "--markdown", tmp_path / "page.md") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines if line.startswith("EQ-1 ")] == [
        ["EQ-1", "pass", "fail"]
    ]
    assert not [line for line in lines if line.startswith("EQ-5 ")], "only one was judged"
    page = (tmp_path / "page.md").read_text("utf-8")
    (row,) = (line for line in page.splitlines() if line.startswith("| EQ-1 "))
    assert [cell.strip() for cell in row.split("|")[3:5]] == ["2.27", "**fail** 0 of 1"]


def test_reports_that_are_refused(files: list[Path], tmp_path: Path, capsys: Any) -> None:
    torch, wrong_one, _ = files
    text = wrong_one.read_text("utf-8")
    assert "cannot be read" in refusal(capsys, tmp_path / "none.json")
    assert "no folder" in refusal(capsys, torch, "--html", tmp_path / "none" / "page.html")
    assert "is a folder" in refusal(capsys, torch, "--junit", tmp_path)
    assert "would replace" in refusal(capsys, wrong_one, "--html", wrong_one)
    same = tmp_path / "same"
    assert "--html and --badge both name" in refusal(capsys, torch, "--html", same, "--badge", same)
    assert "one implementation" in refusal(capsys, torch, wrong_one, "--badge", same)
    damaged = tmp_path / "damaged.json"
    damaged.write_text(text[:1000], "utf-8")
    assert "cut off" in refusal(capsys, torch, damaged, "--markdown", same)
    assert not same.exists(), "nothing is written if anything is wrong"
    assert wrong_one.read_text("utf-8") == text


def test_a_job_summary_needs_a_job(
    files: list[Path], capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    assert "GITHUB_STEP_SUMMARY" in refusal(capsys, files[0], "--job-summary")


def test_a_job_summary_that_is_too_long_is_shortened(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = wrong()
    results["clauses"][0]["failure"]["explanation"] = "x" * 1_000_000
    files[1].write_text(json.dumps(results), "utf-8")
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    assert report(files[1], "--job-summary") == 0
    page = summary.read_text("utf-8")
    assert page.startswith("# Conformance of mine 1.0\n\nDEVIATES: mine 1.0")
    assert page.index("## EQ-1 ") < page.index("| clause |"), "causes come first"
    assert len(page) <= LONGEST_PAGE
    summary.unlink()
    monkeypatch.setattr(report_command, "_LARGEST_JOB_SUMMARY", 1000)
    assert report(files[0], files[1], "--job-summary") == 0
    page = summary.read_text("utf-8")
    assert "DEVIATES: mine 1.0" in page
    assert "too long for a job summary" in page


@pytest.mark.parametrize(
    ("package", "option"), [("jinja2", "badge"), ("jinja2", "html"), ("matplotlib", "html")]
)
def test_a_missing_package_is_named(
    package: str, option: str, files: list[Path], capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(sys.modules):
        if name.startswith("lstm_conformance.reports."):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    file = files[0].with_suffix(".out")
    sentence = refusal(capsys, files[0], f"--{option}", file)
    assert sentence.endswith(f"--{option} needs {package}: pip install 'lstm-conformance[html]'.\n")
    assert not file.exists()
