"""Markdown fits into a comment on GitHub, whatever was found, and says what it leaves out."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from lstm_conformance.reports.difference import difference, difference_markdown
from lstm_conformance.reports.matrix import matrix_markdown
from lstm_conformance.reports.releases import releases_markdown, releases_of
from lstm_conformance.reports.sections import LONGEST_PAGE, Section, fitted, length, shortened_lines
from lstm_conformance.reports.tables import markdown_report
from lstm_conformance.runner.gate.conclusion import conclude

from .helpers.made_up_results import crash, hostile, right, wrong
from .helpers.selection import elsewhere

Results = dict[str, Any]

REMARK = "To fit into a comment on GitHub, this page leaves out "


def with_failures(number: int, text: str, cause: bool = True) -> Results:
    """Results with so many further broken clauses, each with this text."""
    results = wrong()
    one = results["clauses"][0]
    for k in range(number):
        failure = {**crash(f"X-{k}"), "explanation": text}
        changes = {"id": f"X-{k}", "title": "Title", "verdict": "fail", "failure": failure}
        results["clauses"].append({**one, **changes, "root_cause": cause, "must_hold": True})
    return results


def test_what_fits_is_shown_as_a_whole() -> None:
    page = markdown_report(right())
    assert length(page) <= LONGEST_PAGE
    assert REMARK not in page
    for clause in right()["clauses"]:
        assert f"| {clause['id']} |" in page


@pytest.mark.parametrize("cause", [True, False])
@pytest.mark.parametrize(("number", "size"), [(3, 1_000_000), (300, 3000), (3000, 100)])
def test_any_number_of_failures_fits(number: int, size: int, cause: bool) -> None:
    page = markdown_report(with_failures(number, "x" * size, cause))
    assert length(page) <= LONGEST_PAGE
    assert page.startswith("# Conformance of mine 1.0\n\nDEVIATES: mine 1.0 deviates in ")
    assert (page.count(REMARK) == 1) == (number > 3)
    first_cause = page.index("## EQ-1 ")
    assert page.index("gates are read as") < first_cause, "the summary names the cause"
    if number < 3000:
        assert first_cause < page.index("| clause |") < page.rindex("Python 3")
    if number == 300:
        assert "failures" in page.rpartition(REMARK)[2]


def test_causes_are_more_important_than_what_builds_on_them() -> None:
    results = with_failures(300, "x" * 3000, cause=False)
    page = markdown_report(results)
    assert "## EQ-1 Gate order (a cause)" in page
    assert "the table of clauses" not in page.rpartition(REMARK)[2]
    for clause in results["clauses"]:
        if clause["verdict"] == "error":
            clause.update(root_cause=True, must_hold=True)
    assert "## EQ-3 " in markdown_report(results)


def test_the_table_of_clauses_gets_shorter_before_it_goes() -> None:
    page = markdown_report(with_failures(1, "x"), 14_000)
    assert length(page) <= 14_000
    assert "| EQ-1 |" in page
    assert "| SHAPE-1 |" not in page
    assert "the clauses that passed or are unsupported" in page.rpartition(REMARK)[2]
    page = markdown_report(with_failures(300, "x"), 14_000)
    assert length(page) <= 14_000
    assert "| EQ-1 |" not in page
    assert "the table of clauses" in page.rpartition(REMARK)[2]


@pytest.mark.parametrize("place", ["name", "version", "platform", "packages", "reasons", "all"])
def test_texts_of_any_length_fit(place: str) -> None:
    results, long = wrong(), "\N{GRINNING FACE}<" * 40_000
    if place == "all":
        results = hostile()
    elif place == "platform":
        results["environment"]["platform"] = long
    elif place == "packages":
        results["environment"]["packages"] = {f"p{k}": "1.0" for k in range(100_000)}
    elif place == "reasons":
        for clause in results["clauses"]:
            clause["reasons"] = {long: 1}
        combinations = results["coverage"]["combinations"]
        combinations["left_out"] = [
            {"reason": f"{k} {long}", "combinations": ["x"]} for k in range(300)
        ]
    else:
        results["implementation"][place] = long
    page = markdown_report(results)
    assert length(page) <= LONGEST_PAGE
    assert "DEVIATES" in page or place == "all"


def test_a_comparison_and_the_report_fit_together(tmp_path: Path) -> None:
    before, after = right(), with_failures(300, "x" * 3000)
    before["implementation"] = copy.deepcopy(after["implementation"])
    page = difference_markdown(difference(before, after))  # type: ignore[arg-type]
    assert length(page) <= LONGEST_PAGE
    assert "| newly broken" in page
    file = tmp_path / "report.md"
    baseline = (tmp_path / "before.json", before)
    conclude(after, json=None, markdown=file, baseline=baseline)  # type: ignore[arg-type]
    page = file.read_text("utf-8")
    assert length(page) <= LONGEST_PAGE
    assert page.startswith("# Compared with ")
    assert "## EQ-1 Gate order (a cause)" in page


def of_many(number: int, text: str) -> list[Results]:
    """Results of so many implementations, whose names contain ``text``. One breaks EQ-1."""
    everything = [wrong(), *[right()] * (number - 1)]
    return [
        {
            **results,
            "implementation": {
                **results["implementation"],
                "target": f"{k} {text}",
                "version": text,
            },
        }
        for k, results in enumerate(everything)
    ]


@pytest.mark.parametrize(("number", "text"), [(40, "x"), (5, "|" * 100_000), elsewhere(1500, "x")])
def test_implementations_side_by_side_fit(number: int, text: str) -> None:
    page = matrix_markdown(of_many(number, text))  # type: ignore[arg-type]
    assert length(page) <= LONGEST_PAGE
    assert page.startswith("# Conformance of LSTM implementations\n\n")
    remark = page.rpartition(REMARK)[2]
    if number == 1500:
        assert "the table of implementations and the table of clauses" in remark
        return
    assert "| deviates in 12 of 206 |" in page.replace("  ", "")
    assert "\n| EQ-1 |" in page
    if number == 40:
        assert "the clauses in which they do not differ" in remark
        assert "Clauses in which they differ: the worst error" in page
        assert "\n| SHAPE-1 |" not in page


@pytest.mark.parametrize(("number", "text"), [(3, ""), (300, ""), (3, "<" * 100_000)])
def test_versions_side_by_side_fit(number: int, text: str) -> None:
    everything = of_many(number, "")
    for k, results in enumerate(everything):
        results["implementation"].update(target="one", name=f"one{text}", version=f"{k}{text}")
    page = releases_markdown(releases_of(everything))  # type: ignore[arg-type]
    assert length(page) <= LONGEST_PAGE
    assert page.startswith("# one")
    assert (REMARK in page) == (number > 3 or bool(text))
    assert ("## Verdicts" in page) == (not text)


def test_sections_are_left_out_by_rank() -> None:
    sections = [
        Section("title", 0, "the title"),
        Section("a" * 500, 3, "failure"),
        Section("b" * 500, 1, "failure"),
        Section("c" * 500, 2, "the table", instead="short", lacking="the rest"),
        Section("d" * 500, 3, "failure"),
    ]
    assert fitted(sections, 10_000) == "\n\n".join(section.text for section in sections) + "\n"
    page = fitted(sections, 1200)
    assert len(page) <= 1200
    shown = page.splitlines()[::2]
    assert shown[:3] == ["title", "b" * 500, "short"]
    assert shown[3].startswith(f"{REMARK}the rest and 2 failures. ")
    assert len(shown) == 4


def test_lines_are_counted_if_they_are_too_many() -> None:
    assert shortened_lines(["aa", "bb"], 4) == ["aa", "bb"]
    assert shortened_lines(["aa", "bb", "cc"], 4) == ["aa", "bb", "1 line more."]
