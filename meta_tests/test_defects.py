"""Some defects are judged by all clauses: the report names the broken clause as the cause, and the
diagnosis names the defect.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from .helpers.judgements import found_and_named
from .helpers.selection import elsewhere

pytest.importorskip("torch")

# File and class of a defect to the clauses that are to be named as the cause. They are judged by a
# few clauses here, and by all of them in `test_whole_judgements.py`, a minute or two each.
NAMED = {
    "equations.gates:GatesInOrderIOFG": {"EQ-1"},
    "gradients.initial_states:GradientOfC0Missing": {"GRAD-3"},
}

CLAUSES = ("EQ-1", "EQ-2", "EQ-3", "EQ-4", "STATE-1", "GRAD-1", "GRAD-2", "GRAD-3", "GRAD-8")
SOME = [word for clause in CLAUSES for word in ("--clause", clause)]


@pytest.mark.slow
@pytest.mark.parametrize(
    "defect",
    [elsewhere(name) if "gradients" in name else name for name in NAMED],
)
def test_defect_is_found_and_named(defect: str, tmp_path: Path) -> None:
    found_and_named(defect, NAMED[defect], tmp_path, *SOME)
