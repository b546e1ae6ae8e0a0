"""Mutants that look wrong but compute what is right have to pass."""

from __future__ import annotations

import inspect

import pytest

pytest.importorskip("torch")

from lstm_conformance.defects import equivalent
from lstm_conformance.defects.catalogue import catalogue
from lstm_conformance.defects.equivalent import EQUIVALENT

from .helpers.judgements import passes
from .helpers.selection import elsewhere

# Clauses on everything that the mutants change. `test_whole_judgements.py` has all clauses.
CLAUSES = (
    *("EQ-4", "EQ-6", "DIR-3", "STATE-3", "PACK-2", "DROP-5", "DROP-6", "DROP-9"),
    *("GRAD-3", "GRAD-4", "GRAD-8", "GRAD-11", "EDGE-13", "EDGE-14", "PURE-12"),
)


NAMES = [mutant.__name__ for mutant in EQUIVALENT]


@pytest.mark.parametrize("name", [NAMES[0], *map(elsewhere, NAMES[1:])])
def test_equivalent_mutant_conforms(name: str) -> None:
    passes(f"{equivalent.__name__}:{name}", CLAUSES)


def test_mutant_that_is_wrong_does_not_conform() -> None:
    with pytest.raises(AssertionError):
        passes("lstm_conformance.defects.gradients.parameters:GradientOfBiasHHZero", ("GRAD-6",))


def test_every_mutant_is_listed() -> None:
    classes = {
        value
        for name, value in vars(equivalent).items()
        if inspect.isclass(value) and value.__module__ == equivalent.__name__ and name[0] != "_"
    }
    assert set(EQUIVALENT) == classes
    assert len(EQUIVALENT) == len(classes)


@pytest.mark.parametrize("mutant", EQUIVALENT, ids=lambda mutant: mutant.__name__)
def test_change_and_proof_are_described(mutant: type) -> None:
    paragraphs = inspect.cleandoc(mutant.__doc__ or "").split("\n\n")
    assert len(paragraphs) == 2
    assert all(text.endswith(".") for text in paragraphs)


def test_no_defect_has_the_name_of_a_mutant() -> None:
    assert not {defect.id for defect in catalogue()} & {m.__name__ for m in EQUIVALENT}
