"""Chapter COMB: every combination of the parameters, forward and gradients."""

from __future__ import annotations

import pytest

from lstm_conformance.runner.judging.rules import close, close_gradients
from lstm_conformance.runner.searching.checker import Checker
from lstm_conformance.spec.case import OUTPUTS
from lstm_conformance.spec.combinations import Combination
from lstm_conformance.spec.strategies import Domain

RULES = {"COMB-1": close("output", "h_n", "c_n"), "COMB-2": close_gradients}


@pytest.mark.lstm_clause("COMB-1", "COMB-2")
def test_every_combination(lstm_check: Checker, lstm_combinations: list[Combination]) -> None:
    domain = Domain(cotangents=(OUTPUTS, *((name,) for name in OUTPUTS)))
    lstm_check.each_combination(lstm_combinations, domain, RULES)


# As many rows as steps and features: transposed axes have the right shape, but wrong values.
SQUARE = Domain(
    layout=("batched",),
    batch_first=(True,),
    input_size=(3, 3),
    hidden_size=(3, 3),
    seq_len=(3, 3),
    batch_size=(3, 3),
)


@pytest.mark.lstm_clause("COMB-3")
def test_coinciding_sizes(lstm_check: Checker) -> None:
    lstm_check.forall(SQUARE, close(), at_most=30)


# Where two axes of states or weights have one length, they can be taken for each other.
SAME = Domain(
    dropout=("none",),
    layout=("batched", "packed_unsorted"),
    states=(True,),
    input_size=(2, 4),
    seq_len=(2, 4),
    batch_size=(2, 4),
)
PAIRS = {
    "layers-and-rows": SAME.but(num_layers=(3,), bidirectional=(False,), batch_size=(3, 3)),
    "directions-and-rows": SAME.but(num_layers=(1,), bidirectional=(True,), batch_size=(2, 2)),
    "projection-and-rows": SAME.but(
        projection=(True,), proj_size=(2, 2), hidden_size=(3, 5), batch_size=(2, 2)
    ),
    "units-and-rows": SAME.but(projection=(False,), hidden_size=(3, 3), batch_size=(3, 3)),
    "gates-and-features": SAME.but(hidden_size=(3, 3), proj_size=(2, 2), input_size=(12, 12)),
}


@pytest.mark.lstm_clause("COMB-3")
@pytest.mark.parametrize("domain", PAIRS.values(), ids=PAIRS.keys())
def test_pairs_of_sizes(lstm_check: Checker, domain: Domain) -> None:
    lstm_check.forall(domain.but(cotangents=(OUTPUTS,)), close(), at_most=8)


# Kernels compute in blocks. A mistake after the first block shows only with large sizes.
LARGE = Domain(
    num_layers=(2,),
    bias=(True,),
    bidirectional=(True,),
    projection=(True,),
    dropout=("none",),
    layout=("packed_unsorted", "batched"),
    states=(True,),
    weight_scale=(1.0,),
)


@pytest.mark.lstm_clause("COMB-3")
def test_long_sequences_combined(lstm_check: Checker) -> None:
    domain = LARGE.but(seq_len=(70, 90), batch_size=(2, 3), hidden_size=(3, 4))
    lstm_check.forall(domain, close(), at_most=3, shrink=False)


@pytest.mark.lstm_clause("COMB-3")
def test_wide_layers_combined(lstm_check: Checker) -> None:
    domain = LARGE.but(
        input_size=(70, 80),
        hidden_size=(140, 150),
        proj_size=(70, 90),
        seq_len=(2, 3),
        batch_size=(9, 12),
    )
    lstm_check.forall(domain, close(), at_most=2, shrink=False)
