"""Cases that the oracle computes side by side get what each of them gets alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lstm_conformance.reference import oracle
from lstm_conformance.reference.oracle import Expectation, expect, expect_together, same_stack
from lstm_conformance.spec.case import OUTPUTS, Case
from lstm_conformance.spec.config import LSTMConfig
from lstm_conformance.spec.precision import PRECISIONS

BASE = Case(
    LSTMConfig(3, 4, num_layers=2, bidirectional=True),
    seq_len=4,
    batch_size=2,
    layout="packed_unsorted",
    lengths=(2, 4),
    cotangents=OUTPUTS,
)


def varied(number: int) -> list[Case]:
    """Cases of one stack that differ in everything else."""
    return [
        replace(
            BASE,
            config=replace(BASE.config, batch_first=k % 2 == 1, dropout=(0.0, 0.5)[k % 3 == 1]),
            dtype=tuple(PRECISIONS)[k % 4],
            states=k % 2 == 0,
            cotangents=(OUTPUTS, ("h_n",), ("output", "c_n"))[k % 3],
            seed=k,
        )
        for k in range(number)
    ]


def quotients(some: Expectation, others: Expectation) -> np.ndarray:
    """Noise over noise, of all elements that have any."""
    parts = []
    for name, noise in some.noise.items():
        assert ((noise == 0) == (others.noise[name] == 0)).all(), name
        parts.append(others.noise[name][noise > 0] / noise[noise > 0])
    return np.concatenate(parts)


def test_values_are_the_same_to_the_last_bit() -> None:
    cases = varied(12)
    for case, together in zip(cases, expect_together(cases), strict=True):
        alone = expect(case)
        assert list(together.values) == list(alone.values) == list(case.result_names())
        for name, value in alone.values.items():
            np.testing.assert_array_equal(together.values[name], value)


def test_each_case_has_the_noise_of_its_own_precision() -> None:
    cases = varied(12)
    for case, together in zip(cases, expect_together(cases), strict=True):
        quotient = quotients(expect(case), together)
        assert 0.8 < np.median(quotient) < 1.25, case
        assert 0.2 < quotient.min() <= quotient.max() < 5, case


def test_overflow_is_that_of_its_own_precision() -> None:
    """A product of 1e5 and more overflows in float16, and in no other format."""
    cases = [
        replace(BASE, dtype=dtype, weight_scale=60000.0, input_scale=100.0) for dtype in PRECISIONS
    ]
    for case, together in zip(cases, expect_together(cases), strict=True):
        finite = all(np.isfinite(noise).all() for noise in together.noise.values())
        assert finite == (case.dtype != "float16")


def test_a_large_case_is_computed_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    case = replace(BASE, seed=3)
    at_once = expect(case)
    monkeypatch.setattr(oracle, "_NUMBERS_AT_ONCE", 1)
    in_portions = expect(case)
    for name, value in at_once.values.items():
        np.testing.assert_array_equal(in_portions.values[name], value)
    quotient = quotients(at_once, in_portions)
    assert 0.8 < np.median(quotient) < 1.25
    assert 0.2 < quotient.min() <= quotient.max() < 5


@pytest.mark.parametrize(
    "other",
    [
        replace(BASE, config=replace(BASE.config, bias=False)),
        replace(BASE, lengths=(4, 4), layout="packed_sorted"),
        replace(BASE, config=replace(BASE.config, dropout=1.0), training=True),
    ],
)
def test_cases_of_different_stacks_are_refused(other: Case) -> None:
    assert same_stack(other) != same_stack(BASE)
    with pytest.raises(ValueError, match="must have the same stack"):
        expect_together([BASE, other])
