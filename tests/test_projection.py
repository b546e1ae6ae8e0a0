"""Chapter PROJ: hidden states of proj_size features."""

from __future__ import annotations

import pytest

from lstm_conformance.runner.judging.rules import close
from lstm_conformance.runner.searching.checker import Checker
from lstm_conformance.spec.strategies import PLAIN, STACK

PROJECTED = PLAIN.but(projection=(True,), bias=(False, True))


@pytest.mark.lstm_clause("PROJ-1")
def test_projected_hidden_state(lstm_check: Checker) -> None:
    lstm_check.forall(PROJECTED.but(seq_len=(1, 1)), close("output", "h_n"))


@pytest.mark.lstm_clause("PROJ-2")
def test_unprojected_cell_state(lstm_check: Checker) -> None:
    lstm_check.forall(PROJECTED.but(seq_len=(1, 1)), close("c_n"))


@pytest.mark.lstm_clause("PROJ-3")
def test_projected_recurrence(lstm_check: Checker) -> None:
    lstm_check.forall(PROJECTED.but(seq_len=(2, 12)), close("output", "h_n", "c_n"))


@pytest.mark.lstm_clause("PROJ-4")
def test_projection_in_every_layer_and_direction(lstm_check: Checker) -> None:
    domain = PROJECTED.but(
        num_layers=(1, 2, 3), bidirectional=(False, True), seq_len=(2, 8), together=STACK
    )
    lstm_check.forall(domain, close("output"))
