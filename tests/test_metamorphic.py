"""Chapter META: relations between the results of different cases.

Each rule runs the implementation on other cases than the drawn one, and combines their results.
By the relation, they must equal the results of the drawn case. The rule compares both the combined
and the direct results with the oracle. So it finds a mistake that only one of the two ways has, in
the implementation or in the oracle.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from lstm_conformance.runner.judging.comparison import Finding
from lstm_conformance.runner.judging.rules import close
from lstm_conformance.runner.judging.trial import Trial
from lstm_conformance.runner.searching.checker import Checker
from lstm_conformance.spec.case import Case, CaseWithValues
from lstm_conformance.spec.strategies import STACK, Domain

Array = np.ndarray
Arrays = dict[str, Array]

# All cases have steps as the first axis and rows as the second.
STACKS = Domain(
    batch_first=(False,), dropout=("none",), layout=("batched",), weight_scale=(1.0, 0.5, 3.0)
)


def values_of(case: Case) -> Arrays:
    """Arguments and cotangents of ``case``, by the names that ``with_values`` takes."""
    cotangents = {f"cotangent of {name}": v for name, v in case.cotangent_values().items()}
    return {**case.arguments(), **cotangents}


def results_of(trial: Trial, case: Case) -> Arrays:
    """All results of the implementation for ``case``."""
    return {name: tensor.values for name, tensor in trial.run(case).tensors.items()}


def judged(trial: Trial, results: Arrays, note: str) -> list[Finding]:
    """Judges the combined ``results`` and the direct results of the case."""
    combined = [trial.close(name, results[name], note=note) for name in trial.case.result_names()]
    return combined + close()(trial)


def summed(parts: list[Arrays], names: list[str]) -> Arrays:
    """The sum of the gradients ``names`` over ``parts``."""
    return {name: np.sum([part[name] for part in parts], axis=0) for name in names}


def parameter_gradients(case: Case) -> list[str]:
    """The names of the gradients of the parameters."""
    return [f"{name}.grad" for name in case.config.parameter_shapes()]


@pytest.mark.lstm_clause("META-1")
def test_two_chunks(lstm_check: Checker) -> None:
    domain = STACKS.but(bidirectional=(False,), states=(True,), seq_len=(2, 8))
    lstm_check.forall(domain, two_chunks)


def two_chunks(trial: Trial) -> list[Finding]:
    case, values = trial.case, values_of(trial.case)
    steps = 1 + case.seed % (case.seq_len - 1)
    weights = {name: values[name] for name in case.config.parameter_shapes()}

    def part(which: slice, **more: Array) -> Case:
        cut = {"input": values["input"][which]}
        cut["cotangent of output"] = values["cotangent of output"][which]
        return case.with_values({**weights, **cut, **more}, seq_len=len(cut["input"]))

    start = {"h_0": values["h_0"], "c_0": values["c_0"]}
    first = part(slice(steps), **start)
    carried = results_of(trial, replace(first, cotangents=()))
    end = {f"cotangent of {name}": values[f"cotangent of {name}"] for name in ("h_n", "c_n")}
    after = results_of(
        trial, part(slice(steps, None), h_0=carried["h_n"], c_0=carried["c_n"], **end)
    )
    back = {"cotangent of h_n": after["h_0.grad"], "cotangent of c_n": after["c_0.grad"]}
    before = results_of(trial, part(slice(steps), **start, **back))
    results = {
        "output": np.concatenate([before["output"], after["output"]]),
        "h_n": after["h_n"],
        "c_n": after["c_n"],
        "input.grad": np.concatenate([before["input.grad"], after["input.grad"]]),
        "h_0.grad": before["h_0.grad"],
        "c_0.grad": before["c_0.grad"],
        **summed([before, after], parameter_gradients(case)),
    }
    return judged(trial, results, f"in chunks of {steps} and {case.seq_len - steps} steps")


@pytest.mark.lstm_clause("META-2")
def test_rows_permuted(lstm_check: Checker) -> None:
    lstm_check.forall(STACKS.but(batch_size=(2, 4)), rows_permuted)


def rows_permuted(trial: Trial) -> list[Finding]:
    case = trial.case
    order = np.random.default_rng(case.seed).permutation(case.batch_size)
    order = np.roll(np.arange(case.batch_size), 1) if (order == sorted(order)).all() else order
    weights = case.config.parameter_shapes()
    moved = {n: v if n in weights else v[:, order] for n, v in values_of(case).items()}
    results = results_of(trial, case.with_values(moved))
    back = np.argsort(order)
    shared = parameter_gradients(case)
    results = {n: v if n in shared else v[:, back] for n, v in results.items()}
    return judged(trial, results, f"with rows in the order {order.tolist()}")


@pytest.mark.lstm_clause("META-3")
def test_time_reversed(lstm_check: Checker) -> None:
    lstm_check.forall(STACKS.but(bidirectional=(True,), seq_len=(2, 8)), time_reversed)


def time_reversed(trial: Trial) -> list[Finding]:
    """Reverses the steps of the input, and exchanges the directions of everything else."""
    case = trial.case

    def exchanged(name: str, value: Array) -> tuple[str, Array]:
        """Name and value of a tensor after the exchange. It is its own inverse."""
        bare, is_gradient = name.removesuffix(".grad"), name.endswith(".grad")
        bare = bare.removeprefix("cotangent of ")
        if bare == "input":
            return name, value[::-1]
        if bare == "output":
            return name, np.roll(value[::-1], case.config.output_size, axis=-1)
        if bare in ("h_0", "c_0", "h_n", "c_n"):
            pairs = value.reshape(case.config.num_layers, 2, *value.shape[1:])
            return name, pairs[:, ::-1].reshape(value.shape)
        if bare.startswith("weight_ih") and "_l0" not in bare:
            # Its columns read both directions of the layer below.
            value = np.roll(value, case.config.output_size, axis=-1)
        other_direction = bare.removesuffix("_reverse") if "_reverse" in bare else f"{bare}_reverse"
        return other_direction + ".grad" * is_gradient, value

    moved = dict(exchanged(name, value) for name, value in values_of(case).items())
    results = results_of(trial, case.with_values(moved))
    back = dict(exchanged(name, value) for name, value in results.items())
    return judged(trial, back, "with time reversed and directions exchanged")


@pytest.mark.lstm_clause("META-4")
def test_zero_states(lstm_check: Checker) -> None:
    domain = Domain(states=(False,), weight_scale=STACKS.weight_scale, dropout=("none",))
    lstm_check.forall(domain, zero_states)


def zero_states(trial: Trial) -> list[Finding]:
    case, shapes = trial.case, trial.case.shapes()
    zeros = {name: np.zeros(shapes[name]) for name in ("h_0", "c_0")}
    return judged(
        trial, results_of(trial, case.with_values(zeros, states=True)), "with zeros given"
    )


@pytest.mark.lstm_clause("META-5")
def test_row_by_row(lstm_check: Checker) -> None:
    lstm_check.forall(STACKS.but(batch_size=(2, 4)), row_by_row)


def row_by_row(trial: Trial) -> list[Finding]:
    case, values = trial.case, values_of(trial.case)
    parameters = case.config.parameter_shapes()
    rows = []
    for n in range(case.batch_size):
        row_values = {k: v if k in parameters else v[:, n : n + 1] for k, v in values.items()}
        rows.append(results_of(trial, case.with_values(row_values, batch_size=1)))
    shared = parameter_gradients(case)
    results = {
        name: np.concatenate([row[name] for row in rows], axis=1)
        for name in case.result_names()
        if name not in shared
    }
    return judged(trial, {**results, **summed(rows, shared)}, "with each row alone")


@pytest.mark.lstm_clause("META-6")
def test_layers_chained(lstm_check: Checker) -> None:
    lstm_check.forall(STACKS.but(num_layers=(2, 3), together=STACK), layers_chained)


def layers_chained(trial: Trial) -> list[Finding]:
    """Runs single layers: forward from first to last, then backward from last to first."""
    case, values = trial.case, values_of(trial.case)
    config, D = case.config, case.config.num_directions
    layers: list[CaseWithValues] = []
    x = values["input"]
    for layer in range(config.num_layers):
        rows = slice(layer * D, (layer + 1) * D)
        layer_values = {"input": x}
        for d in range(D):
            names = replace(config, num_layers=1).parameter_names(0, d)
            parameters = (values[name] for name in config.parameter_names(layer, d))
            layer_values.update(zip(names, parameters, strict=True))
        for name in ("h_0", "c_0", "cotangent of h_n", "cotangent of c_n"):
            if name in values:
                layer_values[name] = values[name][rows]
        one_layer = replace(config, num_layers=1, input_size=x.shape[-1])
        layers.append(case.with_values(layer_values, config=one_layer))
        x = results_of(trial, replace(layers[-1], cotangents=()))["output"]

    parts: list[Arrays] = []
    cotangent = values["cotangent of output"]
    for single in reversed(layers):
        whole = {**single.values, "cotangent of output": cotangent}
        parts.insert(0, results_of(trial, replace(single, values=whole)))
        cotangent = parts[0]["input.grad"]
    results = {"output": x, "input.grad": parts[0]["input.grad"]}
    for name in ("h_n", "c_n", "h_0.grad", "c_0.grad"):
        if name in parts[0]:
            results[name] = np.concatenate([part[name] for part in parts])
    for layer, part in enumerate(parts):
        for name in part:
            if "_l0" in name:
                results[name.replace("_l0", f"_l{layer}")] = part[name]
    return judged(trial, results, "with single layers chained")


@pytest.mark.lstm_clause("META-7")
def test_biases_exchanged(lstm_check: Checker) -> None:
    lstm_check.forall(STACKS.but(bias=(True,)), biases_exchanged)


def biases_exchanged(trial: Trial) -> list[Finding]:
    def other(name: str) -> str:
        ih, hh = "bias_ih", "bias_hh"
        return name.replace(ih, hh) if ih in name else name.replace(hh, ih)

    case = trial.case
    moved = {other(name): value for name, value in values_of(case).items()}
    results = {other(n): v for n, v in results_of(trial, case.with_values(moved)).items()}
    return judged(trial, results, "with bias_ih and bias_hh exchanged")


@pytest.mark.lstm_clause("META-8")
def test_units_permuted(lstm_check: Checker) -> None:
    domain = STACKS.but(num_layers=(1,), projection=(False,), hidden_size=(2, 6))
    lstm_check.forall(domain, units_permuted)


def units_permuted(trial: Trial) -> list[Finding]:
    """Permutes the hidden units of both directions."""
    case, H = trial.case, trial.case.config.hidden_size
    order = np.roll(np.arange(H), 1 + case.seed % (H - 1))

    def permutation(by: Array) -> Callable[[str, Array], Array]:
        rows = np.concatenate([gate * H + by for gate in range(4)])
        halves = np.concatenate([d * H + by for d in range(case.config.num_directions)])

        def permuted(name: str, value: Array) -> Array:
            bare = name.removeprefix("cotangent of ").removesuffix(".grad")
            if bare == "input":
                return value
            if bare == "output":
                return value[..., halves]
            if bare in ("h_0", "c_0", "h_n", "c_n"):
                return value[..., by]
            moved: Array = value[rows]
            return moved[:, by] if "weight_hh" in bare else moved

        return permuted

    there, back = permutation(order), permutation(np.argsort(order))
    moved = {name: there(name, value) for name, value in values_of(case).items()}
    results = results_of(trial, case.with_values(moved))
    results = {name: back(name, value) for name, value in results.items()}
    return judged(trial, results, f"with hidden units in the order {order.tolist()}")
