"""Chapter DROP: dropout between layers, where it is no matter of chance."""

from __future__ import annotations

import pytest

from lstm_conformance.checker import Checker
from lstm_conformance.rules import close, close_gradients
from lstm_conformance.spec.strategies import PLAIN

FORWARD = ("output", "h_n", "c_n")
STACKED = PLAIN.but(num_layers=(2, 3))


@pytest.mark.lstm_clause("DROP-1")
def test_no_dropout_in_evaluation(lstm_check: Checker) -> None:
    lstm_check.forall(STACKED.but(dropout=("eval",)), close(*FORWARD))


@pytest.mark.lstm_clause("DROP-2")
def test_dropout_of_everything(lstm_check: Checker) -> None:
    lstm_check.forall(STACKED.but(dropout=("one",)), close(*FORWARD))


@pytest.mark.lstm_clause("DROP-3")
def test_no_dropout_after_the_last_layer(lstm_check: Checker) -> None:
    lstm_check.forall(PLAIN.but(dropout=("one",)), close(*FORWARD))


@pytest.mark.lstm_clause("DROP-4")
def test_gradients_under_dropout_of_everything(lstm_check: Checker) -> None:
    domain = STACKED.but(dropout=("one",), cotangents=(("output",),))
    lstm_check.forall(domain, close_gradients)
