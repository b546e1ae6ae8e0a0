"""Text of an implementation is never markup, and cannot change a terminal."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from lstm_conformance.reports import tables
from lstm_conformance.reports import verdict as wording
from lstm_conformance.reports.tables import markdown_report, summary, text_report

HOSTILE = "<script>alert(1)</script>|`x` **b** \x1b[2J\n# head ````\n```"

RESULTS: dict[str, Any] = {
    "deviations": [],
    "gate_passed": False,
    "stopped": None,
    "case": None,
    "implementation": {
        "name": "mine",
        "version": "1",
        "target": "mine:LSTM",
        "capabilities": ["float32", "float64"],
        "undeclared": [],
    },
    "environment": {"python": "3.11", "platform": "x", "machine": "y", "packages": {"numpy": "2"}},
    "seed": 0,
    "profile": "smoke",
    "kinds": [],
    "working_precision": "",
    "strict": False,
    "shard": None,
    "missing_devices": {},
    "dtypes": ["float64", "float32"],
    "tensors": [
        {"tensor": "h_n", "dtype": "float32", "cases": 3, "worst_ratio": 4.75},
        {"tensor": "weight_ih.grad", "dtype": "float64", "cases": 2, "worst_ratio": 1e6},
    ],
    "coverage": {
        "combinations": {"total": 2304, "visited": 2304, "left_out": []},
        "sizes": {"classes": [], "visited": {}, "pairs": [], "left_out": []},
    },
    "duration_seconds": 1.0,
    "time_in_tests_seconds": 2.0,
    "time_in_implementation_seconds": 0.5,
    "clauses": [
        {
            "id": "EQ-1",
            "level": "MUST",
            "kind": "numbers",
            "must_hold": True,
            "title": "Gate order",
            "verdict": "fail",
            "cases": 3,
            "counts": {"fail": 1, "pass": 2},
            "worst_ratio": 1e6,
            "reasons": {},
            "root_cause": True,
            "failure": {"explanation": "EQ-1 Gate order: ...\n  case v1", "diagnosis": {}},
        },
        {
            "id": "EQ-2",
            "level": "MUST",
            "kind": "numbers",
            "must_hold": True,
            "title": "Input gate and candidate",
            "verdict": "pass",
            "cases": 4,
            "counts": {"pass": 4},
            "worst_ratio": 1.25,
            "reasons": {},
            "root_cause": False,
            "failure": None,
        },
    ],
}


def test_verdict_and_cause_are_shown() -> None:
    text = summary(RESULTS)
    assert "DEVIATES: mine 1 deviates in 1 of 2 clauses that were judged, 1 about numbers." in text
    assert "Broken: EQ-1 Gate order." in text
    assert "DEVIATES" in text_report(RESULTS)
    assert "1.25" in text_report(RESULTS)
    assert "4.75" in text_report(RESULTS)
    assert "| weight\\_ih.grad  |     1e+06 |           |" in markdown_report(RESULTS)
    assert "1.0 s, 25% of the work inside the implementation." in text


def test_the_verdict_tells_kinds_of_clauses_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    results = copy.deepcopy(RESULTS)
    cause, other = results["clauses"]
    cause["kind"] = "argument checks"
    first = "DEVIATES: mine 1 deviates in 1 of 2 clauses that were judged, 1 about argument checks."
    assert f"{first}\n" in summary(results), "other clauses about numbers were not asked for"
    monkeypatch.setattr(wording, "_NUMBERS", {other["id"]})
    assert f"{first} No wrong number was found.\n" in summary(results)
    assert f"{first}\n" in summary({**results, "case": "v1 input_size=1 hidden_size=1"})
    waived = {**other, "id": "EQ-3", "verdict": "waived"}
    with_known = {**results, "clauses": [cause, other, waived]}
    assert "wrong number" not in summary(with_known), "a known deviation is a deviation"
    for verdict in ("inconclusive", "not tested", "fail"):
        other["verdict"] = verdict
        assert "wrong number" not in summary(results)
    assert (
        "2 of 2 clauses that were judged, 1 about numbers and 1 about argument checks."
        in summary(results)
    )
    other["verdict"] = "pass"
    assert "wrong number" not in summary({**results, "stopped": "max-failures"})
    other["kind"] = "interface"
    assert "wrong number" not in summary(results), "none was judged"


def test_the_verdict_says_what_was_asked() -> None:
    kinds = ["interface", "numbers", "side effects"]
    results = {**RESULTS, "gate_passed": True, "clauses": [], "kinds": kinds, "strict": True}
    assert (
        "CONFORMANT: mine 1 does what the documentation of torch.nn.LSTM says of "
        "interface, numbers and side effects.\n"
    ) in summary(results)


def test_a_table_may_have_no_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tabulate 0.9 raises an IndexError if a table without rows is to be aligned."""
    newer = tables.tabulate

    def tabulate(rows: Any, *arguments: Any, colalign: Any = None, **options: Any) -> str:
        assert rows or colalign is None
        return str(newer(rows, *arguments, colalign=colalign, **options))

    monkeypatch.setattr(tables, "tabulate", tabulate)
    nothing = {**RESULTS, "clauses": [], "tensors": []}
    assert "cases that pass" in text_report(nothing)
    assert "cases that pass" in markdown_report(nothing)
    assert "EQ-1" in text_report(RESULTS)


def test_lacking_capabilities_are_noted_for_judged_clauses() -> None:
    results = copy.deepcopy(RESULTS)
    results["clauses"][1]["lacking"] = ["packed", "float64"]
    row = next(line for line in text_report(results).splitlines() if line.startswith("EQ-2"))
    assert row.endswith("no packed, no float64")
    results["clauses"][1]["verdict"] = "unsupported"
    assert "no packed" not in text_report(results)


def test_other_verdicts() -> None:
    results = copy.deepcopy(RESULTS)
    results["clauses"][0].update(verdict="pass", root_cause=False, failure=None)
    assert summary({**results, "gate_passed": True}).startswith("CONFORMANT: mine 1")
    assert summary({**results, "stopped": "interrupted"}).startswith("NOT COMPLETED")
    assert text_report({**results, "tensors": []})
    missing = {**results, "missing_devices": {"cuda": "no driver"}}
    assert "Not tested on cuda: no driver." in summary(missing)


@pytest.mark.parametrize(
    "place", ["name", "version", "reason", "explanation", "title", "python", "tensor"]
)
def test_hostile_text_is_text(place: str) -> None:
    results = copy.deepcopy(RESULTS)
    if place in ("name", "version"):
        results["implementation"][place] = HOSTILE
    elif place == "title":
        results["clauses"][0]["title"] = HOSTILE
    elif place == "python":
        results["environment"]["python"] = HOSTILE
    elif place == "tensor":
        results["tensors"][0]["tensor"] = HOSTILE
    elif place == "reason":
        results["clauses"][1]["reasons"] = {HOSTILE: 1}
    else:
        results["clauses"][0]["failure"]["explanation"] = HOSTILE
    page = markdown_report(results)
    outside, fenced = [], False
    for line in page.splitlines():
        if line.startswith("`````"):
            fenced = not fenced
        elif not fenced:
            outside.append(line)
    assert not fenced
    text = "\n".join(outside)
    assert "<script>" not in text.replace("\\<", "")
    assert "\n# head" not in text
    assert "\x1b" not in page
    assert "\x1b" not in text_report(results)
    rows = [line for line in outside if line.startswith("| EQ-")]
    assert [line.replace("\\|", "").count("|") for line in rows] == [7, 7]


def test_failures_that_come_and_go_are_one_cause() -> None:
    results = copy.deepcopy(RESULTS)
    clauses = results["clauses"]
    for clause, failed_runs in zip(clauses, (3, 4), strict=False):
        text = f"fails in {failed_runs} of 10 runs of the same case"
        clause["failure"] = {
            "explanation": "", "diagnosis": {"text": text}, "runs": 10, "failed_runs": failed_runs,
        }  # fmt: skip
        clause.update(verdict="fail", root_cause=True)
    assert summary(results).count("Diagnosis: ") == 1
    assert text_report(results).count("comes and goes") == 2


@pytest.mark.parametrize("stopped", ["max-failures", None])
def test_causes_that_were_not_reached(stopped: str | None) -> None:
    results = copy.deepcopy(RESULTS)
    results["stopped"] = stopped
    first, second = results["clauses"][:2]
    first.update(verdict="not tested", counts={}, failure=None, root_cause=False)
    second.update(verdict="fail", root_cause=True, failure=None)
    line = "The cause may be in clauses that were not reached: EQ-1."
    assert (line in summary(results)) == (stopped is not None)
    first["verdict"], first["counts"] = "pass", {"pass": 1}
    assert "The cause may be" not in summary(results)


def test_causes_come_first_and_known_deviations_last() -> None:
    results = copy.deepcopy(RESULTS)
    cause, other = results["clauses"]
    failure = cause["failure"]
    known = {**cause, "id": "EQ-0", "verdict": "waived", "root_cause": False}
    consequence = {**other, "verdict": "fail", "failure": failure}
    results["clauses"] = [known, consequence, cause]
    page = markdown_report(results)
    headings = [line for line in page.splitlines() if line.startswith("## ")]
    assert headings == [
        "## EQ-1 Gate order (a cause)",
        "## EQ-2 Input gate and candidate",
        "## EQ-0 Gate order (a known deviation)",
    ]


def test_the_machine_is_shown_as_far_as_results_have_it() -> None:
    results = copy.deepcopy(RESULTS)
    assert markdown_report(results).endswith("Python 3.11 on x; numpy 2.\n")
    machine = results["environment"]
    machine["load_average"] = {"start": 0.5, "end": 12.25}
    load = "load average 0.50 at the start, 12.25 at the end"
    assert f" on x; {load}; numpy 2." in markdown_report(results)
    machine["cores"] = 1
    assert f" on x; 1 core, {load}; numpy 2." in markdown_report(results)
    machine["processor"] = "Made-up 2"
    assert f" on x; 1 core of Made-up 2, {load}; numpy 2." in markdown_report(results)
    del machine["cores"], machine["load_average"]
    assert " on x; Made-up 2; numpy 2." in markdown_report(results)
