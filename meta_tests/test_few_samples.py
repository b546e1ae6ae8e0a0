"""Large cases get few samples of their noise. Rows and columns make up for them."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_conformance.reference import oracle
from lstm_conformance.reference.oracle import FEWER_SAMPLES, expect, smoothed
from lstm_conformance.spec.case import OUTPUTS, Case
from lstm_conformance.spec.config import LSTMConfig

LARGE = Case(
    LSTMConfig(40, 64, bidirectional=True), seq_len=12, batch_size=10, cotangents=OUTPUTS
)  # fmt: skip


def estimates(sizes: np.ndarray, samples: int = FEWER_SAMPLES) -> np.ndarray:
    """Standard deviations that are estimated from a few samples."""
    drawn = np.random.default_rng(0).normal(size=(samples, *sizes.shape)) * sizes
    root: np.ndarray = np.sqrt(np.mean(drawn**2, axis=0))
    return root


def test_no_estimate_is_far_too_small() -> None:
    """Rows and columns differ in size by factors of 10,000."""
    sizes = np.logspace(-2, 2, 300)[:, None] * np.logspace(2, -2, 400)
    raw = estimates(sizes)
    assert (raw / sizes).min() < 0.1
    assert (smoothed(raw, sizes) / sizes).min() > 0.3


def test_noise_of_one_large_element_stays_with_it() -> None:
    sizes = np.ones((50, 60))
    sizes[20, 30] = 1e6
    quotient = smoothed(estimates(sizes), sizes) / sizes
    assert quotient[20, 30] > 0.3
    others = np.ones(sizes.shape, bool)
    others[20], others[:, 30] = False, False
    assert quotient[others].max() < 4


def test_zeros_without_noise_keep_none() -> None:
    """They are exact: padding, and what dropout cuts off."""
    values = np.ones((30, 40))
    values[10:] = 0
    noise = estimates(values)
    assert (smoothed(noise, values)[10:] == 0).all()
    assert (smoothed(np.zeros((3, 4)), np.zeros((3, 4))) == 0).all()


def test_a_value_whose_samples_all_agree_has_noise() -> None:
    values, noise = np.ones((30, 40)), estimates(np.ones((30, 40)))
    noise[7, 7] = 0
    assert smoothed(noise, values)[7, 7] > 0.3


def test_noise_that_is_not_finite_stays() -> None:
    values, noise = np.ones((30, 40)), estimates(np.ones((30, 40)))
    noise[3, 3], noise[4, 4] = np.inf, np.nan
    result = smoothed(noise, values)
    assert np.isinf(result[3, 3])
    assert np.isnan(result[4, 4])
    assert np.isfinite(result).sum() == result.size - 2


@pytest.mark.parametrize("scale", [1e-300, 1.0, 1e300])
def test_scale_does_not_matter(scale: float) -> None:
    noise = estimates(np.ones((30, 40)))
    values = np.ones((30, 40))
    np.testing.assert_allclose(
        smoothed(noise * scale, values) / scale, smoothed(noise, values), rtol=1e-12
    )


def test_steps_that_matter_less_and_less_keep_their_noise() -> None:
    """Gradients of early steps are tiny. Their squares underflow beside those of late ones."""
    sizes = np.logspace(-200, 0, 400)[:, None] * np.ones(30)
    noise = estimates(np.ones(sizes.shape)) * sizes
    assert (smoothed(noise, sizes) / sizes).min() > 0.1


def test_gates_of_a_bias_are_smoothed_apart() -> None:
    sizes = np.repeat([1.0, 1e3, 1.0, 1e-3], 100)
    quotient = smoothed(estimates(sizes), sizes) / sizes
    assert 0.3 < quotient.min() <= quotient.max() < 4


def test_a_large_case_has_the_noise_of_many_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    few = expect(LARGE)
    monkeypatch.setattr(oracle, "_FEW_NUMBERS", 2**60)
    many = expect(LARGE)
    differ = False
    for name, noise in many.noise.items():
        quotient = few.noise[name][noise > 0] / noise[noise > 0]
        assert 0.8 < np.median(quotient) < 1.25, name
        assert quotient.min() > 0.1, name
        assert ((few.noise[name] == 0) == (noise == 0)).all(), name
        differ |= bool((quotient != 1).any())
    assert differ


@pytest.mark.parametrize("sizes", [(16, 1), (1, 16), (16, 8, 2)])
def test_rows_of_one_or_two_elements_have_many_samples(
    sizes: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They make up for nothing: torch.nn.LSTM nearly failed with one unit and 400,920 rows."""
    config = LSTMConfig(*sizes[:2], proj_size=sizes[2] if len(sizes) > 2 else 0)
    case = Case(config, seq_len=3, batch_size=2, cotangents=OUTPUTS)
    many = expect(case)
    monkeypatch.setattr(oracle, "_FEW_NUMBERS", 0)
    of_large = expect(case)
    for name, noise in many.noise.items():
        np.testing.assert_array_equal(of_large.noise[name], noise)


def test_a_batch_of_no_rows_has_an_expectation() -> None:
    for config in (LSTMConfig(3, 4), LSTMConfig(3, 4, 2, bidirectional=True)):
        expected = expect(Case(config, seq_len=2, batch_size=0, cotangents=OUTPUTS))
        assert expected.values["output"].shape[:2] == (2, 0)
        assert not expected.values["weight_hh_l0.grad"].any()
