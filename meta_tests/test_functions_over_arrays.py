"""What functions over NumPy arrays do to arrays, and with an input without steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
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


def test_a_function_over_jax_arrays_is_asked() -> None:
    """Its gradients are those of jax."""
    pytest.importorskip("jax")
    from lstm_conformance.adapters.jax_scan import jax_lstm

    judged = jax_lstm()
    case = Case.parse("v1 input_size=1 hidden_size=2 seq_len=2 cotangents=output")
    assert judged.changed_arguments(case) == []
    assert judged.changed_results(case, replace(case, seed=1)) == []


def without_steps(returns: Callable[[Case, dict[str, Any]], Any]) -> Any:
    """A right function that returns something else for an input without steps."""
    return lambda case, arguments: (right if case.seq_len else returns)(case, arguments)


def nothing_read(case: Case, arguments: dict[str, Any]) -> tuple[Any, Any, Any]:
    output, h_n, c_n = (np.zeros(case.shapes()[name]) for name in ("output", "h_n", "c_n"))
    return output, arguments.get("h_0", h_n), arguments.get("c_0", c_n)


def states_of_zeros(case: Case, arguments: dict[str, Any]) -> tuple[Any, Any, Any]:
    output, h_n, c_n = nothing_read(case, arguments)
    return output, np.zeros_like(h_n), np.zeros_like(c_n)


def one_step(case: Case, arguments: dict[str, Any]) -> tuple[Any, Any, Any]:
    output, h_n, c_n = nothing_read(case, arguments)
    step = [(0, 1) if axis == case.time_axis else (0, 0) for axis in range(output.ndim)]
    return np.pad(output, step), h_n, c_n


def raises(case: Case, arguments: dict[str, Any]) -> Any:
    raise LookupError("there is no last step")


def no_array(case: Case, arguments: dict[str, Any]) -> tuple[Any, Any, Any]:
    return (*nothing_read(case, arguments)[:2], np.array(["nothing"]))


@pytest.mark.parametrize(
    ("returns", "verdict"),
    [
        (right, "pass"),  # which refuses it
        (raises, "pass"),
        (nothing_read, "pass"),
        (states_of_zeros, "fail"),
        (one_step, "fail"),
        (no_array, "error"),
    ],
)
def test_an_input_without_steps(returns: Any, verdict: str) -> None:
    results = check(
        without_steps(returns), profile="smoke", clauses=["USE-25"], capabilities=CAPABILITIES
    )
    assert results.clause("USE-25").verdict == verdict


ENDS = """
import os
from lstm_conformance.adapters.function import FunctionLSTM
from lstm_conformance.reference.oracle import evaluate

def lstm(case, arguments):
    if not case.seq_len:
        os.abort()
    results = evaluate(case, arguments, {})
    if case.states and case.seq_len > 1:
        arguments["c_0"][...] = results["c_n"]
    return results["output"], results["h_n"], results["c_n"]

LSTM = FunctionLSTM("ends", "1.0", frozenset({"states", "layers", "no-bias", "float64"}), lstm)
"""


@pytest.mark.whole
def test_in_a_process_of_its_own(tmp_path: Path) -> None:
    """A call that ends the process is no refusal, and arrays are looked at there."""
    (tmp_path / "ends.py").write_text(ENDS, "utf-8")
    expected = {"PURE-1": "fail", "PURE-2": "unsupported", "PURE-6": "pass", "USE-25": "error"}
    target, clauses = f"{tmp_path / 'ends.py'}:LSTM", list(expected)
    results = check(target, profile="smoke", clauses=clauses, isolate=True)
    assert {clause: results.clause(clause).verdict for clause in clauses} == expected


@pytest.mark.whole
def test_a_module_in_a_process_of_its_own() -> None:
    pytest.importorskip("torch")
    clauses = ["PURE-1", "PURE-6", "USE-25"]
    results = check("torch.nn:LSTM", profile="smoke", clauses=clauses, isolate=True)
    assert {results.clause(clause).verdict for clause in clauses} == {"pass"}
