"""Chapter EDGE: NaN, infinities, huge and denormal numbers, and signed zeros."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lstm_conformance.reference.oracle import Expectation, evaluate, expect, expect_together
from lstm_conformance.runner.judging.comparison import Finding, holds
from lstm_conformance.runner.judging.rules import Rule, results_in_inference
from lstm_conformance.runner.judging.trial import Trial
from lstm_conformance.runner.searching.checker import Checker
from lstm_conformance.spec.case import LAYOUTS, OUTPUTS, Case, CaseWithValues, uniform_numbers
from lstm_conformance.spec.contract import ObservedTensor, Unsupported
from lstm_conformance.spec.strategies import Domain

Mask = NDArray[np.bool_]
Index = tuple[Any, ...]

NAN, INF = float("nan"), float("inf")
ALL = slice(None)

# Moderate values and weights keep rounding errors small, so that they hide no wrong number.
ANY = Domain(dropout=("none",), cotangents=((),), weight_scale=(1.0,), input_scale=(1.0,))
ROWS = ANY.but(layout=("batched", "packed_sorted", "packed_unsorted"), batch_size=(2, 4))


def each(judge: Callable[[Trial], Iterator[Finding]]) -> Rule:
    """Turns a generator of findings into a rule."""
    return lambda trial: list(judge(trial))


# -------------------------------------------------- cases with one bad number


def index(case: Case, name: str, first: Any, row: Any, last: Any) -> Index:
    """The index of elements of a tensor, in the layout of the case.

    Args:
        case: the case.
        name: the name of an argument, an output or a gradient.
        first: the step; for states, the layer and direction.
        row: the row of the batch.
        last: the feature.
    """
    if case.layout == "unbatched":
        return first, last
    if case.config.batch_first and name in ("input", "output", "input.grad"):
        return row, first, last
    return first, row, last


def bad_place(case: Case, name: str) -> tuple[int, int, int]:
    """An element of ``name`` outside the padding, chosen by the seed of the case.

    Returns:
        Step (for states, layer and direction), row and feature.
    """
    fractions = (uniform_numbers(case.seed, f"place in {name}", (3,)) + 1) / 2
    row = int(fractions[1] * case.batch_size)
    steps = case.lengths[row] if case.packed else case.seq_len
    states = case.config.num_layers * case.config.num_directions
    first = int(fractions[0] * (steps if name == "input" else states))
    return first, row, int(fractions[2] * case.shapes()[name][-1])


def with_bad_number(case: Case, name: str, value: float) -> CaseWithValues:
    """The case with ``value`` in one element of the argument ``name``."""
    values = case.arguments()[name]
    values[index(case, name, *bad_place(case, name))] = value
    return case.with_values({name: values})


def row_mask(case: Case, name: str, tensor: str) -> Mask:
    """A mask of the elements of ``tensor`` in the row of the bad number of ``name``."""
    mask = np.zeros(case.shapes()[tensor.removesuffix(".grad")], bool)
    mask[index(case, tensor, ALL, bad_place(case, name)[1], ALL)] = True
    return mask


def expected_nan(case: Case) -> dict[str, Mask]:
    """Masks of the results that are NaN by the equations."""
    results = evaluate(case, case.arguments(), case.cotangent_values())
    return {name: np.isnan(result) for name, result in results.items()}


def finite_and_close(
    trial: Trial,
    name: str,
    observed: ObservedTensor,
    expectation: Expectation,
    note: str,
    where: Mask | bool = True,
) -> Iterator[Finding]:
    """Whether the elements of a tensor in the mask ``where`` are finite and close.

    Whether they are finite is a separate finding. Where all numbers are tiny, rounding noise may
    allow a wrong number, but never NaN or infinity.
    """
    values = observed.values
    if values.shape == expectation.values[name].shape:
        yield no_element(name, where & ~np.isfinite(values), f"{note}: not finite")
        values = np.where(where, values, expectation.values[name])
    yield trial.close(name, values, expectation, note)


def no_element(name: str, mask: Mask, message: str) -> Finding:
    """A finding that fails if ``mask`` is true for any element."""
    first = next(iter(np.argwhere(mask).tolist()), None)
    return holds(name, first is None, f"{message} at {first}")


def arguments_among(case: Case, names: tuple[str, ...]) -> list[str]:
    """The arguments of the case among ``names``."""
    return [name for name in names if name in case.argument_names()]


# ---------------------------------------------- results that must not change


@pytest.mark.lstm_clause("EDGE-1")
def test_bad_row_of_the_input(lstm_check: Checker) -> None:
    lstm_check.forall(ROWS, other_rows_close("input"), also_large=True)


@pytest.mark.lstm_clause("EDGE-2")
def test_bad_row_of_the_states(lstm_check: Checker) -> None:
    lstm_check.forall(ROWS.but(states=(True,)), other_rows_close("h_0", "c_0"))


@pytest.mark.lstm_clause("EDGE-5")
def test_gradients_of_other_rows(lstm_check: Checker) -> None:
    domain = ROWS.but(states=(True,), cotangents=(OUTPUTS,))
    lstm_check.forall(domain, other_rows_close("input", "h_0", "c_0"), also_large=True)


def other_rows_close(*names: str) -> Rule:
    """A bad number in one row of an argument does not change the results of the other rows.

    The results are the outputs, or, if the case has cotangents, the gradients that have rows.
    """

    def judge(trial: Trial) -> Iterator[Finding]:
        case = trial.case
        gradients = ("input.grad", "h_0.grad", "c_0.grad")
        for name in names:
            for value in (NAN, INF):
                tensors = trial.run(with_bad_number(case, name, value)).tensors
                for result in gradients if case.cotangents else OUTPUTS:
                    others = ~row_mask(case, name, result)
                    note = f"{value} in another row of {name}"
                    yield from finite_and_close(
                        trial, result, tensors[result], trial.expectation, note, others
                    )

    return each(judge)


@pytest.mark.lstm_clause("EDGE-3")
def test_nan_does_not_go_back_in_time(lstm_check: Checker) -> None:
    steps = ANY.but(seq_len=(2, 8))
    lstm_check.forall(steps, each(other_steps_close))
    # Where one step has to be told from the others, and earlier ones do not depend on it.
    forwards = steps.but(bidirectional=(False,), layout=LAYOUTS[:2])
    lstm_check.forall(forwards, each(other_steps_close))


def other_steps_close(trial: Trial) -> Iterator[Finding]:
    case = with_bad_number(trial.case, "input", NAN)
    others = row_mask(case, "input", "output") & ~expected_nan(case)["output"]
    output = trial.run(case).tensors["output"]
    yield from finite_and_close(
        trial, "output", output, trial.expectation, "NaN at another step", others
    )


@pytest.mark.lstm_clause("EDGE-4")
def test_nan_is_not_lost(lstm_check: Checker) -> None:
    lstm_check.forall(ANY, each(nan_where_expected))


def nan_where_expected(trial: Trial) -> Iterator[Finding]:
    for name in arguments_among(trial.case, ("input", "h_0", "c_0")):
        case = with_bad_number(trial.case, name, NAN)
        yield from nan_is_kept(trial, case, name)


def nan_is_kept(trial: Trial, case: Case, name: str) -> Iterator[Finding]:
    """Whether all results are NaN that depend on the NaN in the argument ``name``."""
    tensors = trial.run(case).tensors
    for result, where in expected_nan(case).items():
        lost = where & ~np.isnan(tensors[result].values)
        yield no_element(result, lost, f"NaN in {name}: not NaN")


@pytest.mark.lstm_clause("EDGE-4")
def test_nan_in_a_parameter_is_not_lost(lstm_check: Checker) -> None:
    lstm_check.forall(ANY, each(nan_of_a_parameter), at_most=20)


def nan_of_a_parameter(trial: Trial) -> Iterator[Finding]:
    """As of a training that has diverged, or of a file that is damaged."""
    arguments = trial.case.arguments()
    names = sorted(trial.case.config.parameter_shapes())
    if not trial.case.states:  # the product with a state of zeros may be left out
        names = [name for name in names if not name.startswith("weight_hh")]
    numbers = uniform_numbers(trial.case.seed, "which parameters", (len(names),))
    for name in [names[k] for k in np.argsort(numbers)[:3]]:
        value = arguments[name].copy()
        (number,) = uniform_numbers(trial.case.seed, f"place in {name}", (1,))
        value.flat[int((number + 1) / 2 * value.size)] = NAN
        case = trial.case.with_values({name: value})
        yield from nan_is_kept(trial, case, name)


# ----------------------------------------------------------- infinite and huge

# All functions have reached their limits here, as at infinity. The square of this number is still
# finite in float64, so the oracle can compute its noise.
FAR = 2.0**100


@pytest.mark.lstm_clause("EDGE-6")
def test_infinite_input(lstm_check: Checker) -> None:
    lstm_check.forall(ANY, each(infinite_input))


def infinite_input(trial: Trial) -> Iterator[Finding]:
    names = arguments_among(trial.case, ("input", "h_0"))
    bad = [(name, value) for name in names for value in (INF, -INF)]
    far = [with_bad_number(trial.case, name, np.copysign(FAR, value)) for name, value in bad]
    for (name, value), expectation in zip(bad, expect_together(far), strict=True):
        tensors = trial.run(with_bad_number(trial.case, name, value)).tensors
        for result in OUTPUTS:
            yield from finite_and_close(
                trial, result, tensors[result], expectation, f"{value} in {name}"
            )


@pytest.mark.lstm_clause("EDGE-7")
def test_infinite_cell_state(lstm_check: Checker) -> None:
    lstm_check.forall(ANY.but(states=(True,)), each(infinite_cell_state))


def infinite_cell_state(trial: Trial) -> Iterator[Finding]:
    case = trial.case
    infinite = index(case, "c_n", *bad_place(case, "c_0"))
    for value in (INF, -INF):
        far = with_bad_number(case, "c_0", np.copysign(FAR, value))
        tensors, expectation = trial.run(with_bad_number(case, "c_0", value)).tensors, expect(far)
        for result in OUTPUTS:
            where = np.ones(case.shapes()[result], bool)
            if result == "c_n":
                where[infinite] = False
            note = f"{value} in c_0"
            yield from finite_and_close(trial, result, tensors[result], expectation, note, where)
        last = tensors["c_n"].values[infinite]
        yield holds("c_n", last == value, f"c_n is {last} where c_0 is {value}")
        # A program may spare infinity, and limit all finite numbers.
        note = f"{np.copysign(FAR, value):.2g} in c_0"
        yield from trial.close_all(trial.run(far).tensors, OUTPUTS, note, expectation)


@pytest.mark.lstm_clause("EDGE-8")
def test_huge_input(lstm_check: Checker) -> None:
    lstm_check.forall(ANY, each(huge_input))


def huge_input(trial: Trial) -> Iterator[Finding]:
    case = trial.case
    # No weight is larger than 1, so no sum reaches an eighth of the largest number. Scaling by a
    # power of two changes no rounding.
    largest = case.precision.largest_factor / (8 * case.config.input_size)
    if largest < FAR:
        raise Unsupported(f"products may be in {case.products}, which has no huge numbers")
    far = FAR * case.arguments()["input"]
    huge = far * 2.0 ** np.floor(np.log2(largest / FAR))
    tensors = trial.run(case.with_values({"input": huge})).tensors
    expectation = expect(case.with_values({"input": far}))
    for result in OUTPUTS:
        yield from finite_and_close(trial, result, tensors[result], expectation, "huge input")


@pytest.mark.lstm_clause("EDGE-8")
def test_features_of_unlike_sizes(lstm_check: Checker) -> None:
    domain = ANY.but(input_size=(2, 8), cotangents=((), OUTPUTS))
    lstm_check.forall(domain, features_of_unlike_sizes, at_most=20)


def features_of_unlike_sizes(trial: Trial) -> list[Finding]:
    """As in tables of measurements, whose columns have units of their own."""
    case = trial.case
    # The smallest feature is less than the last digit of the largest one, in float64, too.
    # Where factors of products may be float16, they and the weights stay in its range.
    features = case.config.input_size
    least, most = (-20, 40) if case.precision.largest_factor > FAR else (-6, 6)
    exponents = np.floor((most - least) * np.arange(features) / (features - 1) + least)
    factors = 2.0**exponents
    arguments = case.arguments()
    weights = [name for name in arguments if name.startswith("weight_ih_l0")]
    values = {"input": arguments["input"] * factors}
    scaled = case.with_values({**values, **{name: arguments[name] / factors for name in weights}})
    return right_in_both_modes(trial, scaled, f"features from 2^{least} to 2^{most}")


@pytest.mark.lstm_clause("EDGE-8")
def test_rows_of_unlike_sizes(lstm_check: Checker) -> None:
    domain = ROWS.but(input_size=(2, 4), cotangents=((), OUTPUTS))
    lstm_check.forall(domain, rows_of_unlike_sizes, at_most=12)


def rows_of_unlike_sizes(trial: Trial) -> list[Finding]:
    """One row of several is huge, as one that nobody has normalised."""
    case = trial.case
    value = case.arguments()["input"]
    exponent = 20 if case.precision.largest_factor > FAR else 8
    value[index(case, "input", ALL, case.seed % case.batch_size, ALL)] *= 2.0**exponent
    note = f"one row times 2^{exponent}"
    return right_in_both_modes(trial, case.with_values({"input": value}), note)


def right_in_both_modes(trial: Trial, case: Case, note: str) -> list[Finding]:
    """Results and gradients, and results without gradients."""
    expectation, names = expect(case), case.result_names()
    findings = trial.close_all(trial.run(case).tensors, names, note, expectation)
    in_inference = results_in_inference(trial, case)
    return findings + trial.close_all(in_inference, OUTPUTS, f"{note}, under no_grad", expectation)


# ------------------------------------------------------------- zero and tiny


def with_zeros(case: Case, *prefixes: str) -> CaseWithValues:
    """The case with zeros in the arguments whose names start with one of ``prefixes``."""
    return case.with_values(
        {
            name: np.zeros_like(array)
            for name, array in case.arguments().items()
            if name.startswith(prefixes)
        }
    )


@pytest.mark.lstm_clause("EDGE-9")
def test_zeros(lstm_check: Checker) -> None:
    lstm_check.forall(ANY, each(zeros_from_zeros))


def zeros_from_zeros(trial: Trial) -> Iterator[Finding]:
    for zero in (("input", "bias"), ("weight", "bias")):
        tensors = trial.run(with_zeros(trial.case, "h_0", "c_0", *zero)).tensors
        for result in OUTPUTS:
            note = f"zeros in h_0, c_0, {', '.join(zero)}"
            yield no_element(result, tensors[result].values != 0, f"{note}: not zero")


@pytest.mark.lstm_clause("EDGE-9")
def test_some_zeros(lstm_check: Checker) -> None:
    with_all = ANY.but(bias=(True, False), states=(True, False))
    lstm_check.forall(with_all, results_at_zeros, at_most=20)
    several = ANY.but(input_size=(2, 4), seq_len=(4, 8))
    lstm_check.forall(several, one_hot_input, at_most=8)
    lstm_check.forall(several, steps_of_zeros, at_most=8)


# Programs that take such arguments for missing ones skip something.
ZERO_ALONE = (
    *(("input",), ("h_0",), ("c_0",), ("weight_ih",), ("weight_hh",), ("weight_hr",)),
    *(("bias_ih",), ("bias_hh",), ("bias",), ("weight",)),
)


def results_at_zeros(trial: Trial) -> list[Finding]:
    findings = []
    for note, case, expectation in each_with_zeros(trial.case, ZERO_ALONE):
        tensors = results_in_inference(trial, case)
        findings += trial.close_all(tensors, OUTPUTS, note, expectation)
    return findings


def each_with_zeros(
    case: Case, groups: Iterable[tuple[str, ...]]
) -> Iterator[tuple[str, CaseWithValues, Expectation]]:
    """The case with zeros in each group of arguments, as far as it has any of them.

    Args:
        case: the case.
        groups: what the names of arguments that are zero together start with.
    """
    arguments = case.arguments()
    zeros = [zero for zero in groups if any(name.startswith(zero) for name in arguments)]
    cases = [with_zeros(case, *zero) for zero in zeros]
    for zero, one, expectation in zip(zeros, cases, expect_together(cases), strict=True):
        yield f"zeros in {', '.join(zero)}", one, expectation


@pytest.mark.lstm_clause("EDGE-16")
def test_equal_steps(lstm_check: Checker) -> None:
    lstm_check.forall(ANY.but(seq_len=(66, 90)), equal_steps, at_most=10)


def equal_steps(trial: Trial) -> list[Finding]:
    """So many that states nearly stand still, which is no reason to stop."""
    case = trial.case
    first = case.arguments()["input"].take([0], case.time_axis)
    repeated = np.broadcast_to(first, case.shapes()["input"])
    if case.packed:
        repeated = np.where(case.padding(), 0.0, repeated)
    case = case.with_values({"input": repeated})
    tensors = results_in_inference(trial, case)
    return trial.close_all(tensors, OUTPUTS, "all steps of the input are equal", expect(case))


@pytest.mark.lstm_clause("EDGE-10")
def test_gradients_at_zeros(lstm_check: Checker) -> None:
    lstm_check.forall(ANY.but(cotangents=(OUTPUTS,)), each(gradients_at_zeros))


# Which arguments are zero together. What is multiplied by one of them can be left out of the
# forward pass, but not of the backward pass.
ZERO_TOGETHER = (
    ("input", "bias"),
    ("weight", "bias"),
    ("input", "h_0", "c_0", "weight", "bias"),
    ("input",),
    ("h_0",),
    ("c_0",),
    ("h_0", "c_0"),
    ("weight_ih",),
    ("weight_hh",),
    ("weight_hr",),
    ("bias_ih",),
    ("bias_hh",),
)


def gradients_at_zeros(trial: Trial) -> Iterator[Finding]:
    for note, case, expectation in each_with_zeros(trial.case, ZERO_TOGETHER):
        tensors = trial.run(case).tensors
        for result in case.result_names():
            if result.endswith(".grad"):
                yield from finite_and_close(trial, result, tensors[result], expectation, note)


@pytest.mark.lstm_clause("EDGE-10")
def test_one_hot_input(lstm_check: Checker) -> None:
    domain = ANY.but(input_size=(2, 4), seq_len=(4, 8), cotangents=(OUTPUTS,))
    lstm_check.forall(domain, one_hot_input, at_most=20)


def one_hot_input(trial: Trial) -> list[Finding]:
    """As models of text have it. A step of zeros is a letter that is unknown, or padding."""
    case, features = trial.case, trial.case.config.input_size
    drawn = uniform_numbers(case.seed, "letters", case.shapes()["input"][:-1])
    letters = np.floor((drawn + 1) / 2 * (features + 1)).astype(int).clip(0, features)
    # The one behind the last has no 1.
    one_hot = (letters[..., None] == np.arange(features)).astype(float)
    if case.packed:
        one_hot = np.where(case.padding(), 0.0, one_hot)
    case = case.with_values({"input": one_hot})
    return right_in_both_modes(trial, case, "one-hot input with steps of zeros")


@pytest.mark.lstm_clause("EDGE-10")
def test_steps_of_zeros(lstm_check: Checker) -> None:
    domain = ANY.but(input_size=(2, 4), seq_len=(4, 8), cotangents=(OUTPUTS,))
    lstm_check.forall(domain, steps_of_zeros, at_most=12)


def steps_of_zeros(trial: Trial) -> list[Finding]:
    """As of a sensor that fails now and then, for one row or for all."""
    case = trial.case
    shape = case.shapes()["input"][:-1]
    zero = uniform_numbers(case.seed, "zeros", shape) < 0
    if case.seed % 2 and len(shape) > 1:
        rows = 0 if case.config.batch_first else 1
        zero = np.broadcast_to(zero.take([0], rows), shape)
    value = np.where(zero[..., None], 0.0, case.arguments()["input"])
    return right_in_both_modes(trial, case.with_values({"input": value}), "steps of zeros")


@pytest.mark.lstm_clause("EDGE-11")
def test_denormal_numbers(lstm_check: Checker) -> None:
    lstm_check.forall(ANY.but(states=(True,)), each(denormal_cell_state))


def denormal_cell_state(trial: Trial) -> Iterator[Finding]:
    smallest_normal = trial.case.precision.smallest_normal
    drawn = uniform_numbers(trial.case.seed, "denormal", trial.case.shapes()["c_0"])
    # Between a quarter and a half of the smallest normal number.
    denormal = np.copysign(smallest_normal * (1 + np.abs(drawn)) / 4, drawn)
    case = trial.case.with_values({"c_0": denormal}, weight_scale=0.0, input_scale=0.0)
    observed = trial.run(case)
    yield trial.close("c_n", observed.tensors["c_n"], expect(case), "denormal c_0")


@pytest.mark.lstm_clause("EDGE-12")
def test_signed_zeros(lstm_check: Checker) -> None:
    lstm_check.forall(ANY.but(cotangents=((), OUTPUTS)), each(signed_zeros))


def signed_zeros(trial: Trial) -> Iterator[Finding]:
    """Replaces about half of all numbers by -0."""
    case = trial.case
    arrays = {
        **case.arguments(),
        **{f"cotangent of {name}": array for name, array in case.cotangent_values().items()},
    }
    case = case.with_values(
        {
            name: np.where(
                uniform_numbers(case.seed, f"zeros in {name}", array.shape) < 0, -0.0, array
            )
            for name, array in arrays.items()
        }
    )
    tensors, expectation = trial.run(case).tensors, expect(case)
    for result in case.result_names():
        note = "-0 for half of all numbers"
        yield from finite_and_close(trial, result, tensors[result], expectation, note)


# ------------------------------------------------------------------ saturated

# Where exp overflows, a wrong program may divide infinity by infinity.
OVERFLOWING = ANY.but(bias=(True,), states=(True,), state_scale=(8.0,))
# tanh of most cell states, too, if it is computed by exp(2 c): in float64 from 355 on.
OVERFLOWING_CELLS = OVERFLOWING.but(state_scale=(1000.0,))
AT_MOST = 8


@pytest.mark.lstm_clause("EDGE-13")
def test_gates_that_exp_overflows_in(lstm_check: Checker) -> None:
    lstm_check.forall(OVERFLOWING, each(overflowing_gates))
    lstm_check.forall(OVERFLOWING_CELLS, each(overflowing_gates), at_most=AT_MOST)


@pytest.mark.lstm_clause("EDGE-14")
def test_gradients_of_gates_that_exp_overflows_in(lstm_check: Checker) -> None:
    lstm_check.forall(OVERFLOWING.but(cotangents=(OUTPUTS,)), each(overflowing_gates))
    cells = OVERFLOWING_CELLS.but(cotangents=(OUTPUTS,))
    lstm_check.forall(cells, each(overflowing_gates), at_most=AT_MOST)


def overflowing_gates(trial: Trial) -> Iterator[Finding]:
    """Judges the outputs, or the gradients if the case has cotangents."""
    values = {}
    for name, array in trial.case.arguments().items():
        if name.startswith("bias_ih"):
            # Two thirds of the gates are saturated, at 0 or 1. Gradients pass through the others.
            drawn = uniform_numbers(trial.case.seed, f"overflow in {name}", array.shape)
            values[name] = array + np.where(np.abs(drawn) > 1 / 3, np.copysign(1500, drawn), 0)
    case = trial.case.with_values(values)
    tensors, expectation = trial.run(case).tensors, expect(case)
    for result in case.result_names():
        if result.endswith(".grad") == bool(case.cotangents):
            yield from finite_and_close(
                trial, result, tensors[result], expectation, "saturated gates"
            )
