"""Chapter EQ: the equations of one step and of the recurrence, in one layer and direction."""

from __future__ import annotations

import pytest

from lstm_conformance.runner.judging.rules import close, gates_in_order, in_training
from lstm_conformance.runner.searching.checker import Checker
from lstm_conformance.spec.case import OUTPUTS
from lstm_conformance.spec.strategies import PLAIN, FirstSupported

FORWARD = ("output", "h_n", "c_n")


@pytest.mark.lstm_clause("EQ-1")
def test_gate_order(lstm_check: Checker) -> None:
    lstm_check.forall(PLAIN.but(hidden_size=(2, 6), seq_len=(2, 4)), gates_in_order(*FORWARD))


@pytest.mark.lstm_clause("EQ-2")
def test_input_gate_and_candidate(lstm_check: Checker) -> None:
    lstm_check.forall(PLAIN.but(seq_len=(1, 1)), close("c_n"))


@pytest.mark.lstm_clause("EQ-3")
def test_output_gate(lstm_check: Checker) -> None:
    lstm_check.forall(PLAIN.but(seq_len=(1, 1)), close("output", "h_n"))


@pytest.mark.lstm_clause("EQ-4")
def test_recurrence(lstm_check: Checker) -> None:
    lstm_check.forall(PLAIN.but(seq_len=(2, 12)), close(*FORWARD))


@pytest.mark.lstm_clause("EQ-5")
def test_two_biases(lstm_check: Checker) -> None:
    lstm_check.forall(PLAIN.but(bias=(True,), seq_len=(1, 12)), close(*FORWARD))


@pytest.mark.lstm_clause("EQ-6")
def test_saturation(lstm_check: Checker) -> None:
    domain = PLAIN.but(
        bias=(True,),
        states=(True,),
        # The largest make preactivations of hundreds, where exp overflows.
        weight_scale=(30.0, 10.0, 300.0, 3000.0),
        input_scale=(3.0,),
        state_scale=(10.0,),
    )
    lstm_check.forall(domain, close(*FORWARD))


# One layer and direction with biases, states and gradients.
WHOLE = PLAIN.but(bias=(True,), states=(True,), cotangents=(OUTPUTS,))


@pytest.mark.lstm_clause("EQ-7")
def test_sizes_of_one(lstm_check: Checker) -> None:
    one = (1, 1)
    domain = WHOLE.but(
        bidirectional=(False, True), input_size=one, hidden_size=one, seq_len=one, batch_size=one
    )
    lstm_check.forall(domain, close())


@pytest.mark.lstm_clause("EQ-8")
def test_long_sequences(lstm_check: Checker) -> None:
    domain = WHOLE.but(seq_len=(500, 500), batch_size=(2, 3), hidden_size=(2, 3))
    lstm_check.forall(domain, in_training(close()), at_most=1, shrink=False)
    if_supported = FirstSupported((True, False))
    domain = domain.but(projection=if_supported, bidirectional=if_supported)
    lstm_check.forall(domain, in_training(close()), at_most=1, shrink=False)


@pytest.mark.lstm_clause("EQ-9")
def test_wide_layers(lstm_check: Checker) -> None:
    domain = WHOLE.but(
        input_size=(130, 200), hidden_size=(256, 256), seq_len=(2, 3), batch_size=(33, 40)
    )
    lstm_check.forall(domain, close(), at_most=2, shrink=False)
