"""Chapter GRAD: the gradient of every argument, for a cotangent of every output."""

from __future__ import annotations

import pytest

from lstm_conformance.checker import Checker
from lstm_conformance.rules import close, close_gradients
from lstm_conformance.spec.case import LAYOUTS, OUTPUTS
from lstm_conformance.spec.strategies import Domain

# Gradients of one argument are judged with the cotangent of `output` alone, so that a mistake
# with another cotangent is not taken for one with this argument.
BATCHED = Domain(dropout=("none",), layout=LAYOUTS[:2], cotangents=(("output",),))


@pytest.mark.lstm_clause("GRAD-1")
def test_gradient_of_the_input(lstm_check: Checker) -> None:
    lstm_check.forall(BATCHED, close("input.grad"))


@pytest.mark.lstm_clause("GRAD-2")
def test_gradient_of_h_0(lstm_check: Checker) -> None:
    lstm_check.forall(BATCHED.but(states=(True,)), close("h_0.grad"))


@pytest.mark.lstm_clause("GRAD-3")
def test_gradient_of_c_0(lstm_check: Checker) -> None:
    lstm_check.forall(BATCHED.but(states=(True,)), close("c_0.grad"))


@pytest.mark.lstm_clause("GRAD-4")
def test_gradient_of_weight_ih(lstm_check: Checker) -> None:
    lstm_check.forall(BATCHED, close("weight_ih"))


@pytest.mark.lstm_clause("GRAD-5")
def test_gradient_of_weight_hh(lstm_check: Checker) -> None:
    lstm_check.forall(BATCHED, close("weight_hh"))


@pytest.mark.lstm_clause("GRAD-6")
def test_gradients_of_the_biases(lstm_check: Checker) -> None:
    lstm_check.forall(BATCHED.but(bias=(True,)), close("bias_ih", "bias_hh"))


@pytest.mark.lstm_clause("GRAD-7")
def test_gradient_of_weight_hr(lstm_check: Checker) -> None:
    lstm_check.forall(BATCHED.but(projection=(True,)), close("weight_hr"))


@pytest.mark.lstm_clause("GRAD-8")
def test_cotangent_of_h_n(lstm_check: Checker) -> None:
    lstm_check.forall(BATCHED.but(cotangents=(("h_n",),)), close_gradients)


@pytest.mark.lstm_clause("GRAD-9")
def test_cotangent_of_c_n(lstm_check: Checker) -> None:
    lstm_check.forall(BATCHED.but(cotangents=(("c_n",),)), close_gradients)


@pytest.mark.lstm_clause("GRAD-10")
def test_cotangents_together(lstm_check: Checker) -> None:
    together = (OUTPUTS, ("output", "h_n"), ("output", "c_n"), ("h_n", "c_n"))
    lstm_check.forall(BATCHED.but(cotangents=together), close_gradients)


@pytest.mark.lstm_clause("GRAD-11")
def test_gradients_of_packed_rows(lstm_check: Checker) -> None:
    domain = BATCHED.but(layout=LAYOUTS[2:], cotangents=(("output",), OUTPUTS))
    lstm_check.forall(domain, close_gradients)
