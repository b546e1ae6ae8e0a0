"""What functions over NumPy arrays do to arrays that they get and have returned."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lstm_conformance import check
from lstm_conformance.adapters.reference import ReferenceLSTM
from lstm_conformance.reference.oracle import evaluate
from lstm_conformance.spec.case import Case

CAPABILITIES = sorted(ReferenceLSTM.capabilities - {"gradients", "float16", "full-dropout"})
CLAUSES = ["EQ-5", "PURE-1", "PURE-2", "PURE-6"]


def right(case: Case, arguments: dict[str, Any]) -> tuple[Any, Any, Any]:
    results = evaluate(case, arguments, {})
    return results["output"], results["h_n"], results["c_n"]


def writes_to_c_0(case: Case, arguments: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Has its running cell state in c_0."""
    output, h_n, c_n = right(case, arguments)
    if case.states and case.seq_len > 1:
        arguments["c_0"][...] = c_n
    return output, h_n, c_n


class SharedBuffer:
    """Returns parts of one array, which is overwritten by the next run of the same size."""

    def __init__(self) -> None:
        self.buffers: dict[Any, Any] = {}

    def __call__(self, case: Case, arguments: dict[str, Any]) -> tuple[Any, Any, Any]:
        output, h_n, c_n = right(case, arguments)
        kept = self.buffers.setdefault((output.shape, output.dtype), np.empty_like(output))
        kept[...] = output
        return kept, h_n, c_n


@pytest.mark.parametrize(
    ("function", "broken"),
    [(right, set()), (writes_to_c_0, {"PURE-1"}), (SharedBuffer(), {"PURE-6"})],
    ids=["right", "writes to c_0", "shared buffer"],
)
def test_what_is_done_to_arrays(function: Any, broken: set[str]) -> None:
    results = check(function, profile="smoke", clauses=CLAUSES, capabilities=CAPABILITIES)
    verdicts = {clause: results.clause(clause).verdict for clause in CLAUSES}
    failed = {clause for clause, verdict in verdicts.items() if verdict in ("fail", "error")}
    assert failed == broken
    assert verdicts["PURE-2"] == "unsupported"
    assert all(verdicts[clause] == "pass" for clause in {*CLAUSES} - failed - {"PURE-2"})


def test_a_run_changes_no_cotangent() -> None:
    """Cotangents are looked at where gradients are computed."""

    def differentiate(call: Any, arguments: Any, cotangents: Any) -> Any:
        case = call.__closure__[0].cell_contents
        results = evaluate(case, arguments, cotangents)
        for cotangent in cotangents.values():
            cotangent *= 2
        gradients = {name: results[f"{name}.grad"] for name in arguments}
        return {name: results[name] for name in ("output", "h_n", "c_n")}, gradients

    results = check(
        right,
        profile="smoke",
        clauses=["PURE-1"],
        capabilities=CAPABILITIES,
        differentiate=differentiate,
    )
    assert results.clause("PURE-1").verdict == "fail"
    with pytest.raises(AssertionError, match="cotangent of output"):
        results.raise_for_failures()
