"""The verdict on an implementation counts what is broken. The gate asks whether that was known."""

from __future__ import annotations

import re
from typing import Any

import pytest

from lstm_conformance import check
from lstm_conformance.adapters.reference import ReferenceLSTM
from lstm_conformance.reports.html import report_html
from lstm_conformance.reports.tables import markdown_report, note, short_report, summary
from lstm_conformance.reports.verdict import (
    GONE,
    cases_text,
    gate_sentence,
    not_passed,
    verdict_of,
    verdict_sentence,
    verdict_text,
)
from lstm_conformance.spec.case import Case
from lstm_conformance.spec.clauses import TESTABLE
from lstm_conformance.spec.clean_text import counted
from lstm_conformance.spec.contract import Observation, Unsupported

from .helpers.made_up_results import conforming, right, wrong


def clause(verdict: str, kind: str = "numbers", level: str = "MUST", **more: Any) -> dict[str, Any]:
    return {"verdict": verdict, "kind": kind, "level": level, "reasons": {}, **more}


@pytest.mark.parametrize(
    ("clauses", "gate_passed", "word"),
    [
        ([clause("pass")], True, "conforms"),
        ([clause("pass")], False, "undecided"),
        ([clause("pass"), clause("unsupported")], True, "conforms"),
        ([clause("inconclusive")], False, "undecided"),
        ([], False, "undecided"),
        ([clause("pass"), clause("waived")], True, "deviates"),
        ([clause("fail", level="SHOULD")], True, "deviates"),
        ([clause("error")], False, "deviates"),
        ([clause("error", reasons={GONE: 1})], False, "undecided"),
    ],
)
def test_one_broken_clause_is_a_deviation(clauses: Any, gate_passed: bool, word: str) -> None:
    assert verdict_of(clauses, gate_passed)["word"] == word


def test_deviations_are_counted_by_kind() -> None:
    clauses: Any = [
        clause("pass"),
        clause("waived"),
        clause("fail", "interface", "SHOULD"),
        clause("waived", "argument checks", "SHOULD"),
        clause("unsupported", "side effects"),
        clause("inconclusive", "side effects"),
        clause("not tested"),
    ]
    assert verdict_of(clauses, gate_passed=True) == {
        "word": "deviates",
        "judged": 5,
        "deviating": 3,
        "known": 2,
        "recommended": 2,
        "kinds": {
            "numbers": {"judged": 2, "deviating": 1},
            "interface": {"judged": 1, "deviating": 1},
            "side effects": {"judged": 1, "deviating": 0},
            "argument checks": {"judged": 1, "deviating": 1},
        },
    }


def test_the_verdict_in_words() -> None:
    undecided = not_passed(conforming())
    assert verdict_text(conforming()) == "conforms"
    assert verdict_text(right()) == "deviates in 8 of 208"
    assert verdict_text(undecided) == undecided["verdict"]["word"] == "undecided"
    assert verdict_sentence(conforming(), "it").startswith("CONFORMANT: it does what ")
    assert (
        verdict_sentence(undecided, "it") == "NOT COMPLETED: no verdict on it (nothing was shown)."
    )
    assert verdict_sentence(right(), "it") == (
        "DEVIATES: it deviates in 8 of 208 clauses that were judged, 8 about argument checks. "
        "4 of them are only recommended. No wrong number was found."
    )


def test_a_verdict_on_a_part_says_which_part() -> None:
    results = conforming()
    says = "CONFORMANT: it does what the documentation of torch.nn.LSTM says"
    part = ", in the 200 clauses that were asked for"
    assert verdict_sentence(results, "it") == f"{says}{part}."
    results["clauses"] = results["clauses"][:1]
    assert verdict_sentence(results, "it") == f"{says}, in the 1 clause that was asked for."
    results["case"] = "v1 input_size=1 hidden_size=1"
    one = ", in the 1 clause that was asked for, for the given case."
    assert verdict_sentence(results, "it") == f"{says}{one}"
    results.update(case=None, kinds=["numbers"])
    assert verdict_sentence(results, "it") == f"{says} of numbers."
    everything = conforming()
    everything["clauses"] = [{**everything["clauses"][0], "id": name} for name in TESTABLE]
    assert verdict_sentence(everything, "it") == f"{says}."


@pytest.mark.whole
def test_every_report_on_a_part_says_so() -> None:
    found = check(ReferenceLSTM(), clauses="EQ-4", profile="smoke")
    part = "says, in the 1 clause that was asked for."
    assert part in repr(found)
    assert part in found._repr_html_()
    assert part in short_report(found.results)
    assert part in markdown_report(found.results)
    assert part in report_html(found.results)


class Choosy(ReferenceLSTM):
    """It declares every sequence, and refuses long ones."""

    def __init__(self, why: str) -> None:
        self._why = why

    def run(self, case: Case) -> Observation:
        if case.seq_len > 3:
            raise Unsupported(self._why)
        return super().run(case)


# The second one is like the reason for a capability that is not declared.
@pytest.mark.parametrize("why", ["more than three steps", "no packed"])
def test_cases_that_were_refused_are_counted(why: str) -> None:
    asked: Any = {"clauses": "EQ-4", "profile": "smoke"}
    found = check(Choosy(why), **asked).text().splitlines()[-1]
    assert re.search(r"It refused \d+ cases?, which its capabilities include\.$", found), found
    assert "refused" not in check(ReferenceLSTM(), **asked, without=["layers"]).text()


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 clauses"), (1, "1 clause"), (2, "2 clauses"), (1.0, "1 clause"), (1.5, "1.5 clauses")],
)
def test_one_of_a_kind_is_no_plural(number: float, text: str) -> None:
    assert counted(number, "clause") == text
    assert counted(1, "clause is", "clauses are") == "1 clause is"


def test_one_verdict_and_one_test_are_no_plural() -> None:
    results = conforming()
    results["clauses"] = results["clauses"][:1]
    results["clauses"][0]["cases"] = 1
    part = {"clauses": ["EQ-1"], "why": "", "seconds": 0.0, "records": []}
    results["parts"] = {"a": {**part, "state": "finished"}, "b": {**part, "state": "broken off"}}
    left_out = results["coverage"]["combinations"]["left_out"]
    left_out[:] = [{"reason": "no states", "combinations": ["x"]}]
    text = summary(results)
    for words in ("\n1 verdict, ", "\n1 test finished, ", "\n1 combination left out: no states."):
        assert words in text


def test_what_is_only_recommended_says_so() -> None:
    results = conforming()
    results["clauses"][0].update(verdict="fail", level="SHOULD", must_hold=False)
    sentence = verdict_sentence(results, "it")
    assert "deviates in 1 of 200 clauses" in sentence
    assert sentence.endswith(" What it does not do is only recommended.")
    assert gate_sentence(results) == "Gate: passed, with 1 that is only recommended."


def test_the_answer_of_the_gate() -> None:
    assert gate_sentence(conforming()) == "Gate: passed."
    known = "Gate: passed, with 4 known deviations and 4 that are only recommended."
    assert gate_sentence(right()) == known
    broken = "Gate: failed. 3 clauses that must hold are broken, and no known deviation."
    assert gate_sentence(wrong()) == broken
    undecided = not_passed(conforming())
    assert gate_sentence(undecided) == "Gate: not completed."
    for clause in undecided["clauses"]:
        clause.update(verdict="unsupported", reasons={})
    says = "Gate: not completed. No clause passes: none could be judged."
    assert gate_sentence(undecided) == says
    for clause in undecided["clauses"]:
        clause["reasons"] = {"no states": 1}
    says = "Gate: not completed. No clause passes: none could be judged (no states)."
    assert gate_sentence(undecided) == says
    undecided["clauses"][1]["verdict"] = "waived"
    says = "No clause passes: each that was judged is a known deviation, or only recommended."
    says = f"Gate: not completed. {says}"
    assert gate_sentence(undecided) == says
    undecided["clauses"][0].update(verdict="not tested", counts={})
    assert gate_sentence(undecided) == "Gate: not completed. Of 1 clause no case was judged."
    undecided["clauses"][0].update(reasons={"out of memory: 9 GiB": 1})
    assert gate_sentence(undecided) == "Gate: not completed. Memory was not enough for 1 clause."
    undecided = not_passed(conforming())
    undecided["clauses"][0]["verdict"] = "inconclusive"
    assert gate_sentence(undecided) == "Gate: failed. 1 clause is inconclusive."
    assert gate_sentence({**undecided, "stopped": "interrupted"}) == "Gate: not completed."


def test_a_known_deviation_that_has_gone_is_not_called_a_broken_clause() -> None:
    results = not_passed(conforming())
    results["clauses"][0].update(verdict="error", reasons={GONE: 1})
    assert gate_sentence(results) == (
        "Gate: failed. 1 clause is listed as a known deviation, but no longer broken: remove the "
        "entry."
    )
    says = "NO VERDICT on mine: a known deviation is no longer broken. Remove its entry."
    assert verdict_sentence(results, "mine") == says
    lines = summary(results).splitlines()
    assert not any(line.startswith("Broken: ") for line in lines)
    assert any(line.startswith("Known deviations that are no longer broken: ") for line in lines)
    assert note(results["clauses"][0]).startswith("listed as a known deviation")
    results["clauses"][1].update(verdict="fail")
    assert gate_sentence(results).startswith("Gate: failed. 1 clause that must hold is broken")


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ({"pass": 3, "waived": 7}, "3 of 10"),
        ({"fail": 1}, "0 of 1"),
        ({"pass": 2, "unsupported": 5, "not tested": 1}, "2 of 2"),
        ({"unsupported": 5}, ""),
        ({}, ""),
    ],
)
def test_how_many_cases_pass(counts: dict[str, int], text: str) -> None:
    found: Any = {"counts": counts}
    assert cases_text(found) == text
