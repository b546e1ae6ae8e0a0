"""Chapter COMB: every combination of the parameters, forward and gradients."""

from __future__ import annotations

import pytest

from lstm_conformance.checker import Checker
from lstm_conformance.rules import close, close_gradients
from lstm_conformance.spec.case import OUTPUTS
from lstm_conformance.spec.combinations import Combination
from lstm_conformance.spec.strategies import Domain

RULES = {"COMB-1": close("output", "h_n", "c_n"), "COMB-2": close_gradients}


@pytest.mark.lstm_clause("COMB-1", "COMB-2")
def test_every_combination(lstm_check: Checker, lstm_combinations: list[Combination]) -> None:
    domain = Domain(cotangents=(OUTPUTS, *((name,) for name in OUTPUTS)))
    lstm_check.each_combination(lstm_combinations, domain, RULES)


# As many rows as steps and features: transposed axes fit, and only the values tell.
SQUARE = Domain(
    layout=("batched",),
    batch_first=(True,),
    input_size=(3, 3),
    hidden_size=(3, 3),
    seq_len=(3, 3),
    batch_size=(3, 3),
)


@pytest.mark.lstm_clause("COMB-1")
def test_coinciding_sizes(lstm_check: Checker) -> None:
    lstm_check.forall(SQUARE.but(cotangents=((),)), RULES["COMB-1"], at_most=30)


@pytest.mark.lstm_clause("COMB-2")
def test_gradients_with_coinciding_sizes(lstm_check: Checker) -> None:
    lstm_check.forall(SQUARE, RULES["COMB-2"], at_most=30)
