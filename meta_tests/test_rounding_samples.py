"""The noise of the rounding samples: none where no rounding reaches, and the right size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lstm_conformance.reference.lstm import CellCache, Weights, cell, cell_backward, sigmoid
from lstm_conformance.reference.oracle import Expectation, evaluate, expect, spread
from lstm_conformance.reference.rounding import SAMPLES, Samples, samples_of
from lstm_conformance.spec.case import OUTPUTS, Case
from lstm_conformance.spec.combinations import Combination
from lstm_conformance.spec.config import LSTMConfig
from lstm_conformance.spec.precision import PRECISIONS, Precision

from .helpers.small_cases import COVERING, FLOAT64, case_of

# A correct implementation is allowed this many standard deviations.
LIMIT = 30


def ratios(expected: Expectation, results: Mapping[str, Any]) -> dict[str, float]:
    """For each tensor the largest error in units of the noise; 0/0 is 0."""
    worst = {}
    for name, result in results.items():
        error = np.abs(result.astype(float) - expected.values[name])
        with np.errstate(divide="ignore", invalid="ignore"):
            of_noise = np.where(error == 0, 0.0, error / expected.noise[name])
        worst[name] = float(of_noise.max())
    return worst


def padding(case: Case, name: str) -> np.ndarray:
    """Which elements of a tensor of steps are behind the end of their row."""
    behind = np.arange(case.seq_len)[:, None] >= np.array(case.lengths)  # (T, N)
    if case.config.batch_first:
        behind = behind.T
    return np.broadcast_to(behind[..., None], case.shapes()[name])


# --------------------------------------------------------------------- zeros


@pytest.mark.parametrize("combination", [c for c in FLOAT64 if c.states][::7], ids=str)
def test_noise_is_zero_where_the_value_cannot_be_wrong(combination: Combination) -> None:
    """Padding has no value and no noise; every other output has both."""
    case = case_of(combination)
    expected = expect(case)
    for name, tensor in (("output", "output"), ("input", "input.grad")):
        behind = padding(case, name) if case.packed else np.zeros(case.shapes()[name], bool)
        cut = name == "input" and case.active_dropout == 1
        assert (expected.values[tensor][behind] == 0).all()
        assert (expected.noise[tensor][behind] == 0).all()
        if not cut:
            assert (expected.noise[tensor][~behind] > 0).all(), case
    for name in ("h_n", "c_n"):
        assert (expected.noise[name] > 0).all()


@pytest.mark.parametrize("combination", [c for c in FLOAT64 if c.dropout == "one"][::7], ids=str)
def test_no_noise_passes_a_dropout_of_one(combination: Combination) -> None:
    """What lies below the last layer has no part in the output: gradients of exactly zero."""
    case = case_of(combination, cotangents=("output",))
    last = f"l{case.config.num_layers - 1}"
    expected = expect(case)
    of_states = slice(0, (case.config.num_layers - 1) * case.config.num_directions)
    for name in case.argument_names():
        value, noise = expected.values[f"{name}.grad"], expected.noise[f"{name}.grad"]
        if name in ("h_0", "c_0"):
            assert (noise[of_states] == 0).all()
            assert (value[of_states] == 0).all()
        elif case.config.num_layers > 1 and last not in name:
            assert (noise == 0).all()
            assert (value == 0).all()
        elif case.config.num_layers > 1 and name.startswith("weight_ih"):
            # The last layer's, whose input is all zeros.
            assert (noise == 0).all()
            assert (value == 0).all()
        elif name.startswith("bias"):
            assert (noise > 0).any()


@pytest.mark.parametrize("combination", COVERING, ids=str)
def test_value_without_noise_is_zero(combination: Combination) -> None:
    """No result of a computation is taken for exact unless it is a zero."""
    expected = expect(case_of(combination))
    for name, noise in expected.noise.items():
        assert (expected.values[name][noise == 0] == 0).all(), name
        assert np.isfinite(noise).all(), name


# --------------------------------------------------------------------- scale


def noise_in(
    case: Case, unit_roundoff: float, seed: int = 5, copies: int = SAMPLES
) -> dict[str, np.ndarray]:
    """The noise of a precision that may not exist."""
    kind = samples_of(Precision("of this test", unit_roundoff, 0.0, np.inf), seed)

    def sampled(arrays: dict[str, np.ndarray]) -> dict[str, Any]:
        return {k: np.broadcast_to(v, (copies, *v.shape)).view(kind) for k, v in arrays.items()}

    arguments, cotangents = case.arguments(), case.cotangent_values()
    values = evaluate(case, arguments, cotangents)
    samples = evaluate(case, sampled(arguments), sampled(cotangents))
    return {
        name: np.sqrt(np.mean((samples[name].view(np.ndarray) - value) ** 2, axis=0))
        for name, value in values.items()
    }


@pytest.mark.parametrize("combination", COVERING[::4], ids=str)
def test_noise_is_proportional_to_the_unit_roundoff(combination: Combination) -> None:
    """The same randomness in a precision of twice the roundoff gives twice the noise."""
    case = case_of(combination)
    single, double = noise_in(case, 2.0**-30), noise_in(case, 2.0**-29)
    for name, noise in single.items():
        np.testing.assert_allclose(double[name], 2 * noise, rtol=1e-4, atol=0, err_msg=name)


def test_noise_of_the_judged_precisions() -> None:
    """float32 has 2**29 times the noise of float64, but for the randomness of either.

    And a little less, because the arithmetic that samples the noise is float64 itself, whose
    own roundoff comes on top where that is what is sampled.
    """
    quotients = []
    for combination in COVERING:
        case = case_of(combination)
        fine, coarse = expect(case).noise, expect(case, "float32").noise
        for name in fine:
            assert ((coarse[name] == 0) == (fine[name] == 0)).all(), case
            noisy = fine[name] > 0
            quotients.append(coarse[name][noisy] / fine[name][noisy])
    assert 0.75 < np.median(np.concatenate(quotients)) / 2.0**29 < 1.05


def test_noise_is_reproducible() -> None:
    """By the case alone, whatever was asked before."""
    case = case_of(COVERING[0])
    first = expect(case).noise
    expect(replace(case, seed=1))
    again = expect(Case.parse(str(case))).noise
    for name, noise in first.items():
        np.testing.assert_array_equal(noise, again[name])


def test_samples_of_different_seeds_differ() -> None:
    case = case_of(COVERING[0])
    one, other = noise_in(case, 2.0**-24, seed=1), noise_in(case, 2.0**-24, seed=2)
    assert (one["c_n"] != other["c_n"]).all()


U = 2.0**-20
COPIES = 20000

# Result of one operation on numbers that are no samples of anything, and how many units of
# roundoff it may be off: n/2 of the squared terms and n/3 of the squared sum under a root.
TERMS = np.array([3.0, 1.0, -3.0, -0.5])
OPERATIONS: dict[str, tuple[Callable[[Any, Any], Any], float]] = {
    "product": (lambda x, y: x[..., :1] * x[..., 2:3], 9.0),
    "difference": (lambda x, y: x[..., :1] - x[..., 1:2], 2.0),
    "quotient": (lambda x, y: x[..., 3:] / x[..., :1], 1 / 6),
    "exp": (lambda x, y: np.exp(x[..., 1:2]), np.e),
    "negative": (lambda x, y: -x[..., :1], 0.0),
    "tanh": (lambda x, y: np.tanh(x[..., :1]), 2 * np.tanh(3)),
    "tanh of little": (lambda x, y: np.tanh(x[..., 3:] / 100), 1.0),
    "tanh of zero": (lambda x, y: np.tanh(0 * x[..., :1]), 0.0),
    "sigmoid": (lambda x, y: sigmoid(x[..., :1]), 2 / (1 + np.exp(-3))),
    "sigmoid of little": (lambda x, y: sigmoid(x[..., 2:3]), 1.0),
    "sum": (lambda x, y: x.sum(axis=-2), np.sqrt(4 * (19.25 / 2 + 0.5**2 / 3))),
    "matrix product": (lambda x, y: y @ x, np.sqrt(4 * (19.25 / 2 + 0.5**2 / 3))),
    "sum of zeros": (lambda x, y: y @ (0 * x), 0.0),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_size_of_one_rounding(operation: str) -> None:
    """As documented; the terms of the sums cancel, which must not hide their rounding."""
    function, units = OPERATIONS[operation]
    kind = samples_of(Precision("of this test", U, 0.0, np.inf), 0)
    column = operation in ("sum", "matrix product", "sum of zeros")
    operand = TERMS[:, None] if column else TERMS[None, :]
    x = np.broadcast_to(operand, (COPIES, *operand.shape)).view(kind)
    y = np.broadcast_to(np.ones((1, 4)), (COPIES, 1, 4)).view(kind)
    exact = function(operand, np.ones((1, 4)))
    moved = function(x, y).view(np.ndarray) - exact
    if units == 0:
        assert (moved == 0).all()
    else:
        # Uniform: to all of the size and not beyond. The hundredth is for the argument x / 100.
        assert 0.99 < np.abs(moved).max() / (U * units) < 1.01
        assert abs(moved.mean()) < 0.05 * U * units


# ------------------------------------------- one step, with errors drawn together


@contextmanager
def _one_error_for_each_operation() -> Iterator[None]:
    """Inside, a step on samples rounds as the reference is written."""
    functions = (cell, cell_backward)
    cheaper = [function.dispatch(Samples) for function in functions]
    for function in functions:
        function.register(Samples, function.dispatch(object))
    try:
        yield
    finally:
        for function, registered in zip(functions, cheaper, strict=True):
            function.register(Samples, registered)


# Scales of the weights, the biases, the cell state, the gates' candidates and the gradients of h
# and c. In each line other errors dominate.
_SCALES = {
    "usual": (1.0, 1.0, 1.0, 1.0, 1.0),
    "products": (4.0, 0.0, 0.1, 0.1, 0.1),
    "biases": (0.01, 2.0, 0.01, 1.0, 0.0),
    "large cell states": (0.1, 0.1, 40.0, 0.01, 1.0),
    "tiny": (1e-6, 0.0, 1e-6, 1e-6, 1.0),
    "zeros": (0.0, 0.0, 0.0, 0.0, 1.0),
    "gradient of h": (0.5, 0.5, 3.0, 1.9, 0.0),
    "gradient of c": (0.5, 0.5, 0.5, 0.0, 1e6),
}


def _spreads_of_a_step(scales: tuple[float, ...], projection: bool, seed: int) -> Any:
    """The spread of every result of one step, forward and backward, from exact arguments."""
    weight, bias, state, candidate, gradient = scales
    numbers = np.random.default_rng(7)
    kind = samples_of(Precision("of this test", U, 0.0, np.inf), seed)

    def exact(scale: float, *shape: int) -> Any:
        values = scale * numbers.uniform(0.5, 1, shape) * numbers.choice([-1, 1], shape)
        return np.broadcast_to(values, (COPIES, *shape)).view(kind)

    r = 2 if projection else 3
    b = [exact(bias, 12) if bias else None for _ in range(2)]
    w = Weights(
        exact(weight, 12, 2), exact(weight, 12, r), *b, exact(1.0, r, 3) if projection else None
    )
    x, h_prev, c_prev = exact(1.0, 1, 2), exact(1.0, 1, r), exact(state, 1, 3)
    h, c, cache = cell(x, h_prev, c_prev, w)
    gates = [abs(exact(0.5, 1, 3)) for _ in range(4)]
    gates[2] = candidate * gates[2]
    tanh_c = exact(np.tanh(state), 1, 3)
    of_backward = CellCache(x, h_prev, c_prev, *gates, tanh_c, gates[3] * tanh_c)
    dh, dc = exact(1.0, 1, r), exact(gradient, 1, 3)
    results = [h, c, *cache[3:], *cell_backward(dh, dc, of_backward, w)]
    return [np.std(result.view(np.ndarray), axis=0) for result in results]


@pytest.mark.parametrize("projection", [False, True])
@pytest.mark.parametrize("name", _SCALES)
def test_errors_drawn_together_have_the_effect_of_all(name: str, projection: bool) -> None:
    """The spread of a step is that of one error for each operation, element by element."""
    together = _spreads_of_a_step(_SCALES[name], projection, seed=1)
    with _one_error_for_each_operation():
        apart = _spreads_of_a_step(_SCALES[name], projection, seed=2)
    for k, (one, other) in enumerate(zip(together, apart, strict=True)):
        np.testing.assert_array_equal(one == 0, other == 0, err_msg=str(k))
        # That of 20,000 copies is known to half a percent.
        np.testing.assert_allclose(one, other, rtol=0.035, err_msg=str(k))


_STEPS = {
    "projection": Case(LSTMConfig(3, 4, 2, bidirectional=True, proj_size=2), 5, 2, states=True),
    "no biases": Case(LSTMConfig(3, 4, bias=False), 5, 2, weight_scale=3.0),
    "rows of unequal length": Case(
        LSTMConfig(3, 4), 5, 3, "packed_unsorted", (2, 5, 3), states=True, weight_scale=10.0
    ),
}


@pytest.mark.parametrize("name", _STEPS)
def test_errors_drawn_together_have_the_effect_of_all_in_a_stack(name: str) -> None:
    case = replace(_STEPS[name], cotangents=OUTPUTS)
    together = noise_in(case, U, seed=1, copies=4000)
    with _one_error_for_each_operation():
        apart = noise_in(case, U, seed=2, copies=4000)
    for tensor in case.result_names():
        np.testing.assert_array_equal(together[tensor] == 0, apart[tensor] == 0)
        np.testing.assert_allclose(together[tensor], apart[tensor], rtol=0.1, err_msg=tensor)


@pytest.mark.parametrize("name", _STEPS)
def test_a_step_on_samples_computes_the_equations(name: str) -> None:
    """Without roundoff, samples have the values of the reference."""
    case = replace(_STEPS[name], cotangents=OUTPUTS)
    for tensor, error in noise_in(case, 0.0).items():
        np.testing.assert_allclose(error, 0, atol=1e-12, err_msg=tensor)


# -------------------------------------------------- what it accepts and rejects


def in_float32(case: Case) -> dict[str, np.ndarray]:
    """The reference computed with float32 instead of float64: a correct implementation."""
    results = evaluate(
        case,
        {name: array.astype(np.float32) for name, array in case.arguments().items()},
        {name: array.astype(np.float32) for name, array in case.cotangent_values().items()},
    )
    assert {array.dtype for array in results.values()} == {np.dtype("float32")}
    return results


FLOAT32_CASES = [
    case_of(replace(combination, dtype="float32"), seed)
    for seed in (6, 7)
    for combination in FLOAT64[::8]
]


@pytest.fixture(scope="module")
def in_either() -> list[tuple[Expectation, dict[str, np.ndarray]]]:
    """What is expected of each of some 300 cases, and what float32 makes of it."""
    return [(expect(case), in_float32(case)) for case in FLOAT32_CASES]


def test_correct_float32_is_within_the_limit(
    in_either: list[tuple[Expectation, dict[str, np.ndarray]]],
) -> None:
    """There is no false alarm, and the noise is not much too large, or there never could be one."""
    worst = [max(ratios(expected, results).values()) for expected, results in in_either]
    assert max(worst) <= LIMIT, FLOAT32_CASES[int(np.argmax(worst))]
    assert np.median(worst) > 1


def test_relative_error_of_one_in_ten_thousand_is_beyond_the_limit(
    in_either: list[tuple[Expectation, dict[str, np.ndarray]]],
) -> None:
    """In any one tensor of any case, float32's own roundoff being less than a thousandth of it.

    Only in tensors that reach 0.1: a sigmoid or tanh may be off by some 1e-7 whatever its
    value, beside which 1e-4 of a small value is nothing.
    """
    found = []
    for expected, results in in_either:
        off = {name: result * np.float32(1 + 1e-4) for name, result in results.items()}
        of_case = ratios(expected, off)
        found += [of_case[name] for name in off if np.abs(expected.values[name]).max() >= 0.1]
        assert max(of_case.values()) > LIMIT
    assert len(found) > 2000
    assert min(found) > LIMIT


def test_anything_where_zero_is_due_is_beyond_the_limit() -> None:
    """The smallest number in the padding."""
    config = LSTMConfig(input_size=1, hidden_size=2)
    case = Case(config, 3, 2, "packed_sorted", (3, 1), "float32")
    expected, results = expect(case), in_float32(case)
    assert max(ratios(expected, results).values()) <= LIMIT
    results["output"][2, 1, 0] = 1e-45
    assert ratios(expected, results)["output"] == np.inf


@pytest.mark.parametrize("size", [1.0, 1e-200, 5e-324, 1e200])
def test_spread_of_the_smallest_and_largest_numbers(size: float) -> None:
    """Squares of 1e-200 are zero, and of 1e200 infinite: the spread must not be."""
    deviation = np.array([[size, 0.0], [-size, 0.0]])
    assert spread(deviation, np.zeros(deviation.shape[1:])).tolist() == [size, 0.0]


def test_noise_is_not_finite_where_numbers_exceed_the_range() -> None:
    """Of float16 alone: nothing here comes near the range of the other formats."""
    config = LSTMConfig(input_size=2, hidden_size=3)
    case = Case(config, 3, 2, dtype="float16", weight_scale=6e4, input_scale=3.0)
    assert not np.isfinite(expect(case).noise["c_n"]).all()
    assert np.isfinite(expect(replace(case, dtype="bfloat16")).noise["c_n"]).all()
    assert np.isfinite(expect(replace(case, weight_scale=1.0)).noise["c_n"]).all()


def test_operations_without_a_model_are_refused() -> None:
    """The reference uses none of them; whoever adds one has to say how it rounds."""
    x = np.ones((SAMPLES, 2, 2)).view(samples_of(PRECISIONS["float32"], 0))
    for operation in (
        lambda: x.sum(axis=-1),
        lambda: x.prod(axis=-2),
        lambda: np.add.accumulate(x, axis=-2),
        lambda: np.maximum.reduce(x, axis=-2),
    ):
        with pytest.raises(TypeError, match="is not modelled"):
            operation()


def test_arrays_put_together_from_samples_are_samples() -> None:
    """Otherwise what is computed from them would have no rounding."""
    kind = samples_of(PRECISIONS["float32"], 0)
    x = np.ones((SAMPLES, 2, 2)).view(kind)
    parts = {
        "concatenate": np.concatenate([x, x], axis=-1),
        "stack": np.stack([x, x], axis=-3),
        "with zeros": np.concatenate([np.zeros_like(x), x], axis=-2),
        "split": np.split(x, 2, axis=-1)[0],
    }
    for name, part in parts.items():
        assert isinstance(part, kind), name
        assert np.ptp(np.asarray(part + part), axis=0).max() > 0, name


@pytest.mark.parametrize("name", ["bias_ih_l0.grad", "weight_hh_l0.grad"])
def test_gradients_of_parameters_have_the_noise_of_one_sum(name: str) -> None:
    """Over all steps and rows, however they are added."""
    case = Case(
        LSTMConfig(2, 3), seq_len=20, batch_size=30, dtype="float32", cotangents=("output",)
    )
    noise = []
    for steps in (20, 80):
        expected = expect(replace(case, seq_len=steps))
        noise.append(float(np.median(expected.noise[name])))
    assert 2.5 < noise[1] / noise[0] < 6, "in proportion to the number of terms"
