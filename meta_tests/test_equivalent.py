"""Mutants that look wrong but compute what is right have to pass."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

from .helpers.command_line import Ended, check

pytest.importorskip("torch")

from lstm_conformance.defects import equivalent
from lstm_conformance.defects.catalogue import catalogue
from lstm_conformance.defects.equivalent import EQUIVALENT

# Clauses on everything that the mutants change. All clauses would take ten times as long.
CLAUSES = (
    *("EQ-4", "EQ-6", "DIR-3", "STATE-3", "PACK-2", "DROP-5", "DROP-6", "DROP-9"),
    *("GRAD-3", "GRAD-4", "GRAD-8", "GRAD-11", "EDGE-13", "EDGE-14", "PURE-12"),
    *("COMB-1", "COMB-2"),
)


def judged(target: str, *options: str, cwd: Path) -> tuple[Ended, dict[str, Any]]:
    clauses = [word for clause in CLAUSES for word in ("--clause", clause)]
    formats = ("--dtype", "float64", "--dtype", "float32")
    return check(target, "--profile", "smoke", *formats, *clauses, *options, cwd=cwd)


@pytest.mark.slow
@pytest.mark.parametrize("name", [mutant.__name__ for mutant in EQUIVALENT])
def test_equivalent_mutant_conforms(name: str, tmp_path: Path) -> None:
    ended, results = judged(f"{equivalent.__name__}:{name}", cwd=tmp_path)
    assert ended.status == 0, ended.out
    assert results["conformant"] is True
    assert {clause["id"]: clause["verdict"] for clause in results["clauses"]} == dict.fromkeys(
        CLAUSES, "pass"
    )
    worst = max(clause["worst_ratio"] or 0.0 for clause in results["clauses"])
    assert worst < 15, "far below the threshold"


def test_mutant_that_is_wrong_does_not_conform(tmp_path: Path) -> None:
    target = "lstm_conformance.defects.gradients.parameters:GradientOfBiasHHZero"
    ended, results = judged(target, "--max-failures", "1", cwd=tmp_path)
    assert ended.status == 1
    assert results["conformant"] is False


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
