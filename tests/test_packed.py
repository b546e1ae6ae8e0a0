"""Chapter PACK: rows of unequal length."""

from __future__ import annotations

import pytest

from lstm_conformance.checker import Checker
from lstm_conformance.rules import close
from lstm_conformance.spec.case import LAYOUTS
from lstm_conformance.spec.strategies import PLAIN

FORWARD = ("output", "h_n", "c_n")
# Of one row alone nothing is to be seen; and from zeros, without bias, padding leads to zeros.
ROWS = PLAIN.but(batch_size=(2, 4), bias=(True,))


@pytest.mark.lstm_clause("PACK-1")
def test_packed_rows(lstm_check: Checker) -> None:
    lstm_check.forall(ROWS.but(layout=("packed_sorted",)), close(*FORWARD))


@pytest.mark.lstm_clause("PACK-2")
def test_order_of_packed_rows(lstm_check: Checker) -> None:
    domain = ROWS.but(layout=LAYOUTS[2:], batch_first=(False, True), states=(False, True))
    lstm_check.forall(domain, close(*FORWARD))


@pytest.mark.lstm_clause("PACK-3")
def test_packed_reverse_direction(lstm_check: Checker) -> None:
    domain = ROWS.but(layout=("packed_sorted",), bidirectional=(True,), num_layers=(1, 2))
    lstm_check.forall(domain, close(*FORWARD))
