"""Results as JUnit XML, which CI servers read: a test case for each clause."""

from __future__ import annotations

import re
from collections import Counter
from xml.etree import ElementTree

from ..spec.verdicts import BROKEN
from .results import ClauseResult, Results
from .tables import failure_text, summary
from .verdict import verdict_text

__all__ = ["junit_xml"]

# Characters that XML 1.0 cannot hold, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(everything: list[Results]) -> str:
    """XML with a suite for each result.

    A clause is skipped if it was not judged, is waived, or is a broken SHOULD. If the gate
    does not pass although no clause fails, an additional test case fails and says why.
    """
    suites = ElementTree.Element("testsuites", name="lstm-conformance")
    for results in everything:
        suites.append(_suite(results))
    for element in suites.iter():
        element.text = element.text and _FORBIDDEN.sub("\ufffd", element.text)
        for name, value in element.items():
            element.set(name, _FORBIDDEN.sub("\ufffd", value))
    ElementTree.indent(suites, " ")
    return ElementTree.tostring(suites, "unicode", xml_declaration=False) + "\n"


def _suite(results: Results) -> ElementTree.Element:
    implementation, environment = results["implementation"], results["environment"]
    suite = ElementTree.Element(
        "testsuite", name=implementation["target"], time=f"{results['duration_seconds']:.3f}"
    )
    facts = {
        "implementation": implementation["name"],
        "version": implementation["version"],
        "profile": results["profile"],
        "seed": str(results["seed"]),
        "verdict": verdict_text(results),
        "stopped": results["stopped"] or "",
        "python": environment["python"],
        "platform": environment["platform"],
        **environment["packages"],
    }
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in facts.items():
        ElementTree.SubElement(properties, "property", name=name, value=value)
    outcomes = Counter(_test_case(suite, clause) for clause in results["clauses"])
    if not results["gate_passed"] and not outcomes["failure"] + outcomes["error"]:
        gate = ElementTree.SubElement(
            suite, "testcase", classname="lstm_conformance", name="Gate", time="0.000"
        )
        lines = summary(results)
        ElementTree.SubElement(gate, "error", message=lines.splitlines()[0]).text = lines
        outcomes["error"] += 1
    suite.set("tests", str(outcomes.total()))
    for outcome, attribute in _ATTRIBUTES.items():
        suite.set(attribute, str(outcomes[outcome]))
    return suite


_ATTRIBUTES = {"failure": "failures", "error": "errors", "skipped": "skipped"}


def _test_case(suite: ElementTree.Element, clause: ClauseResult) -> str:
    """Adds the test case of ``clause``, and returns its outcome."""
    case = ElementTree.SubElement(
        suite,
        "testcase",
        classname=f"lstm_conformance.{clause['chapter']}",
        name=f"{clause['id']} {clause['title']}",
        time=f"{clause['seconds']:.3f}",
    )
    verdict = clause["verdict"]
    if verdict == "pass":
        return "passed"
    message = "; ".join([verdict, *clause["reasons"]])
    outcome = "skipped"
    if clause["must_hold"] and verdict in (*BROKEN, "inconclusive"):
        outcome = "error" if verdict == "error" else "failure"
    elif verdict in BROKEN:
        message = f"recommended, but not done: {message}"
    element = ElementTree.SubElement(case, outcome, message=message)
    if outcome != "skipped":
        element.set("type", verdict)
    if clause["failure"] is not None:
        element.text = failure_text(clause)
    return outcome
