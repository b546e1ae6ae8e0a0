"""Chapter COMB: every combination of the parameters, forward and gradients."""

from __future__ import annotations

import pytest

from lstm_conformance.checker import Checker
from lstm_conformance.judge import close, close_gradients
from lstm_conformance.spec.case import OUTPUTS, Case
from lstm_conformance.spec.combinations import Combination
from lstm_conformance.spec.strategies import Domain

RULES = {"COMB-1": close("output", "h_n", "c_n"), "COMB-2": close_gradients}


@pytest.mark.lstm_clause("COMB-1", "COMB-2")
def test_every_combination(lstm_check: Checker, lstm_combinations: list[Combination]) -> None:
    domain = Domain(cotangents=(OUTPUTS, *((name,) for name in OUTPUTS)))
    lstm_check.each_combination(lstm_combinations, domain, RULES)


@pytest.mark.lstm_clause("COMB-1", "COMB-2")
@pytest.mark.lstm_given_case
def test_given_case(lstm_check: Checker, lstm_given_case: Case) -> None:
    lstm_check.single(lstm_given_case, RULES)
