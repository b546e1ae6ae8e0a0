"""Of some defects the whole judgement: the clause that is broken is named as the cause, and the
defect by the diagnosis."""

from __future__ import annotations

from pathlib import Path

import pytest

from .command_line import check, root_causes

pytest.importorskip("torch")

# File and class of a defect to the clauses that are to be named as the cause. Each judgement takes
# most of a minute: `whole_judgements.py` has more.
NAMED = {
    "equations.gates:GatesInOrderIOFG": {"EQ-1"},
    "gradients.initial_states:GradientOfC0Missing": {"GRAD-3"},
}


@pytest.mark.parametrize("defect", NAMED)
def test_defect_is_found_and_named(defect: str, tmp_path: Path) -> None:
    found_and_named(defect, NAMED[defect], tmp_path)


def found_and_named(defect: str, clauses: set[str], cwd: Path) -> None:
    """Judges a defect by all clauses, and holds the report to what it has to say."""
    target = f"lstm_conformance.defects.{defect}"
    ended, results = check(target, "--profile", "smoke", cwd=cwd)
    assert ended.status == 1
    assert results["conformant"] is False
    assert root_causes(results) == clauses
    causes = [clause["failure"]["diagnosis"] for clause in results["clauses"]
              if clause["root_cause"]]  # fmt: skip
    if "dtypes:" not in defect:  # lost precision is nothing that is like another loss of it
        assert all(diagnosis["defects"] == [defect.partition(":")[2]] for diagnosis in causes)
    named = [f"{clause['id']} {clause['title']}" for clause in results["clauses"]]
    assert all(f"Broken: {name}" in ended.out or f"; {name}" in ended.out for name in named
               if name.split()[0] in clauses)  # fmt: skip
