"""The gate of published results is that of today's clauses and known deviations."""

from __future__ import annotations

import copy

import pytest

from lstm_conformance.reports.framework_page import framework_page
from lstm_conformance.reports.reading import read_results
from lstm_conformance.reports.results import Results
from lstm_conformance.runner.judging.known_deviations import Deviation
from tools import frameworks
from tools.gate_today import obstacles

KNOWN = Deviation(("EDGE-11",), "Denormal numbers are zeros.")


def stale() -> Results:
    """Results in which EDGE-11, a MUST today, is broken and was only recommended."""
    results = copy.deepcopy(read_results(frameworks.RESULTS / "torch-cell.json"))
    clause = next(clause for clause in results["clauses"] if clause["id"] == "EDGE-11")
    failure = {"case": "v1 input_size=1 hidden_size=1 states=True dtype=float32"}
    clause.update(
        level="SHOULD",
        must_hold=False,
        verdict="fail",
        counts={"fail": 1},
        failure=failure,  # type: ignore[typeddict-item]
    )
    assert results["gate_passed"]
    return results


def test_a_clause_that_has_become_a_must_counts() -> None:
    results = stale()
    assert obstacles(results, ()) == ["EDGE-11"]
    page = framework_page([results], {"torch-cell": obstacles(results, ())}, {})
    assert "it passes for 0 of 1 adapters, and not for torch-cell (EDGE-11)." in page


def test_a_known_deviation_that_was_added_counts() -> None:
    results = stale()
    assert obstacles(results, [KNOWN]) == []
    page = framework_page([results], {"torch-cell": obstacles(results, [KNOWN])}, {})
    assert "it passes for 1 of 1 adapters." in page


@pytest.mark.parametrize(
    "other",
    [
        Deviation(("EDGE-10",), "Another clause."),
        Deviation(("EDGE-11",), "Another case.", when={"dtype": ("float64",)}),
        Deviation(("EDGE-11",), "Another version.", versions=("<1",)),
    ],
)
def test_one_that_does_not_cover_the_failure_does_not(other: Deviation) -> None:
    assert obstacles(stale(), [other]) == ["EDGE-11"]


def test_one_that_was_removed_counts() -> None:
    results = stale()
    clause = next(clause for clause in results["clauses"] if clause["id"] == "EDGE-11")
    clause.update(verdict="waived", counts={"pass": 1, "waived": 1})
    assert obstacles(results, [KNOWN]) == []
    assert obstacles(results, ()) == ["EDGE-11"]


def test_where_a_test_broke_off_only_all_cases_are_known() -> None:
    results = stale()
    clause = next(clause for clause in results["clauses"] if clause["id"] == "EDGE-11")
    clause.update(verdict="error", failure=None)
    assert obstacles(results, [KNOWN]) == []
    limited = Deviation(("EDGE-11",), "Some cases.", when={"dtype": ("float32",)})
    assert obstacles(results, [limited]) == ["EDGE-11"]
    clause.update(verdict="waived")
    assert obstacles(results, [limited]) == []


def test_what_is_recommended_only_is_no_obstacle() -> None:
    results = stale()
    clause = next(clause for clause in results["clauses"] if clause["id"] == "EDGE-11")
    clause["id"] = "USE-27"
    results["clauses"] = [c for c in results["clauses"] if c is clause or c["id"] != "USE-27"]
    assert obstacles(results, ()) == []
