"""Some defects are judged by all clauses: the report names the broken clause as the cause, and the
diagnosis names the defect.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from .helpers.judgements import found_and_named

pytest.importorskip("torch")

# File and class of a defect to the clauses that are to be named as the cause. Each judgement takes
# most of a minute: `test_whole_judgements.py` has more.
NAMED = {
    "equations.gates:GatesInOrderIOFG": {"EQ-1"},
    "gradients.initial_states:GradientOfC0Missing": {"GRAD-3"},
}


@pytest.mark.slow
@pytest.mark.parametrize("defect", NAMED)
def test_defect_is_found_and_named(defect: str, tmp_path: Path) -> None:
    found_and_named(defect, NAMED[defect], tmp_path)
