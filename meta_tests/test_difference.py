"""All changes between two results are reported, and nothing else."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from lstm_conformance.reports.difference import (
    Difference,
    difference,
    difference_markdown,
    difference_text,
)
from lstm_conformance.reports.reading import upgraded
from lstm_conformance.spec.usage_error import UsageError
from tools.frameworks import RESULTS

BEFORE = upgraded(json.loads((RESULTS / "torch.json").read_text("utf-8")))
FAILURE = {"explanation": "EQ-1 Gate order: ...\n  diagnosis matches GatesInAnotherOrder."}


def changed(verdict: str, ratio: float | None = None, **more: Any) -> dict[str, Any]:
    """The results with EQ-1 as given."""
    after = copy.deepcopy(BEFORE)
    after["clauses"][0].update(verdict=verdict, worst_ratio=ratio, **more)
    return after


def lists(found: Difference) -> dict[str, list[str]]:
    """Ids of the clauses in each list that has any."""
    return {name: [c.clause["id"] for c in changes] for name, changes in found.groups if changes}


def test_the_same_results_have_no_difference() -> None:
    found = difference(BEFORE, BEFORE)
    assert not lists(found)
    assert difference_text(found) == "torch: no clause changed.\n"


@pytest.mark.parametrize(
    ("before", "after", "name"),
    [
        ("pass", "fail", "newly broken"),
        ("pass", "error", "newly broken"),
        ("waived", "fail", "newly broken"),
        ("not tested", "fail", "newly broken"),
        ("fail", "error", ""),
        ("fail", "pass", "newly passing"),
        ("waived", "pass", "newly passing"),
        ("unsupported", "pass", "newly passing"),
        ("pass", "waived", "newly waived"),
        ("fail", "waived", ""),
        ("pass", "unsupported", "no longer judged"),
        ("pass", "not tested", "no longer judged"),
        ("pass", "inconclusive", "newly broken"),
        ("unsupported", "inconclusive", "newly broken"),
        ("inconclusive", "fail", "newly broken"),
        ("inconclusive", "inconclusive", ""),
        ("fail", "inconclusive", ""),
        ("fail", "not tested", "no longer judged"),
        ("not tested", "unsupported", ""),
    ],
)
def test_every_change_of_a_verdict_is_reported(before: str, after: str, name: str) -> None:
    found = difference(
        changed(before), changed(after, failure=FAILURE if after in ("fail", "error") else None)
    )
    assert lists(found) == ({name: ["EQ-1"]} if name else {})
    if name:
        row = next(line for line in difference_text(found).splitlines() if "EQ-1" in line)
        assert row.split() == [*name.split(), "EQ-1", "Gate", "order", *f"{before} {after}".split()]


@pytest.mark.parametrize(
    ("before", "after", "grown"),
    [(0.5, 5.1, True), (0.5, 4.9, False), (0.01, 0.9, False), (0.0, 1.0, True), (None, 5.0, False)],
)
def test_errors_that_grew_tenfold_are_reported(
    before: float | None, after: float, grown: bool
) -> None:
    found = difference(changed("pass", before), changed("pass", after))
    assert lists(found) == ({"error grown more than tenfold": ["EQ-1"]} if grown else {})


@pytest.mark.parametrize(("after", "grown"), [(1e7, True), (1e6, False)])
def test_errors_of_broken_clauses_can_grow(after: float, grown: bool) -> None:
    found = difference(changed("fail", 1e5), changed("error", after))
    assert lists(found) == ({"error grown more than tenfold": ["EQ-1"]} if grown else {})


def test_clauses_may_be_added_and_removed() -> None:
    fewer = {**BEFORE, "clauses": BEFORE["clauses"][1:]}
    assert lists(difference(BEFORE, fewer)) == {"no longer judged": ["EQ-1"]}
    assert lists(difference(fewer, BEFORE)) == {"newly passing": ["EQ-1"]}
    assert "no such clause" in difference_text(difference(fewer, BEFORE))


def test_what_broke_is_explained() -> None:
    found = difference(BEFORE, changed("fail", 1e6, failure=FAILURE, root_cause=True))
    assert "matches GatesInAnotherOrder" in difference_text(found)
    page = difference_markdown(found)
    assert page.startswith("# What changed in torch\n\ntorch: 1 newly broken.\n\n| change")
    assert "```text\nEQ-1 Gate order" in page


def test_other_differences_of_the_runs_are_reported() -> None:
    after = copy.deepcopy(BEFORE)
    after.update(profile="thorough", seed=3, stopped="interrupted")
    after["implementation"]["version"] = "3.0"
    after["environment"]["packages"]["numpy"] = "3.0.0"
    lines = difference_text(difference(BEFORE, after)).splitlines()
    assert "Judged with another version: 2.13.0+cpu, now 3.0." in lines
    assert "Judged with another profile: default, now thorough." in lines
    assert "Judged with another seed: 0, now 3." in lines
    assert "Judged with another numpy: 2.4.6, now 3.0.0." in lines
    assert "The second run was not completed: interrupted." in lines


def test_different_implementations_have_no_difference() -> None:
    other = copy.deepcopy(BEFORE)
    other["implementation"]["target"] = "jax\x1b[2J"
    with pytest.raises(UsageError, match="of torch and of jax") as raised:
        difference(BEFORE, other)
    assert str(raised.value).isprintable()


def test_hostile_text_is_text() -> None:
    hostile = "<script>alert(1)</script>\x1b[2J\n# head |"
    after = changed("fail", title=hostile, failure={"explanation": hostile}, root_cause=True)
    after["implementation"].update(name=hostile, version=hostile)
    found = difference(BEFORE, after)
    assert "\x1b" not in difference_text(found) + difference_markdown(found)
    outside = difference_markdown(found).partition("```")[0]
    assert "<script>" not in outside.replace("\\<", "")
    assert "\n# head" not in outside
