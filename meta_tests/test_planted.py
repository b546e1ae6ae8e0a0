"""Each clause has a defect that breaks it, and is killed by the tests of that clause alone.

A third of the clauses is tried in every run, with one defect each, and all clauses with
``-m whole``. ``lstm-conformance defects`` tries all defects.
"""

from __future__ import annotations

import inspect
from importlib import import_module

import pytest

from lstm_conformance import check
from lstm_conformance.runner.mutation.first_failure import first_failure
from lstm_conformance.spec.clauses import TESTABLE

pytest.importorskip("torch")

from lstm_conformance.defects.catalogue import KINDS, Defect, catalogue
from lstm_conformance.defects.sizes import lost_unit

from .helpers.selection import one_in_three

PLANTED = catalogue()
SAMPLE = {defect.breaks: defect for defect in reversed(PLANTED)}


@pytest.mark.parametrize(
    "defect", one_in_three(SAMPLE.values()), ids=[f"{d.breaks}-{d.id}" for d in SAMPLE.values()]
)
def test_defect_is_killed_by_its_clause(defect: Defect) -> None:
    assert first_failure(defect.target, defect.breaks, "smoke").case is not None


@pytest.mark.whole
def test_defects_of_sizes_break_no_other_clause() -> None:
    """Otherwise one that is not found would be counted as killed."""
    never = lost_unit(lambda call: False)
    judged = check(never, profile="smoke", strict=True)
    assert {clause.verdict for clause in judged} <= {"pass", "unsupported", "not tested"}


def test_every_clause_has_a_defect() -> None:
    assert set(SAMPLE) == set(TESTABLE)


def test_facts_are_given() -> None:
    for defect in PLANTED:
        assert defect.kind in KINDS
        assert defect.shows
        assert defect.text.endswith(".")


def test_ids_are_unique() -> None:
    assert len({defect.id for defect in PLANTED}) == len(PLANTED)


def test_no_defect_is_forgotten() -> None:
    """Every public class of a module of defects is in the catalogue."""
    known = {defect.target for defect in PLANTED}
    for module_name in {defect.target.partition(":")[0] for defect in PLANTED}:
        for name, value in vars(import_module(module_name)).items():
            if inspect.isclass(value) and value.__module__ == module_name and name[0] != "_":
                assert f"{module_name}:{name}" in known
