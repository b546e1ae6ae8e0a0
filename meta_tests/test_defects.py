"""Every planted defect is found, and the clause that it breaks is named."""

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

# Defect to the clause that finds it, asked for alone.
FOUND = {
    "SigmoidForCandidate": "EQ-2",
    "TanhOfCellMissing": "EQ-3",
    "TanhSaturatesAt4": "EQ-6",
    "ForgetGateOnCandidate": "EQ-2",
    "ForgetBiasOne": "EQ-4",
    "BiasIHTwice": "EQ-5",
    "ReverseStartsAtPadding": "PACK-3",
    "UpperLayersReadForwardOnly": "DIR-4",
    "OutputReverseFirst": "DIR-1",
    "FinalStatesOfDirectionsSwapped": "DIR-3",
    "StatesDirectionMajor": "STATE-4",
    "FinalHiddenIsLastStep": "DIR-3",
    "H0Ignored": "STATE-2",
    "C0Ignored": "STATE-2",
    "BatchFirstByReshape": "SHAPE-5",
    "UnbatchedKeepsBatchAxis": "SHAPE-1",
    "InitialStatesNotSorted": "PACK-2",
    "FinalStatesStaySorted": "PACK-2",
    "DropoutInEvaluation": "DROP-1",
    "DropoutOneDoesNothing": "DROP-2",
    "DropoutOnLastLayer": "DROP-3",
    "GradientOfInputOnlyAtLastStep": "GRAD-1",
    "GradientOfBiasHHZero": "GRAD-6",
    "GradientOfWeightHRZero": "GRAD-7",
    "GradientTruncatedInTime": "GRAD-5",
    "GradientThroughShownCellMissing": "GRAD-4",
    "CotangentOfHNIgnored": "GRAD-8",
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


@pytest.mark.parametrize("defect", FOUND)
def test_defect_is_found_by_its_clause_alone(defect: str, tmp_path: Path) -> None:
    options = ("--profile", "smoke", "--clause", FOUND[defect])
    ended, results = check(target(defect), *options, cwd=tmp_path)
    assert ended.status == 1
    assert root_causes(results) == {FOUND[defect]}


def test_every_defect_is_tried() -> None:
    text = (IMPLEMENTATIONS / "defective.py").read_text()
    defects = {line[6 : line.index("(")] for line in text.splitlines() if line[:6] == "class "}
    assert defects == {*NAMED, *FOUND}
