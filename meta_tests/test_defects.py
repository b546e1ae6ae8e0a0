"""Of some defects the whole judgement: the clause that is broken is named as the cause, and the
defect by the diagnosis."""

from __future__ import annotations

from pathlib import Path

import pytest

from .command_line import check, root_causes

pytest.importorskip("torch")

# File and class of a defect to the clauses that are to be named as the cause.
NAMED = {
    "equations:GatesInOrderIOFG": {"EQ-1"},
    "equations:BiasHHIgnored": {"EQ-5"},
    "layers:ReverseNotReversed": {"DIR-2", "DIR-3"},
    "layers:UpperInitialStatesIgnored": {"STATE-3"},
    "layers:ProjectionOnlyOnOutput": {"PROJ-3"},
    "gradients_of_equations:GradientOfC0Missing": {"GRAD-3"},
    "gradients_of_equations:WeightIHGradientOfLayer1Scaled": {"GRAD-4"},
    "gradients_of_equations:CotangentOfCNIgnored": {"GRAD-9"},
    "dtypes:Float64ComputedInFloat32": {"DTYPE-3"},
}


@pytest.mark.parametrize("defect", NAMED)
def test_defect_is_found_and_named(defect: str, tmp_path: Path) -> None:
    target = f"lstm_conformance.defects.{defect}"
    ended, results = check(target, "--profile", "smoke", cwd=tmp_path)
    assert ended.status == 1
    assert results["conformant"] is False
    assert root_causes(results) == NAMED[defect]
    causes = [clause["failure"]["diagnosis"] for clause in results["clauses"]
              if clause["root_cause"]]  # fmt: skip
    if "dtypes:" not in defect:  # lost precision is nothing that is like another loss of it
        assert all(diagnosis["defects"] == [defect.partition(":")[2]] for diagnosis in causes)
    named = [f"{clause['id']} {clause['title']}" for clause in results["clauses"]]
    assert all(f"Broken: {name}" in ended.out or f"; {name}" in ended.out for name in named
               if name.split()[0] in NAMED[defect])  # fmt: skip
