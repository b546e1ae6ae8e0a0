"""The data of the clauses are sound, and each clause has a test and each test a clause."""

from __future__ import annotations

import re

import pytest

from lstm_conformance.runner.session.suite import all_tests, clauses_of
from lstm_conformance.spec.clause import KINDS
from lstm_conformance.spec.clauses import CLAUSES, TESTABLE, prerequisites, root_causes


def _tests() -> dict[str, tuple[str, ...]]:
    """Name of each test of the suite to the clauses that it names."""
    return {name: clauses_of(test) for name, test in all_tests().items()}


def test_every_test_names_known_clauses() -> None:
    assert len(_tests()) > 40
    for test, clauses in _tests().items():
        assert clauses, f"{test} names no clause"
        assert set(clauses) <= set(CLAUSES), test


def test_clauses_about_numbers_are_no_recommendations() -> None:
    assert {clause.level for clause in CLAUSES.values() if clause.kind == "numbers"} == {"MUST"}
    assert {clause.kind for clause in CLAUSES.values()} == set(KINDS)


def test_every_clause_has_a_test() -> None:
    tested = {clause for clauses in _tests().values() for clause in clauses}
    assert set(TESTABLE) == tested


def test_tests_are_where_their_chapter_is() -> None:
    homes: dict[str, set[str]] = {}
    for test, clauses in _tests().items():
        for clause in clauses:
            homes.setdefault(CLAUSES[clause].chapter, set()).add(test.partition(".")[0])
    assert all(len(files) == 1 for files in homes.values()), homes


@pytest.mark.parametrize("clause", CLAUSES.values(), ids=list(CLAUSES))
def test_clause_is_complete(clause: object) -> None:
    for name in ("id", "title", "text", "source"):
        assert getattr(clause, name)
    assert re.fullmatch(r"[A-Z]+-[1-9][0-9]*", clause.id)  # type: ignore[attr-defined]
    assert clause.text.endswith(".")  # type: ignore[attr-defined]


def test_prerequisites_are_known_and_have_no_cycle() -> None:
    for clause in CLAUSES.values():
        assert set(clause.builds_on) <= set(CLAUSES), clause.id
        assert clause.id not in prerequisites(clause.id)


def test_root_causes_build_on_no_broken_clause() -> None:
    assert root_causes({"EQ-1", "EQ-2", "COMB-2"}) == {"EQ-1"}
    assert root_causes({"GRAD-3", "GRAD-10", "COMB-2", "DIR-2"}) == {"DIR-2"}
    assert root_causes({"GRAD-3", "GRAD-4"}) == {"GRAD-3", "GRAD-4"}
    assert root_causes(set()) == set()
