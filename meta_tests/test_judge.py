"""The judge finds errors: every known way to overlook one is tried."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lstm_conformance.reference.oracle import evaluate, expect
from lstm_conformance.runner.judging.comparison import THRESHOLD, compare
from lstm_conformance.runner.judging.rules import (
    close,
    close_gradients,
    device_kept,
    dtype_kept,
    gates_in_order,
    precision_kept,
    selected,
    shape_documented,
)
from lstm_conformance.runner.judging.trial import Trial
from lstm_conformance.spec.case import OUTPUTS, Case
from lstm_conformance.spec.config import LSTMConfig
from lstm_conformance.spec.contract import Observation, ObservedTensor
from lstm_conformance.spec.precision import PRECISIONS
from lstm_conformance.spec.verdicts import FAIL, INCONCLUSIVE, PASS

from .helpers.trials import trial_of

FLOAT32, FLOAT64 = PRECISIONS["float32"], PRECISIONS["float64"]
CASE = Case(
    LSTMConfig(3, 4, num_layers=2, bidirectional=True, proj_size=2),
    seq_len=4,
    batch_size=3,
    states=True,
    cotangents=OUTPUTS,
    dtype="float32",
    seed=5,
)


def trial(case: Case = CASE, **changes: np.ndarray) -> Trial:
    """A trial that observes what the oracle expects, with some tensors replaced."""
    tensors = {**expect(case).values, **{k.replace("__", "."): v for k, v in changes.items()}}
    observed = {k: ObservedTensor(v, case.dtype, "cpu") for k, v in tensors.items()}
    return trial_of(case, Observation(observed, 0.0))


def verdict(observed: object, expected: object, noise: float = 0.0) -> str:
    wanted = np.asarray(expected, float)
    return compare(
        "x", np.asarray(observed, float), wanted, np.full(wanted.shape, noise), FLOAT32
    ).verdict


def test_the_format_is_given_by_its_name_too() -> None:
    given = "x", np.array([1 + 1e-7]), np.ones(1), np.zeros(1)
    assert compare(*given, "float32") == compare(*given, FLOAT32)
    assert compare(*given, "float64").verdict == FAIL
    with pytest.raises(KeyError, match="int8"):
        compare(*given, "int8")


@pytest.mark.parametrize(
    ("observed", "expected", "noise", "outcome"),
    [
        ([1.0], [1.0], 0.0, PASS),
        ([1.0 + 29 * 2.0**-24], [1.0], 0.0, PASS),
        ([1.0 + 31 * 2.0**-24], [1.0], 0.0, FAIL),
        ([1.0 + 29e-3], [1.0], 1e-3, PASS),
        ([1.0 + 31e-3], [1.0], 1e-3, FAIL),
        ([0.0], [0.0], 0.0, PASS),
        ([1e-40], [0.0], 0.0, FAIL),
        ([-0.0], [0.0], 0.0, PASS),
        ([np.nan], [1.0], 1e-3, FAIL),
        ([1.0], [np.nan], 1e-3, FAIL),
        ([np.nan], [np.nan], 0.0, PASS),
        ([np.inf], [np.inf], 0.0, PASS),
        ([-np.inf], [np.inf], 0.0, FAIL),
        ([np.inf], [1e300], 0.0, FAIL),
    ],
)
def test_one_element(observed: object, expected: object, noise: float, outcome: str) -> None:
    assert verdict(observed, expected, noise) == outcome


def test_shapes_are_never_broadcast() -> None:
    assert verdict(1.0, [1.0]) == FAIL
    assert verdict([1.0], [[1.0]]) == FAIL
    assert verdict([[1.0]], [[1.0, 1.0]]) == FAIL


def test_one_wrong_element_is_found_in_a_tensor_of_any_size() -> None:
    for size in (1, 100, 100_000):
        observed = np.ones(size)
        observed[size // 2] += 40 * 2.0**-24
        finding = compare("x", observed, np.ones(size), np.zeros(size), FLOAT32)
        assert finding.verdict == FAIL
        assert finding.index == (size // 2,)
        assert finding.ratio == pytest.approx(40)


@pytest.mark.parametrize("wrong", [0, 1, 2])
def test_each_element_is_held_to_its_own_noise(wrong: int) -> None:
    noise = np.array([1e-6, 1e-4, 0.0])
    error = 40 * np.maximum(noise, 2.0**-24)
    expected = np.ones(3)
    assert compare("x", expected + error / 2, expected, noise, FLOAT32).verdict == PASS
    observed = np.where(np.arange(3) == wrong, expected + error, expected)
    finding = compare("x", observed, expected, noise, FLOAT32)
    assert (finding.verdict, finding.index) == (FAIL, (wrong,))


def test_the_threshold_is_fixed() -> None:
    assert THRESHOLD == 30


def test_noise_near_the_size_of_the_values_is_inconclusive_not_passed() -> None:
    assert verdict([8.0], [1.0], 0.2) == INCONCLUSIVE
    assert verdict([8.0], [1.0], np.nan) == INCONCLUSIVE
    assert verdict([1.1], [1.0], 0.2) == PASS


@pytest.mark.parametrize("name", CASE.result_names())
def test_each_tensor_is_compared(name: str) -> None:
    wrong = expect(CASE).values[name].copy()
    wrong.flat[-1] += 1e-3
    findings = {f.tensor: f.verdict for f in close()(trial(**{name.replace(".", "__"): wrong}))}
    assert set(findings) == set(CASE.result_names())
    assert {tensor for tensor, v in findings.items() if v == FAIL} == {name}


def test_gradients_are_compared_not_parameters() -> None:
    # The values of the parameters must not pass as their gradients.
    name = "weight_hh_l1"
    parameter = CASE.arguments()[name]
    findings = close("weight_hh")(trial(**{f"{name}__grad": parameter}))
    assert {f.tensor for f in findings if f.verdict == FAIL} == {"weight_hh_l1.grad"}
    assert all(f.tensor.endswith(".grad") for f in close_gradients(trial()))


def test_names_select_all_tensors_of_a_parameter() -> None:
    assert selected(CASE, ("bias_hh",)) == [
        "bias_hh_l0.grad",
        "bias_hh_l0_reverse.grad",
        "bias_hh_l1.grad",
        "bias_hh_l1_reverse.grad",
    ]
    assert selected(CASE, ("input.grad", "h_n")) == ["h_n", "input.grad"]
    assert selected(CASE, ("weight_ih",)) != selected(CASE, ("weight_i",)) == []


def test_only_the_part_asked_for_is_judged() -> None:
    wrong = expect(CASE).values["output"].copy()
    wrong[..., 0] += 1
    first = close("output", part=lambda case, name: (..., slice(0, 1)))(trial(output=wrong))
    rest = close("output", part=lambda case, name: (..., slice(1, None)))(trial(output=wrong))
    assert [f.verdict for f in first + rest] == [FAIL, PASS]
    assert first[0].index is not None
    assert first[0].index[-1] == 0


def test_values_of_another_shape_fail() -> None:
    """Not even those that NumPy would broadcast to the right ones."""
    right = expect(CASE).values["h_n"]
    for wrong in (right[None], right[..., None], right.reshape(-1), np.zeros(())):
        judged = trial(h_n=wrong)
        assert [f.verdict for f in close("h_n")(judged)] == [FAIL]
        assert judged.close("h_n", wrong).verdict == FAIL


@pytest.mark.parametrize("name", CASE.result_names())
def test_each_tensor_of_a_trial_is_compared(name: str) -> None:
    judged = trial()
    observed = dict(judged.observation.tensors)
    assert {f.verdict for f in judged.close_all(observed)} == {PASS}
    wrong = observed[name].values.copy()
    wrong.flat[-1] += 1e-3
    observed[name] = replace(observed[name], values=wrong)
    assert {f.tensor for f in judged.close_all(observed) if f.verdict == FAIL} == {name}


def test_shape_documented() -> None:
    right = expect(CASE).values["h_n"]
    assert [f.verdict for f in shape_documented("h_n")(trial())] == [PASS]
    for wrong in (right[None], right[:, :1], right.swapaxes(0, 1)):
        assert [f.verdict for f in shape_documented("h_n")(trial(h_n=wrong))] == [FAIL]


@pytest.mark.parametrize("name", ["c_n", "h_0.grad"])
def test_dtype_and_device_are_those_of_the_case(name: str) -> None:
    good = trial()
    values = good.observation.tensors[name].values
    for rule, wrong in (
        (dtype_kept, ObservedTensor(values, "float64", "cpu")),
        (device_kept, ObservedTensor(values, "float32", "cuda")),
    ):
        assert all(f.verdict == PASS for f in rule(good))
        tensors = {**good.observation.tensors, name: wrong}
        findings = rule(trial_of(CASE, Observation(tensors, 0.0)))
        assert {f.tensor for f in findings if f.verdict == FAIL} == {name}


LARGE = Case(LSTMConfig(4, 5), seq_len=5, batch_size=3, seed=1)


def test_lost_precision_is_distinguished_from_other_mistakes() -> None:
    rule = precision_kept(*OUTPUTS)
    assert {f.verdict for f in rule(trial(LARGE))} == {PASS}
    lost = {k: v.astype(np.float32).astype(float) for k, v in expect(LARGE).values.items()}
    findings = rule(trial(LARGE, **lost))
    assert FAIL in {f.verdict for f in findings}
    assert all("float32" in f.message for f in findings)
    wrong = {k: 1.01 * v for k, v in expect(LARGE).values.items()}
    assert {f.verdict for f in rule(trial(LARGE, **wrong))} == {INCONCLUSIVE}


def test_another_gate_order_is_distinguished_from_other_mistakes() -> None:
    rule = gates_in_order(*OUTPUTS)
    assert {f.verdict for f in rule(trial(LARGE))} == {PASS}
    arguments = LARGE.arguments()
    for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"):
        i, f, g, o = np.split(arguments[name], 4)
        arguments[name] = np.concatenate([i, o, f, g])
    findings = rule(trial(LARGE, **evaluate(LARGE, arguments, {})))
    assert FAIL in {finding.verdict for finding in findings}
    # Where they take g from, weights have f; where f, they have o; where o, they have g.
    assert all("i, g, o, f" in finding.message for finding in findings)
    wrong = {name: value + 0.01 for name, value in expect(LARGE).values.items()}
    assert {finding.verdict for finding in rule(trial(LARGE, **wrong))} == {INCONCLUSIVE}
