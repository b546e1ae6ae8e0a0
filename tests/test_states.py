"""Chapter STATE: the states before the first step and after the last."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_conformance.reference.oracle import expect
from lstm_conformance.runner.judging.comparison import Finding
from lstm_conformance.runner.judging.rules import close
from lstm_conformance.runner.judging.trial import Trial
from lstm_conformance.runner.searching.checker import Checker
from lstm_conformance.spec.strategies import PLAIN, STACK

FORWARD = ("output", "h_n", "c_n")
STACKED = PLAIN.but(
    num_layers=(2, 3), bias=(False, True), bidirectional=(False, True), together=STACK
)


@pytest.mark.lstm_clause("STATE-1")
def test_default_states(lstm_check: Checker) -> None:
    domain = STACKED.but(num_layers=(1, 2, 3))
    lstm_check.forall(domain, close("output"))


@pytest.mark.lstm_clause("STATE-2")
def test_given_states(lstm_check: Checker) -> None:
    lstm_check.forall(PLAIN.but(states=(True,)), close(*FORWARD))


@pytest.mark.lstm_clause("STATE-2")
def test_hidden_state_beside_a_cell_state_of_zeros(lstm_check: Checker) -> None:
    domain = PLAIN.but(states=(True,), state_scale=(0.0,))
    lstm_check.forall(domain, close(*FORWARD), at_most=10)


@pytest.mark.lstm_clause("STATE-2")
def test_cell_state_beside_a_hidden_state_of_zeros(lstm_check: Checker) -> None:
    def rule(trial: Trial) -> list[Finding]:
        case = trial.case.with_values({"h_0": np.zeros(trial.case.shapes()["h_0"])})
        expectation, observed = expect(case), trial.run(case).tensors
        return [trial.close(name, observed[name], expectation, "h_0 is zero") for name in FORWARD]

    lstm_check.forall(PLAIN.but(states=(True,)), rule, at_most=10)


@pytest.mark.lstm_clause("STATE-3")
def test_order_of_given_states(lstm_check: Checker) -> None:
    lstm_check.forall(STACKED.but(states=(True,)), close("output"))


@pytest.mark.lstm_clause("STATE-4")
def test_order_of_final_states(lstm_check: Checker) -> None:
    lstm_check.forall(STACKED, close("h_n", "c_n"))
