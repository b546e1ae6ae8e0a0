"""One implementation in several versions: clauses beside versions, on every page of the command."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lstm_conformance.reports.finding import Finding
from lstm_conformance.reports.html import releases_html
from lstm_conformance.reports.releases import (
    Releases,
    are_releases,
    ratio_rows,
    releases_markdown,
    releases_of,
    releases_text,
    rest_sentence,
)
from lstm_conformance.reports.releases_page import releases_page
from lstm_conformance.reports.releases_plot import in_words, ratios_picture, ratios_plot
from lstm_conformance.reports.verdict import GONE
from lstm_conformance.runner.commands.main import main

from .helpers.made_up_results import HOSTILE, conforming, hostile

Results = dict[str, Any]


def version(name: str, verdicts: dict[str, str] | None = None, ratio: float = 2.0) -> Results:
    """Results of a version that breaks nothing but these clauses; ``ratio`` is that of EQ-1."""
    results = conforming()
    results["implementation"]["version"] = name
    for clause in results["clauses"]:
        if clause["id"] == "EQ-1":
            clause["worst_ratio"] = ratio
        if clause["id"] in (verdicts or {}):
            verdict = (verdicts or {})[clause["id"]]
            counts = {"unsupported": {}, "pass": {"pass": 5}}.get(verdict, {"pass": 3, verdict: 7})
            clause.update(verdict=verdict, counts=counts, reasons={})
    return results


def rows(found: Releases) -> dict[str, str]:
    """The id of each clause that has a row to the versions that break it."""
    return {row.clause["id"]: row.broken_in for row in found.rows}


VERSIONS = ("2.9.1", "2.13.0+cpu", "2.3.1", "2.10.0")  # not in their order


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ({"2.3.1", "2.9.1", "2.10.0", "2.13.0+cpu"}, "every version"),
        ({"2.3.1"}, "2.3.1, gone in 2.9.1"),
        ({"2.3.1", "2.9.1"}, "2.3.1 to 2.9.1, gone in 2.10.0"),
        ({"2.10.0", "2.13.0+cpu"}, "2.10.0 to 2.13.0, not yet in 2.9.1"),
        ({"2.9.1"}, "2.9.1, not yet in 2.3.1, gone in 2.10.0"),
        ({"2.3.1", "2.10.0"}, "2.3.1, gone in 2.9.1; 2.10.0, not yet in 2.9.1, gone in 2.13.0"),
    ],
)
@pytest.mark.parametrize("verdict", ["fail", "error", "waived"])
def test_when_a_deviation_came_and_went(broken: set[str], words: str, verdict: str) -> None:
    found = releases_of(
        [version(name, {"EQ-2": verdict} if name in broken else None) for name in VERSIONS]
    )
    assert found.versions == ["2.3.1", "2.9.1", "2.10.0", "2.13.0"]
    assert rows(found) == {"EQ-2": words}


def test_what_was_not_judged_is_no_answer() -> None:
    older = version("1")
    older["clauses"] = [clause for clause in older["clauses"] if clause["id"] != "EQ-2"]
    changed = {"EQ-2": "fail", "EQ-3": "unsupported", "EQ-4": "unsupported", "EQ-5": "inconclusive"}
    third = version("3", {"EQ-2": "fail", "EQ-4": "unsupported"})
    second = version("2", changed)
    older["clauses"] = [
        {**clause, "verdict": "unsupported"} if clause["id"] == "EQ-4" else clause
        for clause in older["clauses"]
    ]
    found = releases_of([older, second, third])
    assert rows(found) == {"EQ-2": "2 to 3", "EQ-3": "none", "EQ-5": "none"}
    lines = releases_text(found).splitlines()
    cells = {line.split("  ")[0]: re.split(" {2,}", line)[2:] for line in lines}
    assert cells["EQ-2"] == ["", "broken, 3 of 10", "broken, 3 of 10", "2 to 3"] or cells[
        "EQ-2"
    ] == ["broken, 3 of 10", "broken, 3 of 10", "2 to 3"]
    assert cells["EQ-3"] == ["holds", "-", "holds", "none"]
    assert cells["EQ-5"] == ["holds", "inconclusive", "holds", "none"]
    assert "1 could not be judged in any version." in rest_sentence(found)


def test_a_deviation_that_has_gone_holds() -> None:
    gone = version("2", {"EQ-2": "error"})
    for clause in gone["clauses"]:
        if clause["id"] == "EQ-2":
            clause["reasons"] = {GONE: 1}
    found = releases_of([version("1", {"EQ-2": "waived"}), gone, version("3")])
    assert rows(found) == {"EQ-2": "1, gone in 2"}
    assert releases_html(found).count('<td class="fail">') == 1


def test_all_other_clauses_are_one_sentence() -> None:
    everything = [version("1", ratio=3.5), version("2", {"EQ-2": "fail"}), version("3", ratio=17.5)]
    found = releases_of(everything)
    others = len(conforming()["clauses"]) - 1
    assert rest_sentence(found) == (
        f"{others} other clauses hold in every version in which they were judged; the worst ratio "
        "is 17.5."
    )
    assert rest_sentence(releases_of([version(n) for n in "123"])).startswith(
        f"{others + 1} clauses hold in every version"
    )


def test_the_worst_ratio_of_each_version_by_dtype() -> None:
    everything = [version(name) for name in "123"]
    for number, results in enumerate(everything):
        results["tensors"] = [
            {"tensor": "output", "dtype": "float64", "cases": 2, "worst_ratio": 1.5 + number},
            {"tensor": "h_n", "dtype": "float64", "cases": 2, "worst_ratio": 0.25},
            {"tensor": "h_n", "dtype": "float32", "cases": 2, "worst_ratio": 4e13},
        ][: 3 - number]
        for tensor in results["tensors"]:
            tensor["histogram"] = []
    found = releases_of(everything)
    assert ratio_rows(found) == (
        ["float64", "float32"],
        {"1": [1.5, 4e13], "2": [2.5, None], "3": [3.5, None]},
    )
    words = "1: float64 1.5, float32 4e+13. 2: float64 2.5. 3: float64 3.5."
    assert in_words(found) == words
    for page in (ratios_picture(found), releases_html(found)):
        assert words in page
        assert "30 fails" in page
    text = releases_text(found)
    assert re.search(r"\n1 +1\.5 +4e\+13\n2 +2\.5 *\n3 +3\.5 *\n", text)


def test_without_any_tensor_there_is_no_plot() -> None:
    found = releases_of([{**version(name), "tensors": []} for name in "123"])
    assert ratios_plot(found) is None
    assert "No tensor was compared." in releases_html(found)
    assert "1, 2, 3" not in releases_text(found)
    with pytest.raises(ValueError, match="no tensor"):
        ratios_picture(found)


def test_versions_that_cannot_be_compared_stay_in_the_order_given() -> None:
    found = releases_of([version(name) for name in ("nightly", "1.0", "0.9")])
    assert found.versions == ["nightly", "1.0", "0.9"]


def test_builds_of_one_release_keep_their_names() -> None:
    found = releases_of([version(name) for name in ("1.0+cpu", "1.0+cu130", "0.9+cpu")])
    assert found.versions == ["0.9+cpu", "1.0+cpu", "1.0+cu130"]


def test_which_results_are_versions_of_one_implementation() -> None:
    other = version("4")
    other["implementation"]["target"] = "mine.py:LSTM"
    everything = [version(name) for name in "123"]
    assert are_releases(everything)
    assert not are_releases(everything[:2])
    assert not are_releases([*everything, version("3")])
    assert not are_releases([*everything, other])


def test_the_verdict_on_each_version_counts_known_deviations() -> None:
    broken = version("2", {"EQ-2": "waived"})
    failed = {**version("3", {"EQ-2": "fail", "EQ-3": "fail"}), "gate_passed": False}
    stopped = {**version("4"), "gate_passed": False, "stopped": "max-time"}
    markdown = releases_markdown(releases_of([version("1"), broken, failed, stopped]))
    judged = len(conforming()["clauses"])
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in markdown.splitlines()
        if re.match(r"\| [1-4] .*(passed|failed|completed)", line)
    ]
    assert [(row[1], row[2].split()[0], row[-1]) for row in cells] == [
        ("conforms", "0", "passed"),
        (f"deviates in 1 of {judged}", "1", "passed"),
        (
            f"deviates in 2 of {judged}",
            "2",
            "failed. 2 clauses that must hold are broken, and no known deviation.",
        ),
        ("undecided, judged in part", "0", "not completed."),
    ]


def test_hostile_text_is_text() -> None:
    everything = [hostile() for _ in range(3)]
    for number, results in enumerate(everything):
        results["implementation"]["version"] = f"{number}{HOSTILE}"
    markdown = releases_markdown(releases_of(everything))
    assert "\x1b" not in markdown
    assert "\x00" not in markdown
    assert not re.search(r"(?<!\\)<script", markdown)
    assert "\x1b" not in releases_text(releases_of(everything))


def test_the_published_page_has_the_findings_of_each_version() -> None:
    found = releases_of([version("1"), version("2", {"EQ-2": "waived"}), version("3")])
    known = Finding(
        "came_and_went", "Mine", "mine.LSTM", ("2",), ("EQ-2",), "crash", "high", "It ends.",
        absent=("1", "3"),
    )  # fmt: skip
    tried_once = replace(known, id="tried_once", absent=())
    page = releases_page(found, "All of them.", [known, tried_once], "picture.svg")
    assert page.startswith("# torch: 3 versions\n\nAll of them.\n\n## Verdicts\n")
    assert "](picture.svg)\n" in page
    (row,) = (line for line in page.splitlines() if line.startswith("| [came"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1:] == ["mine.LSTM: It ends.", "not there", "**seen**", "not there"]
    assert "tried" not in page


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = []
    for name in ("2.13.0", "2.3.1", "2.6.0"):
        paths.append(tmp_path / f"{name}.json")
        paths[-1].write_text(json.dumps(version(name, {"EQ-2": "waived"})), "utf-8")
    return paths


def test_the_command_makes_every_form(files: list[Path], capsys: Any, tmp_path: Path) -> None:
    page, markdown, junit = (tmp_path / name for name in ("page.html", "page.md", "page.xml"))
    outputs = ["--html", page, "--markdown", markdown, "--junit", junit, "--text"]
    assert main(["report", *map(str, [*files, *outputs])]) == 0
    assert capsys.readouterr().out.startswith("torch: 3 versions\n\nVerdicts:\n")
    assert markdown.read_text("utf-8").startswith("# torch: 3 versions\n\n## Verdicts\n")
    assert "<td>every version</td>" in page.read_text("utf-8")
    assert junit.exists()
    assert main(["report", *map(str, files), "--badge", str(tmp_path / "badge.svg")]) == 2


def test_two_versions_are_compared(files: list[Path], capsys: Any) -> None:
    assert main(["report", *map(str, files[:2])]) == 0
    assert "no clause changed" in capsys.readouterr().out


def test_the_same_version_twice_gives_a_matrix(files: list[Path], capsys: Any) -> None:
    assert main(["report", *map(str, [*files, files[0]])]) == 0
    assert "torch 2.13.0 (1)" in capsys.readouterr().out
