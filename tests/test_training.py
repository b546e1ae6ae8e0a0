"""Chapter TRAIN: what programs that train an LSTM do with it."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby
from threading import Barrier
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lstm_conformance.reference.oracle import Expectation, expect, expect_together
from lstm_conformance.runner.judging.comparison import Finding, holds
from lstm_conformance.runner.judging.memory_layouts import MEMORY_LAYOUTS, NEGATED, Layout
from lstm_conformance.runner.judging.rules import on_bench, unless_refused
from lstm_conformance.runner.judging.trial import Trial
from lstm_conformance.runner.searching.checker import Checker
from lstm_conformance.spec.case import LAYOUTS, OUTPUTS, Case, uniform_numbers
from lstm_conformance.spec.contract import ObservedTensor, Unsupported
from lstm_conformance.spec.interrupts import is_interrupt
from lstm_conformance.spec.strategies import Domain

if TYPE_CHECKING:
    import torch

    from lstm_conformance.adapters.torch_bench import Bench

Array = NDArray[np.float64]
Leaves = Mapping[str, "torch.Tensor"]

# Each rule runs a case several times, so there are fewer cases than elsewhere.
AT_MOST = 30

ANY = Domain(dropout=("none",))


def parameters_of(bench: Bench, module: Any) -> dict[str, torch.Tensor]:
    """Each parameter by its name, also if one has several names."""
    return {name: getattr(module, name) for name in bench.case.config.parameter_shapes()}


def forward_and_backward(
    bench: Bench, module: Any, arguments: Leaves, parameters: Leaves | None = None
) -> dict[str, ObservedTensor]:
    """Results and gradients of a call; ``parameters`` are those of the module by default."""
    outputs = bench.call(module, arguments)
    observed = bench.observe_all(outputs)
    bench.backward(outputs)
    own = parameters_of(bench, module) if parameters is None else parameters
    return {**observed, **bench.gradients_of({**arguments, **own})}


def all_close(
    trial: Trial,
    observed: Mapping[str, ObservedTensor],
    expectation: Expectation | None = None,
    note: str = "",
) -> list[Finding]:
    """Judges every tensor that was observed."""
    return trial.close_all(observed, list(observed), note, expectation)


# ---------------------------------------------------------------------- parameters


@pytest.mark.lstm_clause("TRAIN-1")
def test_layout_of_the_parameters(lstm_check: Checker) -> None:
    lstm_check.forall(ANY, layout_of_the_parameters, at_most=AT_MOST, also_large=True)
    refusable = unless_refused("negated views", lambda trial: parameters_laid_out(trial, NEGATED))
    lstm_check.forall(ANY, refusable, at_most=8)


def layout_of_the_parameters(trial: Trial) -> list[Finding]:
    findings = parameters_laid_out(trial, MEMORY_LAYOUTS)
    with trial.bench() as bench:
        module = bench.module()
        put_into_one_buffer(bench, module)
        observed = forward_and_backward(bench, module, bench.arguments())
    return [*findings, *all_close(trial, observed, note="parameters in one buffer")]


def parameters_laid_out(trial: Trial, layouts: Mapping[str, Layout]) -> list[Finding]:
    findings: list[Finding] = []
    names = trial.case.config.parameter_shapes()
    for note, layout in layouts.items():
        case = layout.case(trial.case, names)
        with trial.bench(case) as bench:
            module = bench.module()
            for parameter in module.parameters():
                parameter.data = layout.apply(parameter.detach())
            observed = forward_and_backward(bench, module, bench.arguments())
            with bench.torch.no_grad():  # inference may have kernels of its own
                without = bench.observe_all(bench.call(module, bench.arguments()))
        expectation = trial.expectation if case is trial.case else expect(case)
        findings += all_close(trial, observed, expectation, f"parameters {note}")
        findings += all_close(trial, without, expectation, f"parameters {note}, in no_grad")
    return findings


def put_into_one_buffer(bench: Bench, module: Any) -> None:
    """Makes all parameters views of one tensor, from the last to the first."""
    parameters = list(module.parameters())[::-1]
    buffer = bench.torch.cat([parameter.detach().flatten() for parameter in parameters])
    parts = buffer.split([parameter.numel() for parameter in parameters])
    for parameter, part in zip(parameters, parts, strict=True):
        parameter.data = part.view(parameter.shape)


@pytest.mark.lstm_clause("TRAIN-2")
def test_parameters_tied_within_a_module(lstm_check: Checker) -> None:
    lstm_check.forall(ANY, on_bench(tied_within_a_module), at_most=AT_MOST)


def tied_within_a_module(trial: Trial, bench: Bench) -> Iterator[Finding]:
    groups = tied_names(trial.case)
    arguments = trial.case.arguments()
    tied = trial.case.with_values({n: arguments[group[0]] for group in groups for n in group})
    module = bench.any_module()
    bench.load(module, tied)
    for first, *others in groups:
        for name in others:
            setattr(module, name, getattr(module, first))
    observed = forward_and_backward(bench, module, bench.arguments())
    yield from all_close(trial, observed, sums_of(expect(tied), groups), "with tied parameters")


@pytest.mark.lstm_clause("TRAIN-2")
def test_one_tensor_as_both_states(lstm_check: Checker) -> None:
    domain = ANY.but(states=(True,), projection=(False,))
    lstm_check.forall(domain, on_bench(one_tensor_as_both_states), at_most=AT_MOST)


def one_tensor_as_both_states(trial: Trial, bench: Bench) -> Iterator[Finding]:
    """As in ``lstm(input, (zeros, zeros))``."""
    case = trial.case.with_values({"c_0": trial.case.arguments()["h_0"]})
    module, arguments = bench.module(), bench.arguments(case)
    arguments["c_0"] = arguments["h_0"]
    observed = forward_and_backward(bench, module, arguments)
    expected = sums_of(expect(case), [["h_0", "c_0"]])
    yield from all_close(trial, observed, expected, "with one tensor as both states")
    with bench.torch.no_grad():
        observed = bench.observe_all(bench.call(module, arguments))
    note = "with one tensor as both states, in no_grad"
    yield from all_close(trial, observed, expected, note)


def tied_names(case: Case) -> list[list[str]]:
    """Names of parameters of the same role and shape, in all layers and directions."""
    roles = [
        ((name.split("_l")[0].replace("bias_hh", "bias_ih"), shape), name)
        for name, shape in case.config.parameter_shapes().items()
    ]
    groups = groupby(sorted(roles), key=lambda item: item[0])
    return [[name for _, name in group] for _, group in groups]


def sums_of(expectation: Expectation, groups: list[list[str]]) -> Expectation:
    """``expectation`` with the gradients of each group added up."""
    values, noise = dict(expectation.values), dict(expectation.noise)
    for group in groups:
        names = [f"{name}.grad" for name in group]
        value = np.sum([values[name] for name in names], axis=0)
        # The sum is rounded too, where its terms may be larger than it is.
        largest = np.stack([np.abs(values[name]) for name in names]).max(axis=0)
        spread = np.sum([noise[name] for name in names], axis=0)
        for name in names:
            values[name] = value
            noise[name] = spread + largest * 2.0**-53
    return Expectation(values, noise)


@pytest.mark.lstm_clause("TRAIN-2")
def test_parameters_shared_by_modules(lstm_check: Checker) -> None:
    lstm_check.forall(ANY, on_bench(shared_by_modules), at_most=AT_MOST, also_large=True)


def shared_by_modules(trial: Trial, bench: Bench) -> Iterator[Finding]:
    module, other = bench.module(), bench.construct()
    for name, parameter in parameters_of(bench, module).items():
        setattr(other, name, parameter)
    arguments = bench.arguments()
    outputs = [bench.call(one, arguments) for one in (module, other)]
    yield from all_close(trial, bench.observe_all(outputs[1]), note="with another one's parameters")
    for results in outputs:
        bench.backward(results)
    for name, gradient in bench.gradients(module, arguments).items():
        yield trial.close(name, gradient.values / 2, note="half of the gradient of two modules")


@pytest.mark.lstm_clause("TRAIN-3")
def test_computed_parameters(lstm_check: Checker) -> None:
    for compute in (negated, pruned):
        also_large = compute is negated
        lstm_check.forall(
            ANY, computed_parameters(compute), at_most=AT_MOST // 2, also_large=also_large
        )


# Makes each parameter one that is computed: the leaf that it is computed from, and the factor.
Compute = Callable[["Bench", Any], dict[str, tuple["torch.Tensor", Array]]]


def negated(bench: Bench, module: Any) -> dict[str, tuple[torch.Tensor, Array]]:
    """Each parameter becomes its negative, computed by a parametrization."""
    import torch
    from torch.nn.utils import parametrize

    class Negative(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return -x

    made = {}
    for name in list(bench.case.config.parameter_shapes()):
        parametrize.register_parametrization(module, name, Negative())
        leaf = module.parametrizations[name].original
        made[name] = leaf, np.full(tuple(leaf.shape), -1.0)
    return made


def pruned(bench: Bench, module: Any) -> dict[str, tuple[torch.Tensor, Array]]:
    """About half of each parameter becomes zero, by pruning."""
    from torch.nn.utils import prune

    made = {}
    for name, shape in bench.case.config.parameter_shapes().items():
        kept = (uniform_numbers(bench.case.seed, f"kept of {name}", shape) > 0).astype(float)
        prune.custom_from_mask(module, name, bench.tensor(kept))  # type: ignore[no-untyped-call]
        made[name] = getattr(module, f"{name}_orig"), kept
    return made


def computed_parameters(compute: Compute) -> Callable[[Trial], list[Finding]]:
    """The rule that results and gradients are those of what is computed, whenever it changes."""

    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        module = bench.module()
        made = compute(bench, module)
        leaves = {name: leaf for name, (leaf, _) in made.items()}
        for note in ("", ", changed between two calls"):
            values = {n: bench.observe(n, leaf).values * made[n][1] for n, leaf in leaves.items()}
            expectation = scaled(expect(trial.case.with_values(values)), made)
            bench.forget_gradients(module, {})
            observed = forward_and_backward(bench, module, bench.arguments(), leaves)
            what = f"computed by {compute.__name__}{note}"
            yield from all_close(trial, observed, expectation, what)
            with bench.torch.no_grad():
                without = bench.observe_all(bench.call(module, bench.arguments()))
                yield from all_close(trial, without, expectation, f"{what}, under no_grad")
                for leaf in leaves.values():
                    leaf.neg_()

    return on_bench(probe)


def scaled(expectation: Expectation, made: Mapping[str, tuple[torch.Tensor, Array]]) -> Expectation:
    """``expectation`` with the gradients of what the parameters are computed from."""
    values, noise = dict(expectation.values), dict(expectation.noise)
    for name, (_, factor) in made.items():
        values[f"{name}.grad"] = values[f"{name}.grad"] * factor
        noise[f"{name}.grad"] = noise[f"{name}.grad"] * np.abs(factor)
    return Expectation(values, noise)


@pytest.mark.lstm_clause("TRAIN-4")
def test_parameters_given_to_a_call(lstm_check: Checker) -> None:
    lstm_check.forall(ANY, on_bench(parameters_given_to_a_call), at_most=AT_MOST, also_large=True)


def parameters_given_to_a_call(trial: Trial, bench: Bench) -> Iterator[Finding]:
    module = bench.any_module()
    own = parameters_of(bench, module)
    before = {name: bench.observe(name, parameter).values for name, parameter in own.items()}
    values = trial.case.arguments()
    given = {name: bench.tensor(values[name]).requires_grad_() for name in own}

    def called(*arguments: Any) -> Any:
        return bench.torch.func.functional_call(module, given, arguments)

    observed = forward_and_backward(bench, called, bench.arguments(), given)
    yield from all_close(trial, observed, note="by functional_call")
    for factor in (-1.0, 0.5):
        others = trial.case.with_values({name: factor * values[name] for name in own})
        with bench.torch.no_grad():
            given = {name: factor * bench.tensor(values[name]) for name in own}
            outputs = bench.observe_all(bench.call(called, bench.arguments()))
        note = f"by functional_call under no_grad, parameters times {factor}"
        yield from all_close(trial, outputs, expect(others), note)
    for name, parameter in own.items():
        same = np.array_equal(bench.observe(name, parameter).values, before[name])
        yield holds(name, same, "changed by functional_call")
        yield holds(name, parameter.grad is None, "has a gradient after functional_call")


# ---------------------------------------------------------------------- cotangents


@pytest.mark.lstm_clause("TRAIN-5")
def test_scaled_cotangents(lstm_check: Checker) -> None:
    # In saturated gates, scaled gradients would be subnormal numbers.
    domain = ANY.but(weight_scale=(1.0, 0.5), input_scale=(1.0,), state_scale=(1.0,))
    lstm_check.forall(domain, scaled_cotangents, at_most=AT_MOST, also_large=True)


def scaled_cotangents(trial: Trial) -> list[Finding]:
    findings = rows_scaled(trial)
    for exponent in (-40, -16, 16):
        factor = 2.0**exponent
        cotangents = trial.case.cotangent_values()
        case = trial.case.with_values(
            {f"cotangent of {n}": v * factor for n, v in cotangents.items()}
        )
        observed = trial.run(case).tensors
        findings += [
            trial.close(name, observed[name].values / factor, note=f"cotangents times 2^{exponent}")
            for name in trial.case.result_names()
            if name.endswith(".grad")
        ]
    return findings


def rows_scaled(trial: Trial) -> list[Finding]:
    """Of one row in two, cotangents are tiny: they must not lose digits beside those of others."""
    case = trial.case
    if case.batch_size < 2:
        return []
    axes = {"output": 0 if case.config.batch_first else 1, "h_n": 1, "c_n": 1}
    scaled = {}
    for name, value in case.cotangent_values().items():
        factors = np.where(np.arange(case.batch_size) % 2, 2.0**-40, 1.0)
        shape = [-1 if axis == axes[name] else 1 for axis in range(value.ndim)]
        scaled[f"cotangent of {name}"] = value * factors.reshape(shape)
    other = case.with_values(scaled)
    observed, expectation = trial.run(other).tensors, expect(other)
    gradients = {name: x for name, x in observed.items() if name.endswith(".grad")}
    return all_close(trial, gradients, expectation, "cotangents of some rows times 2^-40")


@pytest.mark.lstm_clause("TRAIN-6")
def test_cotangents_that_are_not_finite(lstm_check: Checker) -> None:
    lstm_check.forall(ANY, cotangents_that_are_not_finite, at_most=AT_MOST)


def cotangents_that_are_not_finite(trial: Trial) -> list[Finding]:
    findings: list[Finding] = []
    # The first step of a row has no padding.
    cotangents = trial.case.cotangent_values()
    for output, value in zip(OUTPUTS, (np.nan, np.inf, -np.inf), strict=True):
        zeros = {f"cotangent of {name}": np.zeros(v.shape) for name, v in cotangents.items()}
        alone = zeros[f"cotangent of {output}"]
        alone.flat[0] = 1.0
        expectation = expect(trial.case.with_values(zeros))
        # An array of its own: a case keeps the arrays that it is given.
        not_finite = {**zeros, f"cotangent of {output}": np.where(alone, value, 0.0)}
        observed = trial.run(trial.case.with_values(not_finite)).tensors
        for name in trial.case.result_names():
            if name.endswith(".grad"):
                changes = np.abs(expectation.values[name]) > 1e3 * expectation.noise[name]
                lost = changes & np.isfinite(observed[name].values)
                where = f"in {lost.sum()} of {lost.size} elements"
                message = f"{value} in the cotangent of {output} is lost {where}"
                findings.append(holds(name, not lost.any(), message))
    return findings


@pytest.mark.lstm_clause("TRAIN-12")
def test_zeros_in_cotangents(lstm_check: Checker) -> None:
    lstm_check.forall(ANY.but(seq_len=(2, 8)), zeros_in_cotangents, at_most=AT_MOST)


def zeros_in_cotangents(trial: Trial) -> list[Finding]:
    findings: list[Finding] = []
    cotangents = with_zeros(trial.case)
    cases = [trial.case.with_values({"cotangent of output": c}) for c in cotangents.values()]
    for where, case, expectation in zip(cotangents, cases, expect_together(cases), strict=True):
        observed = trial.run(case).tensors
        note = f"cotangent of output is zero {where}"
        gradients = {name: t for name, t in observed.items() if name.endswith(".grad")}
        findings += all_close(trial, gradients, expectation, note)
    return findings


def with_zeros(case: Case) -> dict[str, Array]:
    """Cotangents of output with zeros: where, and the values in the shape of output."""
    values = case.cotangent_values()["output"]
    unbatched = case.layout == "unbatched"

    def without(steps: slice, rows: slice) -> Array:
        zeroed = values.copy()
        zeroed[steps if unbatched else (rows, steps) if case.time_axis else (steps, rows)] = 0.0
        return zeroed

    half, every = case.seq_len // 2, slice(None)
    found = {
        "in the last steps": without(slice(half, None), every),
        "in the first steps": without(slice(half), every),
        "everywhere": without(every, every),
    }
    if case.batch_size > 1:
        found["in every second row"] = without(every, slice(None, None, 2))
    return found


@pytest.mark.lstm_clause("TRAIN-7")
def test_other_cotangents(lstm_check: Checker) -> None:
    lstm_check.forall(ANY, on_bench(other_cotangents), at_most=AT_MOST, also_large=True)


def other_cotangents(trial: Trial, bench: Bench) -> Iterator[Finding]:
    others = replace(trial.case, seed=trial.case.seed + 1).cotangent_values()
    expectation = expect(
        trial.case.with_values({f"cotangent of {n}": v for n, v in others.items()})
    )
    module, arguments = bench.module(), bench.arguments()
    outputs = bench.call(module, arguments)
    bench.backward(outputs, retain_graph=True)
    bench.forget_gradients(module, arguments)
    bench.backward(outputs, {name: bench.tensor(value) for name, value in others.items()})
    gradients = bench.gradients(module, arguments)
    yield from all_close(trial, gradients, expectation, "second backward pass, other cotangents")


@pytest.mark.lstm_clause("TRAIN-8")
def test_overwritten_before_the_backward_pass(lstm_check: Checker) -> None:
    # The test's cotangent of a packed output reaches a copy of it.
    domain = ANY.but(layout=LAYOUTS[:2])
    lstm_check.forall(
        domain, on_bench(overwritten_before_the_backward_pass), at_most=AT_MOST, also_large=True
    )


def overwritten_before_the_backward_pass(trial: Trial, bench: Bench) -> Iterator[Finding]:
    for name in (*trial.case.argument_names(), *OUTPUTS):
        module, arguments = bench.module(), bench.arguments()
        outputs = bench.call(module, arguments)
        tensors = {**arguments, **parameters_of(bench, module), **outputs}
        with bench.torch.no_grad():
            tensors[name].add_(1)
        try:
            bench.backward(outputs)
        except BaseException as error:
            if is_interrupt(error):
                raise
            continue  # as documented
        for gradient, tensor in bench.gradients(module, arguments).items():
            yield trial.close(gradient, tensor, note=f"{name} was overwritten after the call")


# --------------------------------------------------------------------------- loops


@pytest.mark.lstm_clause("TRAIN-9")
def test_a_training_loop(lstm_check: Checker) -> None:
    lstm_check.forall(ANY, on_bench(a_training_loop), at_most=AT_MOST // 2, also_large=True)


def a_training_loop(trial: Trial, bench: Bench) -> Iterator[Finding]:
    module = bench.module()
    optimizer = bench.torch.optim.SGD(module.parameters(), lr=0.125, momentum=0.5)
    for step in range(1, 4):
        # With the parameters that the optimizer has made, which are another module's expectations.
        case = with_parameters_of(bench, module, replace(trial.case, seed=trial.case.seed + step))
        expectation = expect(case)
        module.train()
        optimizer.zero_grad(set_to_none=step % 2 == 0)
        # As somebody does who looks for where a NaN comes from, or wants the same results again.
        with bench.torch.autograd.set_detect_anomaly(step == 2), deterministic(bench, step == 3):
            called = checkpointed(module) if step == 1 else module
            parameters = parameters_of(bench, module)
            arguments = bench.arguments(case)
            observed = forward_and_backward(bench, called, arguments, parameters)
        yield from all_close(trial, observed, expectation, f"step {step} of a training loop")
        optimizer.step()
        case = with_parameters_of(bench, module, case)
        module.eval()
        with bench.torch.no_grad():
            observed = bench.observe_all(bench.call(module, bench.arguments(case)))
        yield from all_close(trial, observed, expect(case), f"evaluation after step {step}")


@contextmanager
def deterministic(bench: Bench, mode: bool) -> Iterator[None]:
    """Torch uses deterministic algorithms inside, and warns where there are none."""
    bench.torch.use_deterministic_algorithms(mode, warn_only=True)
    try:
        yield
    finally:
        bench.torch.use_deterministic_algorithms(False)


def checkpointed(module: Any) -> Callable[..., Any]:
    """A call that saves nothing, and is made again in the backward pass."""
    from torch.utils.checkpoint import checkpoint

    return lambda *arguments: checkpoint(module, *arguments, use_reentrant=False)


def with_parameters_of(bench: Bench, module: Any, case: Case) -> Case:
    """``case`` with the parameters that ``module`` has now, and the cotangents of the bench."""
    parameters = parameters_of(bench, module)
    values = {name: bench.observe(name, parameter).values for name, parameter in parameters.items()}
    cotangents = bench.case.cotangent_values()
    return case.with_values({**values, **{f"cotangent of {n}": v for n, v in cotangents.items()}})


@pytest.mark.lstm_clause("TRAIN-13")
def test_states_handed_on(lstm_check: Checker) -> None:
    domain = ANY.but(bidirectional=(False,), layout=LAYOUTS[:2], seq_len=(2, 8))
    lstm_check.forall(domain, on_bench(states_handed_on), at_most=AT_MOST, also_large=True)
    # More calls than a module has workspaces for the backward pass.
    many = domain.but(seq_len=(66, 70), hidden_size=(2, 4), num_layers=(1, 2))
    lstm_check.forall(many, on_bench(each_step_is_a_call), at_most=2)
    inference = ANY.but(states=(True,), cotangents=((),), seq_len=(2, 8))
    lstm_check.forall(inference, on_bench(states_changed_in_between), at_most=10)


def states_changed_in_between(trial: Trial, bench: Bench) -> Iterator[Finding]:
    """Two streams in turn, without gradients. A program changes the states that it got in place."""
    module = bench.module()
    other = replace(trial.case, seed=trial.case.seed + 1)
    with bench.torch.no_grad():
        states = []
        for case in (trial.case, other):
            outputs = bench.call(module, bench.arguments(case))
            states.append({"h_0": outputs["h_n"], "c_0": outputs["c_n"]})
        for mine in reversed(states):  # those of the last call first
            for state in mine.values():
                # So that h_0 and c_0 are different and in their usual ranges. Through .data, the
                # change is not counted.
                (state if mine is states[0] else state.data).div_(2)
            values = {name: bench.observe(name, state).values for name, state in mine.items()}
            outputs = bench.call(module, {**bench.arguments(), **mine})
            expectation = expect(trial.case.with_values(values))
            note = "with states of another call, changed in place"
            observed = bench.observe_all(outputs)
            yield from all_close(trial, observed, expectation, note)


def states_handed_on(trial: Trial, bench: Bench) -> Iterator[Finding]:
    """One graph over both calls; META-1 has a graph for each."""
    yield from in_calls(trial, bench, 2, "in two calls")


def each_step_is_a_call(trial: Trial, bench: Bench) -> Iterator[Finding]:
    """One graph over all calls, as in a decoder that reads what it said."""
    yield from in_calls(trial, bench, trial.case.seq_len, "where each step is a call")


def in_calls(trial: Trial, bench: Bench, calls: int, note: str) -> Iterator[Finding]:
    """Whether results and gradients of some calls, one after the other, are those of one call."""
    time = trial.case.time_axis
    module, arguments = bench.module(), bench.arguments()
    states: dict[str, torch.Tensor] = {n: arguments[n] for n in ("h_0", "c_0") if n in arguments}
    last: dict[str, torch.Tensor] = {}
    parts: list[torch.Tensor] = []
    for part in arguments["input"].tensor_split(calls, time):
        last = bench.call(module, {"input": part, **states})
        states = {"h_0": last["h_n"], "c_0": last["c_n"]}
        parts.append(last["output"])
    outputs = {**last, "output": bench.torch.cat(parts, time)}
    observed = bench.observe_all(outputs)
    bench.backward(outputs)
    gradients = bench.gradients_of({**arguments, **parameters_of(bench, module)})
    yield from all_close(trial, {**observed, **gradients}, note=note)


# Long enough that the calls of two threads overlap.
CALLS_OF_A_THREAD = 10


@pytest.mark.lstm_clause("TRAIN-10")
def test_two_threads(lstm_check: Checker) -> None:
    lstm_check.forall(ANY.but(seq_len=(4, 8)), two_threads, at_most=AT_MOST // 3, also_large=True)
    rows = ANY.but(layout=("batched", *LAYOUTS[2:]), batch_size=(3, 9), seq_len=(2, 8))
    lstm_check.forall(rows, on_bench(threads_of_torch), at_most=8, also_large=True)
    for several in (
        {"layout": LAYOUTS[:2], "batch_size": (1, 1), "seq_len": (66, 70)},
        {"dtype": ("bfloat16",), "seq_len": (2, 8)},
        {"dtype": ("float32",), "hidden_size": (258, 262), "num_layers": (1,), "seq_len": (2, 3)},
    ):
        lstm_check.forall(ANY.but(**several), on_bench(threads_of_torch), at_most=2)


def threads_of_torch(trial: Trial, bench: Bench) -> Iterator[Finding]:
    """However many threads torch may use in a call."""
    for number in (2, 3, 4):
        bench.torch.set_num_threads(number)
        module, arguments = bench.module(), bench.arguments()
        observed = forward_and_backward(bench, module, arguments)
        expectation = trial.expectation
        yield from all_close(trial, observed, expectation, f"with {number} threads of torch")
        with bench.torch.no_grad():
            outputs = bench.observe_all(bench.call(module, arguments))
        note = f"with {number} threads of torch, under no_grad"
        yield from all_close(trial, outputs, expectation, note)


@pytest.mark.lstm_clause("TRAIN-10")
def test_backward_in_another_thread(lstm_check: Checker) -> None:
    domain = ANY.but(seq_len=(2, 8))
    lstm_check.forall(domain, on_bench(backward_in_another_thread), at_most=AT_MOST // 3)


def backward_in_another_thread(trial: Trial, bench: Bench) -> Iterator[Finding]:
    module, arguments = bench.module(), bench.arguments()
    outputs = bench.call(module, arguments)
    with ThreadPoolExecutor(1) as thread:
        thread.submit(bench.backward, outputs).result()
    gradients = bench.gradients_of({**arguments, **parameters_of(bench, module)})
    yield from all_close(trial, gradients, note="of a backward pass in another thread")


def two_threads(trial: Trial) -> list[Finding]:
    other = replace(trial.case, seed=trial.case.seed + 1)
    parameters = {
        name: trial.case.arguments()[name] for name in trial.case.config.parameter_shapes()
    }
    cases = (trial.case, other.with_values(parameters))
    expectations = (trial.expectation, expect(cases[1]))
    interval, barrier = sys.getswitchinterval(), Barrier(2, timeout=60)
    findings: list[Finding] = []
    with trial.bench(cases[0]) as bench, trial.bench(cases[1]) as other_bench:
        benches, module = (bench, other_bench), bench.module()
        bench.call(module, bench.arguments())  # a first call may prepare something

        def calls(thread: int) -> list[dict[str, ObservedTensor]]:
            mine, arguments = benches[thread], benches[thread].arguments()
            barrier.wait()
            observed = []
            for call in range(CALLS_OF_A_THREAD):
                # Without gradients, modules may have other buffers.
                if call % 2:
                    with mine.torch.no_grad():
                        observed.append(mine.observe_all(mine.call(module, arguments)))
                    continue
                outputs = mine.call(module, arguments)
                leaves = list(arguments.values())
                gradients = mine.torch.autograd.grad(
                    [outputs[name] for name in OUTPUTS], leaves, list(mine.cotangents().values())
                )
                named = {f"{n}.grad": g for n, g in zip(arguments, gradients, strict=True)}
                observed.append(mine.observe_all({**outputs, **named}))
            return observed

        sys.setswitchinterval(1e-6)  # so that the threads take turns in the midst of a call
        try:
            with ThreadPoolExecutor(2) as threads:
                found = list(threads.map(calls, range(2)))
        finally:
            sys.setswitchinterval(interval)
    for thread, expectation in enumerate(expectations):
        for observed in found[thread]:
            note = "while another thread uses the module"
            findings += all_close(trial, observed, expectation, note)
    return findings


@pytest.mark.lstm_clause("TRAIN-14")
def test_forward_hooks(lstm_check: Checker) -> None:
    lstm_check.forall(ANY.but(cotangents=((),)), on_bench(forward_hooks), at_most=AT_MOST)


@pytest.mark.lstm_clause("TRAIN-14")
def test_backward_hooks(lstm_check: Checker) -> None:
    # torch looks for tensors among arguments and results, and not in packed sequences.
    domain = ANY.but(layout=LAYOUTS[:2], cotangents=(("output",),))
    lstm_check.forall(domain, on_bench(backward_hooks), at_most=10)


def backward_hooks(trial: Trial, bench: Bench) -> Iterator[Finding]:
    if not trial.case.cotangents:
        raise Unsupported("no gradients")
    module, arguments = bench.module(), bench.arguments()
    seen: list[dict[str, Any]] = []

    def after(module: Any, of_arguments: Any, of_results: Any) -> None:
        seen.append({"input.grad": of_arguments[0], "cotangent of output": of_results[0]})

    module.register_full_backward_hook(after)
    outputs = bench.call(module, arguments)
    bench.backward(outputs)
    message = f"a backward hook ran {len(seen)} times in one backward pass"
    yield holds("hooks", len(seen) == 1, message)
    gradients = bench.gradients(module, arguments)
    yield from all_close(trial, gradients, note="with a backward hook")
    for name, tensor in seen[0].items() if seen else ():
        right = gradients["input.grad"].values
        if name.startswith("cotangent"):
            right = trial.case.cotangent_values()["output"]
        same = tensor is not None and np.array_equal(bench.observe(name, tensor).values, right)
        yield holds("hooks", same, f"{name} that a backward hook gets is another one")


def forward_hooks(trial: Trial, bench: Bench) -> Iterator[Finding]:
    module, runs = bench.module(), []

    def before(module: Any, arguments: Any) -> None:
        runs.append("forward pre-hook")

    def after(module: Any, arguments: Any, result: Any) -> Any:
        runs.append("forward hook")
        output, states = result
        return output, states[::-1]

    hooks = [module.register_forward_pre_hook(before), module.register_forward_hook(after)]
    for mode in (bench.torch.enable_grad, bench.torch.no_grad):
        runs.clear()
        with mode():
            exchanged = bench.observe_all(bench.call(module, bench.arguments()))
        for what in ("forward pre-hook", "forward hook"):
            count = runs.count(what)
            message = f"a {what} ran {count} times in one call, in {mode.__name__}"
            yield holds("hooks", count == 1, message)
        for name, other in {"h_n": "c_n", "c_n": "h_n"}.items():
            note = f"which a hook exchanged for the other state, in {mode.__name__}"
            yield trial.close(name, exchanged[other], note=note)
    for hook in hooks:
        hook.remove()


@pytest.mark.lstm_clause("TRAIN-11")
def test_memory_of_many_calls(lstm_check: Checker) -> None:
    lstm_check.forall(ANY, on_bench(memory_of_many_calls), at_most=3)


def memory_of_many_calls(trial: Trial, bench: Bench) -> Iterator[Finding]:
    module, numbers = bench.module(), []
    with only_new_objects():
        for _ in range(3):
            for _ in range(10):
                forward_and_backward(bench, module, bench.arguments())
            gc.collect()
            numbers.append(tensors_alive(bench))
    grows = numbers[0] < numbers[1] < numbers[2]
    message = f"{numbers[2] - numbers[1]} more tensors are kept after 10 more calls"
    yield holds("memory", not grows, message)


@contextmanager
def only_new_objects() -> Iterator[None]:
    """Keeps the collector from looking at each object that exists already, which takes long."""
    is_mine = gc.get_freeze_count() == 0
    if is_mine:
        gc.freeze()
    try:
        yield
    finally:
        if is_mine:
            gc.unfreeze()


def tensors_alive(bench: Bench) -> int:
    """How many tensors the collector knows of."""
    # Some objects claim to be of another class, so their type is asked.
    return sum(issubclass(type(x), bench.torch.Tensor) for x in gc.get_objects())
