"""Judgements by all clauses that take too long for every run: ``tox -e whole``."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

from lstm_conformance.defects import equivalent
from lstm_conformance.defects.equivalent import EQUIVALENT
from tools.frameworks import DEVIATIONS

from .helpers.command_line import IMPLEMENTATIONS
from .helpers.hostile_judgements import HARMFUL, PROGRAMS, nothing_lost
from .helpers.judgements import (
    WHOLE_ELSEWHERE,
    conforms,
    found_and_named,
    the_reference_conforms,
)

pytestmark = pytest.mark.whole

NAMED = {
    "equations.gates:GatesInOrderIOFG": {"EQ-1"},
    "gradients.initial_states:GradientOfC0Missing": {"GRAD-3"},
    "directions:ReverseNotReversed": {"DIR-2", "DIR-3"},
    "equations.parameters:BiasHHIgnored": {"EQ-5"},
    "states:UpperInitialStatesIgnored": {"STATE-3"},
    "projection:ProjectionOnlyOnOutput": {"PROJ-3"},
    "gradients.parameters:WeightIHGradientOfLayer1Scaled": {"GRAD-4"},
    "gradients.cotangents:CotangentOfCNIgnored": {"GRAD-9"},
    "dtypes:Float64ComputedInFloat32": {"DTYPE-3"},
}


@pytest.mark.parametrize("defect", NAMED)
def test_defect_is_found_and_named(defect: str, tmp_path: Path) -> None:
    found_and_named(defect, NAMED[defect], tmp_path)


@pytest.mark.parametrize("name", ["HandWrittenBackward", *WHOLE_ELSEWHERE])
def test_correct_implementation_conforms(name: str, tmp_path: Path) -> None:
    conforms(f"{IMPLEMENTATIONS / 'correct.py'}:{name}", cwd=tmp_path)


@pytest.mark.parametrize("name", [mutant.__name__ for mutant in EQUIVALENT])
def test_equivalent_mutant_conforms(name: str, tmp_path: Path) -> None:
    conforms(f"{equivalent.__name__}:{name}", cwd=tmp_path)


def test_the_reference_conforms_in_every_combination(tmp_path: Path) -> None:
    coverage = the_reference_conforms("default", tmp_path)
    assert coverage == {"total": 2304, "visited": 2304, "left_out": []}


def test_torch_without_onednn_conforms(tmp_path: Path) -> None:
    name = "torch-onednn-off"
    conforms(name, "--known-deviations", str(DEVIATIONS / f"{name}.toml"), cwd=tmp_path)


@pytest.mark.parametrize("name", [*HARMFUL, *PROGRAMS])
def test_nothing_is_lost_in_a_thousand_cases(name: str, tmp_path: Path) -> None:
    nothing_lost(name, "default", tmp_path)
