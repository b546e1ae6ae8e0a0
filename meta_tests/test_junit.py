"""JUnit XML is valid whatever results hold, and no broken clause is green in it."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from lstm_conformance.reports.junit import junit_xml

from .helpers.made_up_results import hostile, right, wrong


def suite(results: dict[str, Any]) -> ElementTree.Element:
    """The only suite in the XML; its counts are checked."""
    (found,) = ElementTree.fromstring(junit_xml([results]))
    cases = found.findall("testcase")
    assert int(found.get("tests", "")) == len(cases)
    for outcome, counted in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        number = sum(case.find(outcome) is not None for case in cases)
        assert int(found.get(counted, "")) == number
    return found


def outcome(found: ElementTree.Element, clause: str) -> tuple[str, str]:
    """The outcome of a clause, and its message."""
    (case,) = (c for c in found.findall("testcase") if c.get("name", "").split()[0] == clause)
    return (case[0].tag, case[0].get("message", "")) if len(case) else ("passed", "")


@pytest.mark.parametrize(
    ("clause", "expected", "message"),
    [
        ("EQ-1", "failure", "fail"),
        ("EQ-3", "error", "error"),
        ("EQ-4", "failure", "inconclusive"),
        ("EQ-5", "skipped", "unsupported; no two-biases"),
        ("EQ-6", "skipped", "not tested; not reached"),
        ("EQ-8", "passed", ""),
        ("USE-5", "skipped", "recommended, but not done: error"),
    ],
)
def test_outcome_of_each_verdict(clause: str, expected: str, message: str) -> None:
    assert outcome(suite(wrong()), clause) == (expected, message)


def test_a_known_deviation_is_skipped_for_its_reason() -> None:
    found, message = outcome(suite(right()), "USE-24")
    assert found == "skipped"
    assert message.startswith("waived; known deviation: In float32 a packed sequence")


def test_properties_say_how_it_was_judged() -> None:
    properties = {p.get("name"): p.get("value") for p in suite(right()).iter("property")}
    assert properties["version"] == "2.13.0+cpu"
    assert (properties["profile"], properties["seed"]) == ("default", "0")
    assert properties["numpy"] == "2.4.6"


def test_a_run_without_a_verdict_is_not_green() -> None:
    results = {**right(), "gate_passed": False, "stopped": "interrupted"}
    assert outcome(suite(results), "Gate")[0] == "error"
    assert suite(right()).get("errors") == "0"


def test_hostile_text_is_text() -> None:
    found = suite(hostile())
    name = found.find("testcase").get("name")  # type: ignore[union-attr]
    assert name is not None
    assert "<script>alert(1)</script>" in name
    assert "\ufffd[2J" in name, "XML cannot hold an escape character"
    assert {element.tag for element in found.iter()} == {
        "testsuite", "properties", "property", "testcase", "failure", "error", "skipped",
    }  # fmt: skip


def test_a_suite_for_each_implementation() -> None:
    root = ElementTree.fromstring(junit_xml([right(), wrong()]))
    assert [found.get("name") for found in root] == ["torch", "mine.py:LSTM"]
