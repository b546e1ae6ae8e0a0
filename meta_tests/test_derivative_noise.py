"""The rounding noise of derivatives: none where no rounding reaches, and the right size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest

from lstm_conformance.adapters.target import load
from lstm_conformance.reference import complex_step
from lstm_conformance.reference.complex_step import derivative, expect_derivative
from lstm_conformance.reference.lstm import sigmoid
from lstm_conformance.reference.rounding import samples_of
from lstm_conformance.runner.judging.comparison import THRESHOLD
from lstm_conformance.runner.judging.trial import Trial
from lstm_conformance.spec.case import OUTPUTS, Case, uniform_numbers
from lstm_conformance.spec.combinations import Combination
from lstm_conformance.spec.precision import PRECISIONS, Precision

from .helpers.small_cases import COVERING, FLOAT64, case_of

# A correct implementation is allowed THRESHOLD; it should need no more than half of that.
LIMIT = THRESHOLD / 2


def direction_of(case: Case) -> dict[str, np.ndarray]:
    """A direction in which every argument changes, in the precision of the case."""
    return {
        name: case.precision.round(uniform_numbers(case.seed, f"direction of {name}", value.shape))
        for name, value in case.arguments().items()
    }


# ---------------------------------------------------------- values and zeros


@pytest.mark.parametrize("combination", COVERING[::4], ids=str)
def test_values_are_the_derivatives(combination: Combination) -> None:
    case = case_of(combination)
    direction = direction_of(case)
    expected = expect_derivative(case, direction).values
    for name, value in derivative(case, direction).items():
        np.testing.assert_array_equal(expected[name], value)


@pytest.mark.parametrize("combination", COVERING, ids=str)
def test_noise_is_there_unless_a_derivative_cannot_be_wrong(combination: Combination) -> None:
    case = case_of(replace(combination, dtype="float32"))
    expected = expect_derivative(case, direction_of(case))
    for name in case.result_names():
        value, noise = expected.values[name], expected.noise[name]
        assert value.shape == noise.shape == case.shapes()[name.removesuffix(".grad")]
        assert np.isfinite(noise).all(), name
        assert (noise[value != 0] > 0).all(), name
        assert (value[noise == 0] == 0).all(), name


def test_padding_has_no_noise() -> None:
    case = case_of(next(c for c in COVERING if c.layout == "packed_unsorted"))
    expected = expect_derivative(case, direction_of(case))
    behind = np.arange(case.seq_len)[:, None] >= np.array(case.lengths)
    behind = behind.T if case.config.batch_first else behind
    assert behind.any()
    for name in ("output", "input.grad"):
        assert (expected.noise[name][behind] == 0).all()


def test_no_noise_where_nothing_changes() -> None:
    """A layer does not depend on the layers after it."""
    case = case_of(next(c for c in COVERING if c.num_layers == 2 and c.dropout == "none"))
    above = {"weight_ih_l1": direction_of(case)["weight_ih_l1"]}
    expected = expect_derivative(case, above)
    rows = case.config.num_directions
    for name in ("h_n", "c_n"):
        assert (expected.noise[name][:rows] == 0).all()
        assert (expected.noise[name][rows] > 0).any()


# --------------------------------------------------------------------- scale


@pytest.mark.parametrize("combination", COVERING[::4], ids=str)
def test_noise_is_proportional_to_the_unit_roundoff(
    combination: Combination, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same randomness in a precision of half the roundoff gives half the noise."""
    case = case_of(combination)

    def noise(unit_roundoff: float) -> dict[str, np.ndarray]:
        precision = Precision("of this test", unit_roundoff, 0.0, np.inf)
        monkeypatch.setattr(complex_step, "samples_of", lambda *_: samples_of(precision, 5))
        return expect_derivative(case, direction_of(case)).noise

    once, twice = noise(2.0**-30), noise(2.0**-29)
    for name in case.result_names():
        np.testing.assert_allclose(twice[name], 2 * once[name], rtol=1e-4, atol=1e-20)


U = 2.0**-20
COPIES = 20000

# x and y are numbers, v and w their derivatives; the size of one rounding of the derivative of
# an operation, in units of roundoff.
X, V = np.array([[3.0, 1.0, -3.0, -0.5]]), np.array([[1.0, 2.0, 4.0, -2.0]])
Y, W = np.array([[2.0, -1.0, 0.5, 1.0]]), np.array([[0.5, -2.0, 2.0, 1.0]])
TERMS = (X * W) ** 2 + (Y * V) ** 2
OPERATIONS: dict[str, tuple[Callable[[Any, Any], Any], np.ndarray]] = {
    "sum of two": (lambda x, y: x + y, np.abs(V + W)),
    "difference": (lambda x, y: x - y, np.abs(V - W)),
    "product": (lambda x, y: x * y, np.abs(X * W) + np.abs(Y * V)),
    "product with a number": (lambda x, y: 3.0 * x, 3 * np.abs(V)),
    "negative": (lambda x, y: -x, 0 * V),
    "tanh": (lambda x, y: np.tanh(x), 3 * np.abs(V)),
    "sigmoid": (lambda x, y: sigmoid(x), 2 * np.abs(V)),
    "sum": (
        lambda x, y: np.swapaxes(x, -1, -2).sum(axis=-2),
        np.sqrt(4 * ((V**2).sum() / 2 + V.sum() ** 2 / 3))[None],
    ),
    "matrix product": (
        lambda x, y: x @ np.swapaxes(y, -1, -2),
        np.sqrt(4 * (TERMS.sum() / 2 + (X * W + Y * V).sum() ** 2 / 3))[None, None],
    ),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_size_of_one_rounding(operation: str) -> None:
    """The value rounds as if it were alone, and its derivative term by term."""
    function, units = OPERATIONS[operation]
    kind = samples_of(Precision("of this test", U, 0.0, np.inf), 0)
    tiny = complex_step.STEP
    x, y = (
        np.broadcast_to(value + 1j * tiny * change, (COPIES, *value.shape))
        for value, change in ((X, V), (Y, W))
    )
    exact = function(x, y)[0].imag / tiny
    moved = function(x.view(kind), y.view(kind)).view(np.ndarray).imag / tiny - exact
    largest = np.abs(moved).max(axis=0)
    np.testing.assert_allclose(largest, U * units, rtol=0.01, atol=0)
    assert (np.abs(moved.mean(axis=0)) <= 0.05 * U * units).all()


def test_values_round_as_without_derivatives() -> None:
    """The real part is moved as much as it is alone."""
    kind = samples_of(Precision("of this test", U, 0.0, np.inf), 0)
    x = np.broadcast_to(X, (COPIES, *X.shape))
    moved = (x + 0j).view(kind), x.view(kind)
    for function in (np.tanh, sigmoid, lambda x: x * x, lambda x: x - 1):
        either, alone = (np.real(function(x).view(np.ndarray)) for x in moved)
        sizes = [np.ptp(samples, axis=0) for samples in (either, alone)]
        np.testing.assert_allclose(sizes[0], sizes[1], rtol=0.01)


def test_operations_without_a_model_are_refused() -> None:
    x = np.ones((16, 2, 2), complex).view(samples_of(PRECISIONS["float32"], 0))
    for operation in (lambda: 1 / x, lambda: np.exp(x), lambda: x.prod(axis=-2)):
        with pytest.raises(TypeError, match="is not modelled"):
            operation()


# -------------------------------------------------- what it accepts and rejects

CASES = [
    case_of(replace(combination, dtype=dtype), seed)
    for seed, dtype in ((6, "float32"), (7, "float32"), (8, "float64"))
    for combination in FLOAT64[::11]
]


class Measured(NamedTuple):
    """One tensor of derivatives that an ordinary program gave, in the precision of a case.

    Attributes:
        what: case, mode and tensor.
        ratio: the largest, of error to noise.
        ratio_if_off: the same if the tensor were too large by one in a thousand.
        largest: of its values.
    """

    what: str
    ratio: float
    ratio_if_off: float
    largest: float


@pytest.fixture(scope="module")
def readable() -> list[list[Measured]]:
    """For each case, all derivatives of a program that torch differentiates."""
    pytest.importorskip("torch")
    implementation = load("lstm_conformance.defects.readable:ReadableLSTM")
    return [list(_measure(Trial(case, implementation))) for case in CASES]


def _measure(trial: Trial) -> Iterator[Measured]:
    direction = direction_of(trial.case)
    expected = trial.expected_derivative(direction)
    modes = {
        "forward mode": (trial.tangents(direction).tensors, OUTPUTS),
        "double backward": (trial.second_derivatives(direction).tensors, trial.case.result_names()),
    }
    for mode, (tensors, names) in modes.items():
        assert set(tensors) == set(names)
        for name, tensor in tensors.items():
            ratio = trial.close(name, tensor, expected).ratio
            if_off = trial.close(name, 1.001 * tensor.values, expected).ratio
            assert ratio is not None
            assert if_off is not None
            largest = float(np.abs(expected.values[name]).max())
            yield Measured(f"{mode} of {name} in {trial.case}", ratio, if_off, largest)


@pytest.mark.whole
def test_derivatives_in_a_precision_are_within_the_limit(readable: list[list[Measured]]) -> None:
    """There is no false alarm, and the noise is not much too large, or there never could be one."""
    assert len(readable) > 300
    worst = [max(of_case, key=lambda m: m.ratio) for of_case in readable]
    assert [m for m in worst if m.ratio > LIMIT] == []
    assert np.median([m.ratio for m in worst]) > 0.5


@pytest.mark.whole
def test_relative_error_of_one_in_a_thousand_is_beyond_the_limit(
    readable: list[list[Measured]],
) -> None:
    """In any one tensor that reaches 0.1."""
    large = [m for of_case in readable for m in of_case if m.largest >= 0.1]
    assert len(large) > 2000
    assert [m for m in large if m.ratio_if_off <= THRESHOLD] == []
