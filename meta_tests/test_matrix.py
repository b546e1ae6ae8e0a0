"""Several implementations side by side, as text and as Markdown."""

from __future__ import annotations

import re
from typing import Any

import pytest

from lstm_conformance.reports.matrix import (
    clause_rows,
    counts_table,
    differs,
    labels,
    matrix_markdown,
    matrix_text,
)

from .helpers.made_up_results import hostile, right, wrong


def test_implementations_of_one_name_have_different_labels() -> None:
    assert labels([right(), wrong()]) == ["torch", "mine.py:LSTM"]
    assert labels([right(), wrong(), right()]) == [
        "torch 2.13.0+cpu (1)", "mine.py:LSTM", "torch 2.13.0+cpu (3)",
    ]  # fmt: skip


def test_clauses_that_one_result_lacks_are_there() -> None:
    fewer = right()
    del fewer["clauses"][0]
    rows = clause_rows([fewer, right()])
    assert len(rows) == len(right()["clauses"])
    (cells,) = (cells for clause, cells in rows if clause["id"] == "EQ-1")
    assert cells[0] is None
    assert not differs(cells)


@pytest.mark.parametrize(
    ("verdicts", "different"),
    [
        (("pass", "pass"), False),
        (("pass", "fail"), True),
        (("fail", "error"), True),
        (("pass", "unsupported"), False),
        (("fail", "not tested"), False),
        (("pass", "waived", "unsupported"), True),
    ],
)
def test_where_implementations_differ(verdicts: tuple[str, ...], different: bool) -> None:
    assert differs({"verdict": verdict} for verdict in verdicts) is different


def test_numbers_of_verdicts_are_counted() -> None:
    results = wrong()
    results["time_in_tests_seconds"] = 211.7
    passed = [c for c in results["clauses"] if c["verdict"] == "pass"]
    worst = max(c["worst_ratio"] for c in passed if c["worst_ratio"] is not None)
    row = counts_table([results], "simple").splitlines()[2]
    assert re.split("  +", row) == [
        "mine.py:LSTM", "1.0", "default", "deviates in 12 of 206",
        "3 of 133", "1 of 29", "0 of 12", "8 of 32", "1", f"{worst:.3g}", "212",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value"), [("stopped", "max-time"), ("shard", {"index": 2, "count": 8})]
)
def test_what_was_judged_in_part_says_so(field: str, value: Any) -> None:
    results = {**right(), field: value}
    assert "  default  " in counts_table([right()], "simple")
    assert "  default, in part  " in counts_table([results], "simple")


def test_implementations_may_agree() -> None:
    assert "They differ in no clause" in matrix_text([right(), right()])


def test_hostile_text_is_text() -> None:
    page, text = matrix_markdown([right(), hostile()]), matrix_text([right(), hostile()])
    assert "\x1b" not in page + text
    assert "\x00" not in page + text
    assert "<script>" not in page.replace("\\<", "")
    table = [line for line in page.splitlines() if line.startswith("| EQ-")]
    assert {line.replace("\\|", "").count("|") for line in table} == {5}
