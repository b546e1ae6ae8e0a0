"""A clause that needs something says so: an implementation without it is asked the others only."""

from __future__ import annotations

import pytest

from lstm_conformance.adapters.reference import ReferenceLSTM
from lstm_conformance.in_process import judge
from lstm_conformance.spec.clause import CAPABILITIES
from lstm_conformance.spec.clauses import CLAUSES, TESTABLE


@pytest.mark.parametrize("clause", TESTABLE)
def test_the_reference_lacks_what_clauses_need(clause: str) -> None:
    """It has none of the capabilities, and judges everything else."""
    verdicts = {verdict for record in judge(ReferenceLSTM(), clause) for verdict in record.verdicts}
    expected = {"unsupported"} if TESTABLE[clause].needs else {"pass"}
    assert verdicts - {"inconclusive"} <= expected | {"unsupported"}
    assert expected <= verdicts or clause == "DTYPE-4"  # NumPy has no bfloat16


def test_needs_are_capabilities() -> None:
    assert {clause.needs for clause in CLAUSES.values()} == {"", *CAPABILITIES}
