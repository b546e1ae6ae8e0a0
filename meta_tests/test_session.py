"""Results add up: nothing that was not shown counts as shown."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lstm_conformance.reports.tables import markdown_report, summary, text_report
from lstm_conformance.runner.failures.failure import Failure
from lstm_conformance.runner.judging.known_deviations import Deviation
from lstm_conformance.runner.searching.record import Record
from lstm_conformance.spec.clauses import TESTABLE

from .helpers.made_up_records import CASE, CLAUSES, FINDING, KNOWN, known_to_fail, passed, session

ROOT = Path(__file__).parents[1]


def results(
    *records: dict[str, Any],
    stopped: str | None = None,
    known: tuple[Deviation, ...] = (),
    strict: bool = False,
) -> dict[str, Any]:
    judged = session(*known, strict=strict)
    for number, record in enumerate(records):
        judged.add(f"test_{number}", (record["clause"],), [record], "", 1.0)
    return judged.results(stopped)


def verdict(results: dict[str, Any], clause: str = "EQ-1") -> str:
    return next(c["verdict"] for c in results["clauses"] if c["id"] == clause)


REST = (passed("EQ-2"), passed("COMB-1"))


def test_all_passed() -> None:
    assert results(passed("EQ-1"), *REST)["gate_passed"] is True


def test_the_gate_does_not_pass_for_what_was_stopped() -> None:
    assert results(passed("EQ-1"), *REST, stopped="interrupted")["gate_passed"] is False


def test_a_clause_without_a_test_is_no_pass() -> None:
    found = results(*REST)
    assert verdict(found) == "not tested"
    assert found["gate_passed"] is False


def test_a_clause_without_a_judged_case_is_no_pass() -> None:
    found = results(passed("EQ-1", verdicts={"not tested": 3}), *REST)
    assert verdict(found) == "not tested"
    assert found["gate_passed"] is False


def test_a_clause_that_was_not_asked_for_is_no_obstacle() -> None:
    left_out = passed("EQ-1", verdicts={"not tested": 1}, reasons={"float16 was not asked for": 1})
    assert results(left_out, *REST)["gate_passed"] is True


@pytest.mark.parametrize(
    ("verdicts", "outcome", "passes"),
    [
        ({"unsupported": 3}, "unsupported", True),
        ({"unsupported": 2, "pass": 1}, "pass", True),
        ({"inconclusive": 3}, "inconclusive", False),
        ({"inconclusive": 2, "pass": 1}, "pass", True),
    ],
)
def test_verdict_of_a_clause(verdicts: dict[str, int], outcome: str, passes: bool) -> None:
    found = results(passed("EQ-1", verdicts=verdicts), *REST)
    assert verdict(found) == outcome
    assert found["gate_passed"] is passes


def test_the_gate_does_not_pass_if_nothing_is_supported() -> None:
    nothing = [passed(clause, verdicts={"unsupported": 1}) for clause in CLAUSES]
    assert results(*nothing)["gate_passed"] is False


def test_a_broken_should_is_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    should = replace(TESTABLE["EQ-1"], level="SHOULD")
    monkeypatch.setitem(TESTABLE, "EQ-1", should)
    failure = Failure("fail", CASE, CASE, FINDING)
    broken = Record("EQ-1", verdicts={"fail": 1}, failures=[failure])
    found = results(broken.to_json(), *REST)
    assert verdict(found) == "fail"
    assert found["gate_passed"] is True
    assert "Recommended, but not done: EQ-1 Gate order." in summary(found)
    assert results(broken.to_json(), *REST, strict=True)["gate_passed"] is False


@pytest.mark.parametrize("kind", ["fail", "error"])
def test_one_failure_among_many_passes_decides(kind: str) -> None:
    failure = Failure(kind, CASE, CASE, exception="ValueError: x")
    broken = Record("EQ-1", verdicts={"pass": 1000, kind: 1}, failures=[failure])
    found = results(passed("EQ-1"), broken.to_json(), passed("EQ-1"), *REST)
    assert verdict(found) == kind
    assert found["gate_passed"] is False


def test_the_smallest_failure_is_shown() -> None:
    large = Failure("fail", "v1 input_size=5 hidden_size=6", CASE, FINDING)
    small = Failure("fail", CASE, CASE, FINDING)
    records = [Record("EQ-1", verdicts={"fail": 1}, failures=[f]) for f in (large, small)]
    found = results(*(record.to_json() for record in records), *REST)
    assert found["clauses"][0]["failure"]["case"] == CASE


def test_a_test_that_broke_off_is_an_error() -> None:
    judged = session()
    for record in (passed("EQ-1"), *REST):
        judged.add(f"test of {record['clause']}", (record["clause"],), [record], "", 1.0)
    judged.add("test", ("EQ-1",), None, "worker crashed", 0.0)
    found = judged.results(None)
    assert verdict(found) == "error"
    assert found["gate_passed"] is False
    assert "worker crashed" in found["clauses"][0]["reasons"]


def test_combinations_add_up() -> None:
    visited = passed("COMB-1", combinations={"a": "", "b": "no packed sequences"})
    coverage = results(visited)["coverage"]["combinations"]
    assert coverage["total"] == 2304
    assert coverage["visited"] + sum(len(x["combinations"]) for x in coverage["left_out"]) == 2304


def test_a_known_deviation_is_waived() -> None:
    found = results(known_to_fail(), *REST, known=(KNOWN,))
    assert verdict(found) == "waived"
    assert found["gate_passed"] is True
    assert "DEVIATES: reference 1.0.0 deviates in 1 of 3 clauses" in summary(found)
    assert "\nGate: passed, with 1 known deviation.\n" in summary(found)
    assert "Known deviations: EQ-1 Gate order." in summary(found)
    assert any("another order" in reason for reason in found["clauses"][0]["reasons"])
    assert "## EQ-1 Gate order (a known deviation)" in markdown_report(found)
    (deviation,) = found["deviations"]
    assert deviation["outcome"] == "waived"
    assert (deviation["cases"], deviation["failed"]) == (1, 1)


def test_only_the_deviation_that_was_met_is_named() -> None:
    other = replace(KNOWN, reason="The biases are in another order.")
    found = results(
        known_to_fail(deviations={"0": (3, 0), "1": (1, 1)}), *REST, known=(other, KNOWN)
    )
    (reason,) = (r for r in found["clauses"][0]["reasons"] if r.startswith("known deviation"))
    assert "The gates" in reason
    assert "The biases" not in reason


def test_a_test_that_ends_its_process_is_waived_as_a_whole() -> None:
    judged = session(KNOWN)
    for record in REST:
        judged.add(f"test of {record['clause']}", (record["clause"],), [record], "", 1.0)
    judged.add("test", ("EQ-1",), None, "worker crashed", 0.0)
    found = judged.results(None)
    assert verdict(found) == "waived"
    assert found["gate_passed"] is True


def test_a_known_deviation_that_is_gone_is_an_error() -> None:
    judged = passed("EQ-1", deviations={"0": (3, 0)})
    found = results(judged, *REST, known=(KNOWN,))
    assert found["deviations"][0]["outcome"] == "gone"
    assert verdict(found) == "error"
    assert found["gate_passed"] is False
    assert "remove the entry" in text_report(found)


def test_a_known_deviation_of_several_clauses_holds_while_one_is_broken() -> None:
    both = replace(KNOWN, clauses=("EQ-1", "EQ-2"))
    found = results(
        known_to_fail(),
        passed("EQ-2", deviations={"0": (3, 0)}),
        passed("COMB-1"),
        known=(both,),
    )
    assert verdict(found) == "waived"
    assert verdict(found, "EQ-2") == "pass"
    assert found["gate_passed"] is True


def test_a_known_deviation_that_applies_to_no_case_is_reported() -> None:
    found = results(passed("EQ-1"), *REST, known=(KNOWN,))
    assert found["deviations"][0]["outcome"] == "unmatched"
    assert verdict(found) == "pass"
    assert found["gate_passed"] is True
    assert "No case was judged to which this known deviation applies" in summary(found)


def test_known_deviations_of_other_clauses_than_those_asked_for_are_not_mentioned() -> None:
    found = results(passed("EQ-1"), *REST, known=(Deviation(("USE-24",), "another clause"),))
    assert "another clause" not in summary(found)


def test_a_known_deviation_whose_clause_was_not_reached_is_undecided() -> None:
    judged = session(KNOWN, planned=True)
    for record in (passed("EQ-1", deviations={"0": (3, 0)}), *REST):
        judged.add(f"test of {record['clause']}", (record["clause"],), [record], "", 1.0)
    found = judged.results("max-time")
    assert found["deviations"][0]["outcome"] == "undecided"
    assert verdict(found) == "pass"


def test_a_known_deviation_excuses_its_clause_only() -> None:
    failure = Failure("fail", CASE, CASE, FINDING)
    broken = Record("EQ-2", verdicts={"fail": 1}, failures=[failure]).to_json()
    found = results(known_to_fail(), broken, passed("COMB-1"), known=(KNOWN,))
    assert verdict(found) == "waived"
    assert verdict(found, "EQ-2") == "fail"
    assert found["gate_passed"] is False


def test_a_failure_beside_known_ones_decides() -> None:
    failure = Failure("fail", CASE, CASE, FINDING)
    other = Record("EQ-1", verdicts={"fail": 1}, failures=[failure]).to_json()
    found = results(known_to_fail(), other, *REST, known=(KNOWN,))
    assert verdict(found) == "fail"
    assert found["gate_passed"] is False


def test_results_are_of_the_schema() -> None:
    schema = json.loads((ROOT / "reports" / "results.schema.json").read_text("utf-8"))
    jsonschema.validate(results(known_to_fail(), *REST, known=(KNOWN,)), schema)


PROCESSORS = "lstm_conformance.runner.session.environment._PROCESSORS"


def test_results_say_what_machine_they_are_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads = iter([(0.5, 7.0, 7.0), (3.254, 7.0, 7.0)])
    monkeypatch.setattr(os, "getloadavg", lambda: next(loads), raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 5}, raising=False)
    (tmp_path / "cpuinfo").write_text("core : 1\nmodel name\t: Made-up 2 \nflags : a\n")
    monkeypatch.setattr(PROCESSORS, tmp_path / "cpuinfo")
    found = results(passed("EQ-1"), *REST)["environment"]
    assert found["cores"] == 3
    assert found["processor"] == "Made-up 2"
    assert found["load_average"] == {"start": 0.5, "end": 3.25}


def test_what_a_system_does_not_tell_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing() -> str:
        raise OSError

    monkeypatch.setattr(os, "getloadavg", nothing, raising=False)
    monkeypatch.setattr(PROCESSORS, tmp_path / "missing")
    monkeypatch.setattr(platform, "processor", lambda: "")
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    found = results(passed("EQ-1"), *REST)["environment"]
    assert found["cores"] == 7
    assert not {"processor", "load_average"} & set(found)
    monkeypatch.delattr(os, "getloadavg")  # as on Windows
    monkeypatch.setattr(platform, "processor", lambda: "Intel64 Family 6")
    found = results(passed("EQ-1"), *REST)["environment"]
    assert found["processor"] == "Intel64 Family 6"
    assert "load_average" not in found
