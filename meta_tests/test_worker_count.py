"""How many processes run tests, if the user does not say it."""

from __future__ import annotations

import os

import pytest

from lstm_conformance.runner.session.options import Options
from lstm_conformance.runner.session.worker_count import worker_count


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (Options(), 3),
        (Options(clauses=("EQ-1",)), 0),
        (Options(clauses=("SIZE-3",)), 3),
        (Options(clauses=("EQ-1",), workers=2), 2),
        (Options(workers=0), 0),
    ],
)
def test_few_short_tests_have_no_workers(
    options: Options, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    assert worker_count(options) == count
