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
