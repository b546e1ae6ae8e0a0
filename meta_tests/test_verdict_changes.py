"""Which verdicts differ from the published ones, for an issue."""

from __future__ import annotations

import copy
from pathlib import Path

from lstm_conformance.reports.reading import read_results
from lstm_conformance.reports.results import Results
from tools.verdict_changes import changes

PUBLISHED = Path(__file__).parents[1] / "reports" / "published" / "frameworks"


def changed(before: Results, verdict: str) -> Results:
    """The same with another verdict on EQ-1."""
    after = copy.deepcopy(before)
    clause = next(clause for clause in after["clauses"] if clause["id"] == "EQ-1")
    clause["verdict"] = verdict  # type: ignore[typeddict-item]
    return after


def test_nothing_is_printed_if_no_verdict_differs() -> None:
    published = read_results(PUBLISHED / "reference.json")
    assert changes(published, published) == ""
    assert changes(published, changed(published, "not tested")) == ""


def test_a_verdict_that_differs_is_printed() -> None:
    published = read_results(PUBLISHED / "reference.json")
    page = changes(published, changed(published, "fail"))
    assert "| EQ-1     | Gate order |" in page
    assert "| pass " in page
    assert "| fail " in page


def test_a_new_clause_is_no_difference() -> None:
    after = read_results(PUBLISHED / "reference.json")
    before = copy.deepcopy(after)
    before["clauses"] = [clause for clause in before["clauses"] if clause["id"] != "EQ-1"]
    assert changes(before, after) == ""
