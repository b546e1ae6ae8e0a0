"""LSTMs that are wrong in one window of sizes are found, and their boundary is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch")

from lstm_conformance.defects.windows import Window, windows
from tools.size_windows import asked_cases, call_of, measure, names_boundary

from .helpers.selection import elsewhere

PUBLISHED = Path(__file__).parents[1] / "reports/published/windows.json"

ABOVE_32 = Window("hidden", "above", 32, of_gradient=False)


@pytest.mark.parametrize("profile", ["smoke", "default"])
def test_each_window_has_a_case(profile: str) -> None:
    asked = asked_cases(profile)
    for window in windows():
        assert any(
            window.holds(call_of(one.case)) and (one.case.cotangents or not window.of_gradient)
            for one in asked
        ), window.name


@pytest.mark.parametrize(
    "window",
    [
        ABOVE_32,
        Window("projection", "equal to", 16, of_gradient=True),
        Window("features", "a multiple of", 32, of_gradient=True),
        elsewhere(Window("steps", "above", 4, of_gradient=False)),
        elsewhere(Window("packed_total", "equal to", 64, of_gradient=False)),
        elsewhere(Window("packed_total", "above", 8, of_gradient=False)),
    ],
    ids=lambda window: window.name,
)
def test_found_and_named(window: Window) -> None:
    row = measure(window)
    assert row["smoke"]
    assert row["default"]
    assert row["named"], row["says"]


def test_a_window_that_holds_nowhere_is_not_found() -> None:
    row = measure(Window("hidden", "above", 100_000, of_gradient=False))
    assert not row["smoke"]
    assert not row["default"]
    assert not row["named"]


@pytest.mark.parametrize(
    ("text", "is_named"),
    [
        ("wrong only for some sizes: hidden_size from 33 on (right at 32).", True),
        ("wrong only for some sizes: hidden_size from 60 on (right at 59).", True),
        ("wrong only for some sizes: hidden_size from 70 on (right at 69).", False),
        ("wrong only for some sizes: seq_len from 33 on (right at 32).", False),
        ("hidden_size from 33 on (right at 32), and seq_len from 9 on (right at 8).", False),
        ("wrong only for some sizes: hidden_size is a multiple of 32.", False),
        ("wrong in the gate o", False),
        ("", False),
    ],
)
def test_what_names_a_boundary(text: str, is_named: bool) -> None:
    assert names_boundary(text, ABOVE_32) is is_named


def test_published() -> None:
    published = json.loads(PUBLISHED.read_text("utf-8"))
    assert [row["window"] for row in published["rows"]] == [window.name for window in windows()]
    assert published["default"] == 1.0
    assert min(published["smoke"], published["named"]) >= 0.9
