"""The badge says the verdict in words."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from lstm_conformance.reports.badge import badge_svg

from .helpers.made_up_results import conforming, right, wrong

_SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(
    ("results", "words"),
    [
        (conforming(), "conforms in 200 clauses"),
        (right(), "deviates in 8 of 208 clauses"),
        (wrong(), "deviates in 12 of 206 clauses"),
        ({**conforming(), "gate_passed": False}, "not completed"),
    ],
)
def test_what_the_badge_says(results: dict[str, Any], words: str) -> None:
    svg = ElementTree.fromstring(badge_svg(results))
    assert svg.get("role") == "img"
    assert svg.findtext(f"{_SVG}title") == f"LSTM conformance: {words}"
    assert [text.text for text in svg.iter(f"{_SVG}text")] == ["LSTM conformance", words]


def test_verdicts_have_colours_of_their_own() -> None:
    undecided = {**conforming(), "gate_passed": False}
    pages = [badge_svg(results) for results in (conforming(), right(), undecided)]
    fills = [
        [r.get("fill") for r in ElementTree.fromstring(page).iter(f"{_SVG}rect")][-1]
        for page in pages
    ]
    assert len(set(fills)) == 3
