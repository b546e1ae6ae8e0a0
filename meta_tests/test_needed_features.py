"""The cases of each clause have what the clause is about, with every seed and every Hypothesis."""

from __future__ import annotations

import pytest

from lstm_conformance.spec.clauses import TESTABLE

from .helpers.drawn_cases import drawn_cases
from .helpers.needed_features import FEATURES, NEEDED, needs_of, too_few


def test_the_table_has_every_clause_and_no_unknown_feature() -> None:
    assert set(NEEDED) == set(TESTABLE)
    for clause in NEEDED:
        for _, features in needs_of(clause):
            assert set(features) <= set(FEATURES), clause
            assert features


def all_too_few(profile: str, seed: int) -> list[str]:
    return [
        sentence
        for clause in NEEDED
        for sentence in too_few(clause, needs_of(clause), drawn_cases(clause, profile, seed))
    ]


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.whole)])
def test_cases_of_smoke(seed: int) -> None:
    assert all_too_few("smoke", seed) == []
