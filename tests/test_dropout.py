"""Chapter DROP: what is dropped between layers, and what is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, combinations_with_replacement
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lstm_conformance.reference.oracle import expect
from lstm_conformance.runner.judging.chance import FALSE_ALARMS, scipy_stats
from lstm_conformance.runner.judging.comparison import Finding, holds
from lstm_conformance.runner.judging.dropout_masks import best_masks, close_for_some_mask
from lstm_conformance.runner.judging.rules import (
    Rule,
    close,
    close_gradients,
    in_inference,
    on_bench,
    results_in_inference,
)
from lstm_conformance.runner.judging.trial import Trial
from lstm_conformance.runner.searching.checker import Checker
from lstm_conformance.spec.case import OUTPUTS, Case
from lstm_conformance.spec.contract import Unsupported
from lstm_conformance.spec.strategies import PLAIN, FirstSupported

if TYPE_CHECKING:
    from lstm_conformance.adapters.torch_bench import Bench

STACKED = PLAIN.but(num_layers=(2, 3))

# --------------------------------------------------------- dropout that is not random


@pytest.mark.lstm_clause("DROP-1")
def test_no_dropout_in_evaluation(lstm_check: Checker) -> None:
    domain = STACKED.but(dropout=("eval",))
    lstm_check.forall(domain, close(*OUTPUTS))
    # Whatever its probability is, without gradients, too.
    everything = domain.but(dropout_probability=1.0, layout=("batched", "packed_unsorted"))
    lstm_check.forall(everything, in_inference(close(*OUTPUTS)), at_most=6)
    with_gradients = everything.but(cotangents=(OUTPUTS,), bidirectional=(False, True))
    lstm_check.forall(with_gradients, close(), at_most=4)


@pytest.mark.lstm_clause("DROP-2")
def test_dropout_of_everything(lstm_check: Checker) -> None:
    def rule(trial: Trial) -> list[Finding]:
        in_inference = results_in_inference(trial)
        findings = close(*OUTPUTS)(trial)
        return findings + trial.close_all(in_inference, OUTPUTS, "in training, under no_grad")

    lstm_check.forall(STACKED.but(dropout=("one",)), rule)


@pytest.mark.lstm_clause("DROP-3")
def test_no_dropout_after_the_last_layer(lstm_check: Checker) -> None:
    lstm_check.forall(PLAIN.but(dropout=("some", "one")), close(*OUTPUTS))


@pytest.mark.lstm_clause("DROP-4")
def test_gradients_under_dropout_of_everything(lstm_check: Checker) -> None:
    domain = STACKED.but(dropout=("one",), cotangents=(("output",),))
    lstm_check.forall(domain, close_gradients)


# ----------------------- random dropout: small cases, whose results reveal the mask

# With biases no hidden state is zero, so every dropped element changes a result.
DROPPING = PLAIN.but(
    dropout=("some",),
    bias=(True,),
    states=(False, True),
    layout=("batched", "unbatched"),
    batch_first=(False, True),
    weight_scale=(1.0, 3.0),
    batch_size=(1, 3),
)
# Stacks whose results reveal the mask, see dropout_masks.py.
TWO_LAYERS = DROPPING.but(num_layers=(2,), hidden_size=(1, 4), seq_len=(1, 4))
THREE_LAYERS = DROPPING.but(
    num_layers=(3,), bidirectional=(False, True), hidden_size=(1, 2), seq_len=(1, 1)
)
TWO_DIRECTIONS = TWO_LAYERS.but(bidirectional=(True,), hidden_size=(1, 3))
PROJECTED = TWO_LAYERS.but(projection=(True,), bidirectional=(False, True))
KINDS = pytest.mark.parametrize(
    "domain",
    [TWO_LAYERS, THREE_LAYERS, TWO_DIRECTIONS, PROJECTED],
    ids=["two-layers", "three-layers", "two-directions", "projected"],
)


@pytest.mark.lstm_clause("DROP-5")
@KINDS
def test_results_for_some_choice(lstm_check: Checker, domain: Any) -> None:
    lstm_check.forall(domain, close_for_some_mask(lambda name: name in OUTPUTS), at_most=30)


@pytest.mark.lstm_clause("DROP-5")
def test_probabilities_near_0_and_1(lstm_check: Checker) -> None:
    rule = close_for_some_mask(lambda name: name in OUTPUTS)
    several = TWO_LAYERS.but(hidden_size=(3, 4), seq_len=(2, 4), batch_size=(2, 3))
    for probability in (0.02, 0.96):
        domain = several.but(dropout_probability=probability)
        lstm_check.forall(domain, rule, at_most=10)


@pytest.mark.lstm_clause("DROP-6")
@KINDS
def test_gradients_for_the_same_choice(lstm_check: Checker, domain: Any) -> None:
    rule = close_for_some_mask(lambda name: name.endswith(".grad"))
    lstm_check.forall(domain.but(cotangents=(OUTPUTS, ("output",))), rule, at_most=30)


# ----------------------- random dropout: large cases, whose weights reveal the mask

# Thousands of elements show clearly whether the mask is random.
MANY = PLAIN.but(
    dropout=("some",),
    num_layers=(2,),
    bias=(True,),
    batch_first=(False, True),
    bidirectional=(False, True),
    hidden_size=(12, 16),
    seq_len=(16, 20),
    batch_size=(12, 16),
    weight_scale=(1.0,),
    input_scale=(1.0,),
)


# A module that exists already has its own layers and sizes.
OF_ANY_STACK = MANY.but(
    num_layers=(2, 3),
    projection=(False, True),
    hidden_size=(2, 16),
    proj_size=(1, 15),
    seq_len=(40, 44),
    batch_size=(24, 28),
)


def with_visible_mask(case: Case) -> Case:
    """``case`` with parameters for which the output shows what the last layer read.

    The output of the first layer is tanh(1) for every input. Unit j of the last layer reads
    feature j. Its hidden state is 0 if dropout dropped the feature, and more than 0.5 if not. In
    between, a layer has a larger output for a feature that was kept, and a smaller one, which is
    not 0, for a feature that was dropped. So the output of three layers shows both masks.
    """
    config, shapes = case.config, case.shapes()
    values = {name: np.zeros(shapes[name]) for name in config.parameter_shapes()}
    for layer in range(config.num_layers):
        for d in range(config.num_directions):
            weight_ih, _, bias_ih, _, *weight_hr = config.parameter_names(layer, d)
            i, f, g, o = np.split(values[bias_ih], 4)  # views
            i[:], f[:], o[:] = 40, -40, 40  # input and output gates 1, forget gate 0
            for name in weight_hr:
                np.fill_diagonal(values[name], 1)
            if layer == 0:
                g[:] = 40
                continue
            read_features(values[weight_ih], config.num_directions, d)
            if layer < config.num_layers - 1:
                g[:] = 0.5
    return case.with_values(values)


def read_features(weight_ih: np.ndarray, directions: int, d: int) -> None:
    """Lets the candidate of unit j read feature j of the layer below in direction ``d``."""
    read = np.split(np.split(weight_ih, 4)[2], directions, axis=1)  # views
    np.fill_diagonal(read[d], 1)


def kept_elements(bench: Bench, module: Any) -> np.ndarray:
    """Where dropout keeps an element in one call, bool (T, N, D*H)."""
    output = bench.observe("output", bench.call(module, bench.arguments())["output"])
    return is_kept(bench.case, output.values)


def is_kept(case: Case, output: np.ndarray) -> np.ndarray:
    """Where ``output`` shows that dropout kept an element, bool (T, N, D*H)."""
    return of_all_rows(case, np.abs(output)) > 0.25


def of_all_rows(case: Case, output: np.ndarray) -> np.ndarray:
    """The steps of ``output`` that all rows have, with the rows as the second axis."""
    if case.layout == "unbatched":
        output = output[:, None]
    elif case.config.batch_first:
        output = output.swapaxes(0, 1)
    return output[: min(case.lengths, default=case.seq_len)]


def also_packed(trial: Trial) -> dict[str, Case]:
    """The case, and the same in packed rows, which may go through other code, by a note."""
    cases, steps, rows = {"": trial.case}, trial.case.seq_len, trial.case.batch_size
    if "packed" in trial.implementation.capabilities:
        lengths = (steps,) * rows
        cases["packed: "] = replace(trial.case, layout="packed_sorted", lengths=lengths)
        if rows > 1:
            lengths = (steps - 1,) + (steps,) * (rows - 1)
            cases["packed, unsorted: "] = replace(
                trial.case, layout="packed_unsorted", lengths=lengths
            )
    return cases


def two_calls(trial: Trial) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Where dropout keeps an element, in two calls of the same module, for each kind of input.

    With gradients and without, since modules may compute in another way there. What is no module
    is run twice with other seeds.
    """
    for note, case in also_packed(trial).items():
        if "module" not in trial.implementation.capabilities:
            calls = [with_visible_mask(replace(case, seed=case.seed + k)) for k in range(2)]
            outputs = [trial.run(call).tensors["output"].values for call in calls]
            yield note, is_kept(case, outputs[0]), is_kept(case, outputs[1])
            continue
        with trial.bench(with_visible_mask(case)) as bench:
            module = bench.module()
            yield note, kept_elements(bench, module), kept_elements(bench, module)
            # As in sampling from an ensemble of masks.
            for mode in (bench.torch.no_grad, bench.torch.inference_mode):
                with mode():
                    without = kept_elements(bench, module), kept_elements(bench, module)
                yield f"{note}under {mode.__name__}, ", *without
            module.requires_grad_(False)
            yield f"{note}frozen: ", kept_elements(bench, module), kept_elements(bench, module)


# Kernels draw and apply masks in tiles.
WIDE = MANY.but(hidden_size=(136, 140), seq_len=(2, 3), batch_size=(2, 3))
LONG = MANY.but(hidden_size=(3, 4), seq_len=(136, 140), batch_size=(2, 3))
TALL = MANY.but(hidden_size=(3, 4), seq_len=(2, 3), batch_size=(136, 140))

# Small cases are enough to show how elements are scaled.
FEW = MANY.but(hidden_size=(2, 4), seq_len=(2, 6), batch_size=(2, 4))


@pytest.mark.lstm_clause("DROP-5")
def test_scale_of_packed_input(lstm_check: Checker) -> None:
    layouts = FirstSupported(("packed_unsorted", "packed_sorted", "batched"))
    lstm_check.forall(FEW.but(layout=layouts), kept_or_dropped, at_most=8, shrink=False)


@pytest.mark.lstm_clause("DROP-5")
def test_scale_in_half_formats(lstm_check: Checker) -> None:
    for dtype in ("bfloat16", "float16"):
        domain = FEW.but(dtype=(dtype,), layout=("batched", "packed_unsorted"))
        lstm_check.forall(domain, kept_or_dropped, at_most=4, shrink=False)


def kept_or_dropped(trial: Trial) -> list[Finding]:
    """Whether every element of output shows a feature that was dropped, or one that was scaled."""
    case = with_visible_mask(trial.case)
    output = trial.run(case).tensors["output"].values
    kept = np.tanh(np.tanh(np.tanh(1.0) / (1.0 - case.config.dropout)))
    # In half formats, less than what the scale changes.
    allowed = min(64 * (case.precision.unit_roundoff + case.precision.factor_roundoff), 0.03)
    is_right = (np.abs(output) <= allowed) | (np.abs(output - kept) <= allowed)
    message = f"an element is neither 0 nor {kept:g}, that of a feature divided by 1 - p"
    return [holds("output", bool(is_right.all()), message)]


# Few cases of each: a plain stack, and as much as there is. The initial states are small, so that
# nothing else shows where an element was dropped.
LARGE = [
    domain.but(state_scale=(0.1,), **changes)
    for domain in (WIDE, LONG, TALL)
    for changes in (
        {"layout": ("batched",), "bidirectional": (False,)},
        {
            "layout": FirstSupported(("packed_unsorted", "packed_sorted", "batched")),
            "bidirectional": FirstSupported((True, False)),
            "projection": FirstSupported((True, False)),
            "states": FirstSupported((True, False)),
            "proj_size": (1, 136),
        },
    )
]


def with_readable_mask(case: Case) -> Case:
    """``case`` with parameters for which the output shows what the last layer read.

    As :func:`with_visible_mask`, but no gate is saturated, and all weights differ from zero, so
    that all gradients depend on the mask.
    """
    config, arguments = case.config, case.arguments()
    values = {}
    for name in config.parameter_shapes():
        sums = np.abs(arguments[name]).sum(axis=-1).max()
        values[name] = 0.03 / sums * arguments[name]
    for layer in range(2):
        for d in range(config.num_directions):
            weight_ih, _, bias_ih, _, *weight_hr = config.parameter_names(layer, d)
            i, f, g, o = np.split(values[bias_ih], 4)  # views
            i[:], f[:], o[:] = i + 3, f - 3, o + 3
            if layer == 0:
                g[:] = g + 1
            else:
                read_features(values[weight_ih], config.num_directions, d)
            for name in weight_hr:
                np.fill_diagonal(values[name], 1)
    return case.with_values(values)


def close_for_the_mask_that_shows(trial: Trial) -> list[Finding]:
    """Whether all results are those of the oracle for the mask that the output shows."""
    case = with_readable_mask(trial.case)
    tensors = trial.run(case).tensors
    output = tensors["output"].values
    if output.shape != case.shapes()["output"]:
        return [trial.close("output", output)]
    shown = (np.abs(output) > 0.25).astype(float)
    if case.config.batch_first:
        shown = shown.swapaxes(0, 1)
    expectation = expect(case, kept=[shown])
    note = "for the mask that output shows"
    return [trial.close(name, tensors[name], expectation, note) for name in case.result_names()]


@pytest.mark.lstm_clause("DROP-5")
def test_results_of_large_layers(lstm_check: Checker) -> None:
    for domain in LARGE:
        lstm_check.forall(domain, close_for_the_mask_that_shows, at_most=2, shrink=False)


@pytest.mark.lstm_clause("DROP-6")
def test_gradients_of_large_layers(lstm_check: Checker) -> None:
    for domain in LARGE:
        with_gradients = domain.but(cotangents=(OUTPUTS, ("output",)))
        lstm_check.forall(with_gradients, close_for_the_mask_that_shows, at_most=2, shrink=False)


@pytest.mark.lstm_clause("DROP-6")
def test_second_backward_pass(lstm_check: Checker) -> None:
    domain = FEW.but(layout=("batched", "packed_unsorted"), cotangents=(OUTPUTS,))
    lstm_check.forall(domain, on_bench(same_choice_again), at_most=6, shrink=False)


def same_choice_again(trial: Trial, bench: Bench) -> Iterator[Finding]:
    """Whether a second backward pass has the choice of the first, which has that of the call.

    The mode of the module is no longer what it was.
    """
    module, arguments = bench.module(), bench.arguments()
    outputs, passes = bench.call(module, arguments), []
    for training in (True, False):
        module.train(training)
        bench.forget_gradients(module, arguments)
        bench.backward(outputs, retain_graph=True)
        passes.append(bench.gradients(module, arguments))
    for name, first in passes[0].items():
        second = passes[1][name].values
        is_same = np.abs(second - first.values) <= 1e-3 * np.abs(first.values).max()
        yield holds(
            name,
            bool(is_same.all()),
            "a second backward pass has other gradients: it drops something else, or lacks "
            "what the first one used",
        )


@pytest.mark.lstm_clause("DROP-6")
def test_gradients_at_zeros(lstm_check: Checker) -> None:
    """One unit, one step, and zeros everywhere: of each row, the gradient shows the choice."""
    domain = PLAIN.but(
        dropout=("some",),
        dropout_probability=0.5,
        num_layers=(2,),
        bias=(True,),
        batch_first=(False, True),
        input_size=(1, 1),
        hidden_size=(1, 1),
        seq_len=(1, 1),
        batch_size=(64, 70),
        cotangents=(("output",),),
    )
    lstm_check.forall(domain, close_for_the_mask_of_zeros, at_most=2, shrink=False)


def close_for_the_mask_of_zeros(trial: Trial) -> list[Finding]:
    """Whether gradients are those for the mask that the gradient of each row shows.

    Input, states and biases are zero, so that all hidden states are. What was dropped shows in
    gradients alone, and half of it has to be kept.
    """
    config = trial.case.config
    if config.output_size * config.num_directions != 1 or config.num_layers != 2:
        raise Unsupported("the gradients of such a stack do not show the dropout mask")
    zeros = ("input", "h_0", "c_0", "bias")
    arguments = trial.case.arguments().items()
    values = {name: np.zeros_like(x) for name, x in arguments if name.startswith(zeros)}
    case = trial.case.with_values(values)
    tensors = trial.run(case).tensors
    observed = tensors["input.grad"].values
    if observed.shape != case.shapes()["input"]:
        return [trial.close("input.grad", observed)]
    all_kept = expect(case, kept=[np.ones((1, case.batch_size, 1))]).values["input.grad"]
    kept = np.abs(observed - all_kept) < np.abs(observed)
    expectation = expect(case, kept=[kept.reshape(1, case.batch_size, 1).astype(float)])
    chance = scipy_stats().binomtest(int(kept.sum()), kept.size, 1 - config.dropout).pvalue
    message = (
        f"of {kept.size} zeros that a layer hands on, {kept.sum()} have the gradient of what is "
        f"kept, with dropout={config.dropout}"
    )
    note = "for the mask that the gradients of rows show"
    gradients = [name for name in case.result_names() if name.endswith(".grad")]
    return [
        *trial.close_all(tensors, gradients, note, expectation),
        holds("input.grad", chance >= FALSE_ALARMS, message),
    ]


@pytest.mark.lstm_clause("DROP-7")
def test_rate(lstm_check: Checker) -> None:
    lstm_check.forall(MANY, rate, at_most=10, shrink=False)
    most = {"hidden_size": (16, 16), "seq_len": (20, 20), "batch_size": (16, 16)}
    seldom = MANY.but(dropout_probability=0.003, **most)
    lstm_check.forall(seldom, rate, at_most=2, shrink=False)
    # A random number in bfloat16 is 0 four times as often.
    in_bfloat16 = MANY.but(dropout_probability=0.001, dtype=("bfloat16",), **most)
    lstm_check.forall(in_bfloat16, rate, at_most=2, shrink=False)
    lstm_check.forall(OF_ANY_STACK, rate, at_most=2, shrink=False)


def rate(trial: Trial) -> list[Finding]:
    findings, p = [], trial.case.config.dropout
    for note, *calls in two_calls(trial):
        kept = np.concatenate([call.ravel() for call in calls])
        dropped = int((~kept).sum())
        chance = scipy_stats().binomtest(dropped, kept.size, p).pvalue
        message = f"{note}dropout dropped {dropped} of {kept.size} elements, with probability {p}"
        findings.append(holds("output", chance >= FALSE_ALARMS, message))
    return findings


@pytest.mark.lstm_clause("DROP-7")
def test_rate_at_each_place(lstm_check: Checker) -> None:
    even = MANY.but(dropout_probability=0.5, layout=("batched",), batch_first=(False,))
    wide = even.but(hidden_size=(136, 140), seq_len=(4, 5))
    lstm_check.forall(wide, rate_at_each("feature", -1), at_most=2, shrink=False)
    long = even.but(hidden_size=(6, 8), seq_len=(136, 140), batch_size=(6, 8))
    lstm_check.forall(long, rate_at_each("step", 0), at_most=2, shrink=False)
    tall = even.but(hidden_size=(6, 8), seq_len=(6, 8), batch_size=(136, 140))
    lstm_check.forall(tall, rate_at_each("row", 1), at_most=2, shrink=False)


def rate_at_each(what: str, axis: int) -> Rule:
    """The rule that no place along ``axis`` has another rate. The probability has to be 0.5."""

    def rule(trial: Trial) -> list[Finding]:
        findings, p = [], trial.case.config.dropout
        for note, *calls in two_calls(trial):
            places = calls[0].shape[axis]
            kept = [np.moveaxis(call, axis, 0).reshape(places, -1) for call in calls]
            dropped = (~np.concatenate(kept, axis=1)).sum(axis=1)
            draws = sum(of_call.shape[1] for of_call in kept)
            place = int(np.abs(dropped - p * draws).argmax())
            chance = scipy_stats().binomtest(int(dropped[place]), draws, p).pvalue
            message = (
                f"{note}dropout dropped {dropped[place]} of {draws} elements of {what} {place}, "
                f"with probability {p}"
            )
            findings.append(holds("output", chance * places >= FALSE_ALARMS, message))
        return findings

    return rule


@pytest.mark.lstm_clause("DROP-8")
def test_independence(lstm_check: Checker) -> None:
    lstm_check.forall(MANY, independence, at_most=10, shrink=False)
    # One row has to have many steps and units, so that no two are alike by chance.
    many = (130, 136)
    row = MANY.but(layout=("unbatched",), hidden_size=many, seq_len=many)
    lstm_check.forall(row, independence, at_most=2, shrink=False)
    projected = MANY.but(projection=(True,), proj_size=(10, 14))
    lstm_check.forall(projected, independence, at_most=4, shrink=False)
    lstm_check.forall(OF_ANY_STACK, independence, at_most=2, shrink=False)


def independence(trial: Trial) -> list[Finding]:
    findings, p = [], trial.case.config.dropout
    for note, first, second in two_calls(trial):
        parts = {
            "two calls": [first, second],
            "two steps": list(first),
            "two rows": list(first.swapaxes(0, 1)),
            "two units": list(np.moveaxis(first, -1, 0)),
            "both directions": np.split(first, trial.case.config.num_directions, axis=-1),
        }
        findings += [
            holds("output", differ(masks), f"{note}{what} dropped the same elements")
            for what, masks in parts.items()
            if not may_be_alike(p, masks[0].size, len(masks))
        ]
    if not findings:
        raise Unsupported(f"with dropout={p}, masks of so few elements may be alike by chance")
    return findings


def may_be_alike(p: float, elements: int, masks: int) -> bool:
    """Whether two of several masks may be equal or opposite by chance.

    Args:
        p: the probability of dropout.
        elements: of each mask.
        masks: their number.
    """
    return bool(masks**2 * (p * p + (1 - p) ** 2) ** elements > FALSE_ALARMS)


def require_unlike(what: str, case: Case, elements: int, masks: int) -> None:
    """Makes sure that masks, whose number is given, are not alike by chance.

    Raises:
        Unsupported: two of them may be.
    """
    if may_be_alike(case.config.dropout, elements, masks):
        raise Unsupported(f"two {what} may drop the same elements by chance")


@pytest.mark.lstm_clause("DROP-8")
def test_masks_of_wide_layers(lstm_check: Checker) -> None:
    # More than twice as many as a mask of 128 has, or four times as many as a piece of 64.
    many = (272, 276)
    # At 0.5 no two places are alike by chance.
    even = MANY.but(dropout_probability=0.5, hidden_size=(8, 10), seq_len=(8, 10))
    even = even.but(batch_size=(8, 10))
    lstm_check.forall(
        even.but(hidden_size=many), all_differ(-1, "features"), at_most=4, shrink=False
    )
    even = even.but(layout=("batched",), batch_first=(False,))
    lstm_check.forall(even.but(seq_len=many), all_differ(0, "steps"), at_most=2, shrink=False)
    lstm_check.forall(even.but(batch_size=many), all_differ(1, "rows"), at_most=2, shrink=False)


@pytest.mark.lstm_clause("DROP-8")
def test_masks_of_many_rows(lstm_check: Checker) -> None:
    # A kernel may draw 2^18 random numbers, and use them again for the elements behind.
    many = (136, 140)
    domain = MANY.but(hidden_size=(16, 16), seq_len=many, batch_size=many, bidirectional=(False,))
    lstm_check.forall(domain, no_repetition, at_most=2, shrink=False)


# So many elements are hardly alike by chance.
_BEGINNING = 2000


def no_repetition(trial: Trial) -> list[Finding]:
    """Whether the beginning of a mask comes again anywhere."""
    findings, p = [], trial.case.config.dropout
    for note, found, _ in two_calls(trial):
        if may_be_alike(p, _BEGINNING, found.size):
            raise Unsupported(f"with dropout={p}, what is dropped may repeat itself by chance")
        mask = found.tobytes()
        again = mask.find(mask[:_BEGINNING], 1)
        message = f"{note}what is dropped repeats itself after {again} elements"
        findings.append(holds("output", again < 0, message))
    return findings


def all_differ(axis: int, what: str) -> Rule:
    """The rule that no two places along ``axis`` drop the same elements, or opposite ones."""

    def rule(trial: Trial) -> list[Finding]:
        findings = []
        for note, found, _ in two_calls(trial):
            places = np.moveaxis(found, axis, 0).reshape(found.shape[axis], -1)
            require_unlike(what, trial.case, places.shape[1], len(places))
            first: dict[bytes, int] = {}
            alike = ""
            for place, mask in enumerate(places ^ places[:, :1]):
                before = first.setdefault(mask.tobytes(), place)
                if before != place and not alike:
                    alike = f"{what} {before} and {place}"
            message = f"{note}in {alike} dropout dropped the same elements, or opposite ones"
            findings.append(holds("output", not alike, message))
        return findings

    return rule


@pytest.mark.lstm_clause("DROP-8")
def test_random_numbers_are_used_once(lstm_check: Checker) -> None:
    small = {"hidden_size": (8, 10), "seq_len": (8, 10), "batch_size": (8, 10)}
    domain = MANY.but(dropout_probability=0.5, num_layers=(3,), **small)
    for directions in (False, True):
        case = domain.but(bidirectional=FirstSupported((directions, False)))
        lstm_check.forall(case, used_once, at_most=2, shrink=False)
    any_sizes = OF_ANY_STACK.but(num_layers=(3,), projection=(False,))
    lstm_check.forall(any_sizes, used_once, at_most=1, shrink=False)


def used_once(trial: Trial) -> list[Finding]:
    """Whether no mask comes again, at any distance, in another layer, direction or call.

    Random numbers are used again if a generator is advanced by too little, or if the seed of a
    layer and of a step are added.
    """
    findings = []
    for note, case in also_packed(trial).items():
        with trial.bench(with_visible_mask(case)) as bench:
            module = bench.module()
            calls = [masks_of_both(bench, module) for _ in range(2)]
            with bench.torch.no_grad():
                calls.append(masks_of_both(bench, module))
        masks = {
            f"layer {layer} of call {call}{of_direction}": part
            for call, of_call in enumerate(calls)
            for layer, mask in enumerate(of_call)
            for of_direction, part in parts_of(mask, case.config.num_directions)
        }
        again = used_again(masks, case.config.dropout)
        message = f"{note}dropout used random numbers twice: {again}"
        findings.append(holds("output", not again, message))
        # Masks that two layers share agree little if they seldom drop. But what the upper layer
        # keeps is never dropped below, then.
        for name, mask in masks.items():
            known, dropped = int((mask != 0).sum()), int((mask < 0).sum())
            if not known:  # the layer above drops everything
                continue
            chance = scipy_stats().binomtest(dropped, known, case.config.dropout).pvalue
            message = f"{note}in {name}, dropout dropped {dropped} of {known} elements"
            findings.append(holds("output", chance >= FALSE_ALARMS, message))
    return findings


def masks_of_both(bench: Bench, module: Any) -> tuple[np.ndarray, np.ndarray]:
    """What dropout keeps below the second and the third layer in one call, (T, N, D*H).

    p for kept and p - 1 for dropped, whose mean is zero, and 0 where the output does not show it.
    """
    p = bench.case.config.dropout
    output = bench.observe("output", bench.call(module, bench.arguments())["output"]).values
    output = of_all_rows(bench.case, np.abs(output))
    # What comes out for a feature that was dropped below the second layer, and that was kept there.
    second = (np.tanh(np.tanh(0.5 + x)) for x in (0.0, np.tanh(1.0) / (1 - p)))
    dropped, kept = (np.tanh(np.tanh(x / (1 - p))) for x in second)
    if kept - dropped < 0.01:
        raise Unsupported(f"with dropout={p}, results do not show what the second layer reads")
    of_third = np.where(output > 0.3, p, p - 1)
    of_second = np.where(output > (dropped + kept) / 2, p, p - 1) * (of_third > 0)
    return of_second, of_third


def parts_of(mask: np.ndarray, directions: int) -> Iterator[tuple[str, np.ndarray]]:
    """The mask of all directions, and that of each one if there are two."""
    yield "", mask
    if directions == 2:
        for d, part in enumerate(np.split(mask, 2, axis=-1)):
            yield f" in direction {d}", part


# So many elements have to be compared.
_ENOUGH = 128


def used_again(masks: dict[str, np.ndarray], p: float) -> str:
    """Two masks, or a mask and itself, that agree at some distance; empty if there are none.

    Args:
        masks: by name, of (T, N, W) elements: p, p - 1, or 0 for unknown.
        p: the probability of dropout.
    """
    for axes in ((0, 1, 2), (1, 0, 2)):  # the order in which they may have been drawn
        rows = {name: mask.transpose(axes).ravel() for name, mask in masks.items()}
        length = 2 ** (2 * max(map(len, rows.values()))).bit_length()
        known = {name: np.fft.rfft(row != 0, length) for name, row in rows.items()}
        signs = {name: np.fft.rfft(row, length) for name, row in rows.items()}
        pairs = list(combinations_with_replacement(rows, 2))
        # Hoeffding's inequality, for each distance of each pair: a product of two elements is in
        # an interval of this width.
        width = max(p, 1 - p)
        limit = width * np.sqrt(np.log(4 * len(pairs) * length / FALSE_ALARMS) / 2)
        for one, other in pairs:
            number = np.fft.irfft(known[one] * known[other].conj(), length)
            agreement = np.fft.irfft(signs[one] * signs[other].conj(), length)
            counts = number > _ENOUGH
            if one == other:
                counts[0] = False
            elif one.startswith(other) or other.startswith(one):
                continue  # one of them is a part of the other
            score = np.abs(agreement) / np.sqrt(np.where(counts, number, np.inf))
            if score.max() > limit:
                distance = int(score.argmax())
                distance = min(distance, length - distance)
                what = f"in {one}" if one == other else f"in {one} and in {other}"
                return f"{what}, at a distance of {distance} elements"
    return ""


@pytest.mark.lstm_clause("DROP-8")
def test_independence_of_layers(lstm_check: Checker) -> None:
    domain = THREE_LAYERS.but(
        bidirectional=(False,),
        hidden_size=(4, 4),
        batch_size=(4, 4),
        layout=("batched",),
        weight_scale=(1.0,),
    )
    lstm_check.forall(domain, layers_differ, at_most=3, shrink=False)
    four = domain.but(num_layers=(4,), hidden_size=(2, 2))
    lstm_check.forall(four, layers_differ, at_most=2, shrink=False)


def layers_differ(trial: Trial) -> list[Finding]:
    masks = []
    for k in range(16):  # 128 elements of each layer, or more
        case = replace(trial.case, seed=trial.case.seed + k)
        tensors = trial.run(case).tensors
        kept, _ = best_masks(case, {name: tensors[name].values for name in OUTPUTS})
        masks.append(np.stack(kept) > 0)
    of_layers = list(np.moveaxis(np.stack(masks), 1, 0))
    require_unlike("layers", trial.case, of_layers[0].size, len(of_layers))
    return [holds("output", differ(of_layers), "two layers dropped the same elements")]


def differ(masks: list[np.ndarray]) -> bool:
    """Whether no two masks are equal or opposite."""
    return not any(np.array_equal(a, b) or np.array_equal(a, ~b) for a, b in combinations(masks, 2))


@pytest.mark.lstm_clause("DROP-9")
def test_same_seed(lstm_check: Checker) -> None:
    lstm_check.forall(MANY, same_seed, at_most=10, shrink=False)
    lstm_check.forall(OF_ANY_STACK, same_seed, at_most=1, shrink=False)


def same_seed(trial: Trial) -> list[Finding]:
    with trial.bench(with_visible_mask(trial.case)) as bench:
        module = bench.module()
        calls = []
        for seed in (1, 1, 2):
            bench.torch.manual_seed(seed)
            calls.append(kept_elements(bench, module))
    require_unlike("seeds", trial.case, calls[0].size, 2)
    return [
        holds("output", np.array_equal(calls[0], calls[1]), "the same seed dropped other elements"),
        holds("output", differ(calls[1:]), "another seed dropped the same elements"),
    ]


@pytest.mark.lstm_clause("DROP-10")
def test_modes(lstm_check: Checker) -> None:
    lstm_check.forall(MANY, on_bench(modes), at_most=10, shrink=False)
    lstm_check.forall(OF_ANY_STACK, on_bench(modes), at_most=1, shrink=False)


def modes(trial: Trial, bench: Bench) -> Iterator[Finding]:
    module, case = bench.module(), trial.case
    require_unlike("calls", case, case.seq_len * case.batch_size, 2)
    whole = expect(replace(case, training=False))
    outputs = []
    for training in (True, False, True, False):
        output = bench.call(module.train(training), bench.arguments())["output"]
        outputs.append(bench.observe("output", output))
        if not training:
            yield trial.close("output", outputs[-1], whole, note="in evaluation after training")
    for call in (0, 2):
        changed = not np.array_equal(outputs[call].values, outputs[1].values)
        yield holds("output", changed, "dropout dropped nothing in training")
    masks_differ = not np.array_equal(outputs[0].values, outputs[2].values)
    yield holds(
        "output",
        masks_differ,
        "dropout dropped the same elements in training before and after evaluation",
    )
