"""Of some defects the whole judgement: the clause that is broken is named as the cause."""

from __future__ import annotations

from pathlib import Path

import pytest

from .command_line import IMPLEMENTATIONS, check, root_causes

pytest.importorskip("torch")

# Defect to the clauses that are to be named as the cause.
NAMED = {
    "GatesInOrderIOFG": {"EQ-1"},
    "BiasHHIgnored": {"EQ-5"},
    "ReverseNotReversed": {"DIR-2", "DIR-3"},
    "UpperInitialStatesIgnored": {"STATE-3"},
    "ProjectionOnlyOnOutput": {"PROJ-3"},
    "GradientOfC0Missing": {"GRAD-3"},
    "WeightIHGradientOfLayer1Scaled": {"GRAD-4"},
    "CotangentOfCNIgnored": {"GRAD-9"},
    "Float64ComputedInFloat32": {"DTYPE-3"},
}


def target(defect: str) -> str:
    return f"{IMPLEMENTATIONS / 'defective.py'}:{defect}"


@pytest.mark.parametrize("defect", NAMED)
def test_defect_is_found_and_named(defect: str, tmp_path: Path) -> None:
    ended, results = check(target(defect), "--profile", "smoke", cwd=tmp_path)
    assert ended.status == 1
    assert results["conformant"] is False
    assert root_causes(results) == NAMED[defect]
    named = [f"{clause['id']} {clause['title']}" for clause in results["clauses"]]
    assert all(f"Broken: {name}" in ended.out or f"; {name}" in ended.out for name in named
               if name.split()[0] in NAMED[defect])  # fmt: skip
