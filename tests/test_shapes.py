"""Chapters SHAPE and DTYPE: axes, number formats and devices of everything returned."""

from __future__ import annotations

import pytest

from lstm_conformance.checker import Checker
from lstm_conformance.rules import close, device_kept, dtype_kept, precision_kept, shape_documented
from lstm_conformance.spec.strategies import PLAIN, Domain

FORWARD = ("output", "h_n", "c_n")
ANY_FORWARD = Domain(cotangents=((),))


@pytest.mark.lstm_clause("SHAPE-1")
def test_shape_of_output(lstm_check: Checker) -> None:
    lstm_check.forall(ANY_FORWARD, shape_documented("output"))


@pytest.mark.lstm_clause("SHAPE-2")
def test_shape_of_h_n(lstm_check: Checker) -> None:
    lstm_check.forall(ANY_FORWARD, shape_documented("h_n"))


@pytest.mark.lstm_clause("SHAPE-3")
def test_shape_of_c_n(lstm_check: Checker) -> None:
    lstm_check.forall(ANY_FORWARD, shape_documented("c_n"))


@pytest.mark.lstm_clause("SHAPE-4")
def test_shapes_of_gradients(lstm_check: Checker) -> None:
    lstm_check.forall(Domain(), shape_documented())


@pytest.mark.lstm_clause("SHAPE-5")
def test_batch_first(lstm_check: Checker) -> None:
    domain = PLAIN.but(batch_first=(True,), states=(False, True))
    lstm_check.forall(domain, close(*FORWARD))


@pytest.mark.lstm_clause("SHAPE-6")
def test_unbatched_input(lstm_check: Checker) -> None:
    domain = PLAIN.but(layout=("unbatched",), batch_first=(False, True), states=(False, True))
    lstm_check.forall(domain, close(*FORWARD))


@pytest.mark.lstm_clause("DTYPE-1")
def test_dtype_of_results(lstm_check: Checker) -> None:
    lstm_check.forall(Domain(), dtype_kept)


@pytest.mark.lstm_clause("DTYPE-2")
def test_device_of_results(lstm_check: Checker) -> None:
    lstm_check.forall(Domain(), device_kept)


@pytest.mark.lstm_clause("DTYPE-3")
def test_precision(lstm_check: Checker) -> None:
    # Neither small values nor saturated gates, in which other mistakes are small enough to be
    # taken for a loss of precision; and enough elements that some would show them.
    domain = PLAIN.but(
        weight_scale=(2.0,),
        input_scale=(2.0,),
        hidden_size=(4, 6),
        seq_len=(3, 8),
        batch_size=(2, 4),
    )
    lstm_check.forall(domain, precision_kept(*FORWARD))


@pytest.mark.lstm_clause("DTYPE-4")
def test_bfloat16(lstm_check: Checker) -> None:
    lstm_check.forall(Domain(dtype=("bfloat16",)), close())


@pytest.mark.lstm_clause("DTYPE-5")
def test_float16(lstm_check: Checker) -> None:
    lstm_check.forall(Domain(dtype=("float16",)), close())
