"""Chapter STACK: each layer reads the output of the layer below."""

from __future__ import annotations

import pytest

from lstm_conformance.runner.judging.rules import close
from lstm_conformance.runner.searching.checker import Checker
from lstm_conformance.spec.strategies import PLAIN


@pytest.mark.lstm_clause("STACK-1")
def test_stacked_layers(lstm_check: Checker) -> None:
    domain = PLAIN.but(num_layers=(2, 3, 4), bias=(False, True))
    lstm_check.forall(domain, close("output", "h_n", "c_n"))
