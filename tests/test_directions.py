"""Chapter DIR: a second LSTM that reads the sequence from its end."""

from __future__ import annotations

from typing import Any

import pytest

from lstm_conformance.runner.judging.rules import close
from lstm_conformance.runner.searching.checker import Checker
from lstm_conformance.spec.case import Case
from lstm_conformance.spec.strategies import PLAIN

# With one step, both directions read the same.
ONE_LAYER = PLAIN.but(bidirectional=(True,), bias=(False, True), seq_len=(2, 8))


def forward_part(case: Case, name: str) -> tuple[Any, ...]:
    """Index of the forward direction in ``output``, ``h_n`` or ``c_n`` of one layer."""
    return (..., slice(0, case.config.output_size)) if name == "output" else (0,)


def reverse_part(case: Case, name: str) -> tuple[Any, ...]:
    """Index of the reverse direction in ``output``, ``h_n`` or ``c_n`` of one layer."""
    return (..., slice(case.config.output_size, None)) if name == "output" else (1,)


@pytest.mark.lstm_clause("DIR-1")
def test_forward_direction(lstm_check: Checker) -> None:
    lstm_check.forall(ONE_LAYER, close("output", "h_n", "c_n", part=forward_part))


@pytest.mark.lstm_clause("DIR-2")
def test_reverse_direction(lstm_check: Checker) -> None:
    lstm_check.forall(ONE_LAYER, close("output", part=reverse_part))


@pytest.mark.lstm_clause("DIR-3")
def test_final_state_of_the_reverse_direction(lstm_check: Checker) -> None:
    lstm_check.forall(ONE_LAYER, close("h_n", "c_n", part=reverse_part))


@pytest.mark.lstm_clause("DIR-4")
def test_both_directions_feed_the_next_layer(lstm_check: Checker) -> None:
    domain = ONE_LAYER.but(num_layers=(2, 3))
    lstm_check.forall(domain, close("output"))
