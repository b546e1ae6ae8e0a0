"""A case for which memory was not enough is not tested: it neither breaks a clause nor passes."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

from lstm_conformance import check
from lstm_conformance.adapters.reference import ReferenceLSTM
from lstm_conformance.runner.judging.rules import close
from lstm_conformance.runner.judging.trial import Trial
from lstm_conformance.runner.searching.checker import Checker
from lstm_conformance.spec.case import Case
from lstm_conformance.spec.config import LSTMConfig
from lstm_conformance.spec.contract import Observation
from lstm_conformance.spec.out_of_memory import is_out_of_memory
from lstm_conformance.spec.strategies import PLAIN

from .helpers.modified_reference import Modified, settings

REASON = "out of memory on cpu"


class OutOfMemoryError(RuntimeError):
    """As torch names it."""


class ResourceError(Exception):
    """As TensorFlow and JAX name the status of theirs."""


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OutOfMemoryError("Tried to allocate 2.00 GiB."),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory"
        ),
        ResourceError("RESOURCE_EXHAUSTED: Failed to allocate 8589934592 bytes."),
        Exception("MemoryError: Unable to allocate 8.00 GiB"),  # of another process
    ],
)
def test_exceptions_about_memory(error: BaseException) -> None:
    assert is_out_of_memory(error)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("size mismatch"),
        RuntimeError("CUDA error: an illegal memory access"),
        SystemExit(),
    ],
)
def test_other_exceptions(error: BaseException) -> None:
    assert not is_out_of_memory(error)


def _large_fails(case: Case, observation: Observation) -> Observation:
    if case.config.hidden_size > 3:
        raise MemoryError
    return observation


def _judged(implementation: ReferenceLSTM) -> Any:
    checker = Checker(implementation, settings(), "test", ["EQ-4"])
    checker.forall(PLAIN, close("output", "h_n", "c_n"))
    return checker.records["EQ-4"]


@pytest.mark.whole
def test_such_a_case_is_not_tested() -> None:
    record = _judged(Modified(_large_fails))
    assert set(record.verdicts) == {"pass", "not tested"}
    assert record.reasons == {REASON: record.verdicts["not tested"]}
    assert not record.failures


def test_memory_is_freed_and_the_case_tried_once_more() -> None:
    class Leaking(ReferenceLSTM):
        """Objects that refer to each other stay until they are collected; one too many fails."""

        def __init__(self) -> None:
            self.alive: weakref.WeakSet[Any] = weakref.WeakSet()

        def run(self, case: Case) -> Observation:
            if len(self.alive) > 3:
                raise OutOfMemoryError
            first, second = _Node(), _Node()
            first.other, second.other = second, first
            self.alive.add(first)
            return super().run(case)

    gc.disable()
    try:
        record = _judged(Leaking())
    finally:
        gc.enable()
    assert record.verdicts == {"pass": 25}


class _Node:
    other: _Node


@pytest.mark.whole
def test_the_gate_does_not_pass() -> None:
    class TooLarge(Modified):
        name = "too large"

        def __init__(self) -> None:
            super().__init__(_large_fails)

    options: Any = {"profile": "smoke", "dtypes": "float64"}
    results = check(TooLarge, clauses=["EQ-1", "EQ-4"], **options)
    assert not results.conformant
    assert results.failures == ()
    assert {clause.verdict for clause in results} == {"not tested"}
    assert {clause.note for clause in results} == {REASON}
    assert "NOT COMPLETED: no verdict on" in str(results)
    assert "(out of memory in 2 clauses)" in str(results)


def test_arrays_are_freed_after_an_exception() -> None:
    array: Any = None

    class Raising(ReferenceLSTM):
        def run(self, case: Case) -> Observation:
            nonlocal array
            numbers = np.zeros(3)
            array = weakref.ref(numbers)
            raise ValueError(f"no {numbers.size}")

    trial = Trial(Case(LSTMConfig(1, 1)), Raising())
    with pytest.raises(ValueError, match="no 3"):
        _ = trial.observation
    assert array() is None
