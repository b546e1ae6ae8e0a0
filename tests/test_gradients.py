"""Chapter GRAD: the gradients of all arguments, for cotangents of all outputs."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lstm_conformance.reference.oracle import expect
from lstm_conformance.runner.judging.comparison import Finding, holds
from lstm_conformance.runner.judging.memory_layouts import (
    exchanged,
    part_of_longer,
    transposed,
    with_gaps,
)
from lstm_conformance.runner.judging.rules import (
    calls_without_gradients,
    close,
    close_gradients,
    gradients_of,
    on_bench,
)
from lstm_conformance.runner.judging.trial import Trial
from lstm_conformance.runner.searching.checker import Checker
from lstm_conformance.spec.case import LAYOUTS, OUTPUTS, Case, uniform_numbers
from lstm_conformance.spec.contract import Unsupported
from lstm_conformance.spec.strategies import STACK, Domain

if TYPE_CHECKING:
    from lstm_conformance.adapters.torch_bench import Bench

# The clause of one argument uses only the cotangent of `output`. A mistake with another cotangent
# then breaks another clause.
BATCHED = Domain(dropout=("none",), layout=LAYOUTS[:2], cotangents=(("output",),), together=STACK)


@pytest.mark.lstm_clause("GRAD-1")
def test_gradient_of_the_input(lstm_check: Checker) -> None:
    lstm_check.forall(BATCHED, close("input.grad"))


@pytest.mark.lstm_clause("GRAD-2")
def test_gradient_of_h_0(lstm_check: Checker) -> None:
    lstm_check.forall(BATCHED.but(states=(True,)), close("h_0.grad"))


@pytest.mark.lstm_clause("GRAD-3")
def test_gradient_of_c_0(lstm_check: Checker) -> None:
    lstm_check.forall(BATCHED.but(states=(True,)), close("c_0.grad"))


@pytest.mark.lstm_clause("GRAD-4")
def test_gradient_of_weight_ih(lstm_check: Checker) -> None:
    lstm_check.forall(BATCHED, close("weight_ih"))


@pytest.mark.lstm_clause("GRAD-5")
def test_gradient_of_weight_hh(lstm_check: Checker) -> None:
    lstm_check.forall(BATCHED, close("weight_hh"))


@pytest.mark.lstm_clause("GRAD-6")
def test_gradients_of_the_biases(lstm_check: Checker) -> None:
    lstm_check.forall(BATCHED.but(bias=(True,)), close("bias_ih", "bias_hh"))


@pytest.mark.lstm_clause("GRAD-7")
def test_gradient_of_weight_hr(lstm_check: Checker) -> None:
    lstm_check.forall(BATCHED.but(projection=(True,)), close("weight_hr"))


@pytest.mark.lstm_clause("GRAD-8")
def test_cotangent_of_h_n(lstm_check: Checker) -> None:
    lstm_check.forall(BATCHED.but(cotangents=(("h_n",),)), close_gradients)


@pytest.mark.lstm_clause("GRAD-9")
def test_cotangent_of_c_n(lstm_check: Checker) -> None:
    lstm_check.forall(BATCHED.but(cotangents=(("c_n",),)), close_gradients)


@pytest.mark.lstm_clause("GRAD-10")
def test_cotangents_together(lstm_check: Checker) -> None:
    together = (OUTPUTS, ("output", "h_n"), ("output", "c_n"), ("h_n", "c_n"))
    lstm_check.forall(BATCHED.but(cotangents=together), close_gradients, also_large=True)


@pytest.mark.lstm_clause("GRAD-11")
def test_gradients_of_packed_rows(lstm_check: Checker) -> None:
    domain = BATCHED.but(
        layout=LAYOUTS[2:],
        batch_size=(2, 4),
        unequal_lengths=True,
        cotangents=(("output",), OUTPUTS),
    )
    lstm_check.forall(domain, close_gradients)
    some = (("output", "c_n"), ("h_n", "c_n"), ("output", "h_n"))
    lstm_check.forall(domain.but(cotangents=some), close_gradients, at_most=6, also_large=True)


# The following tests use cotangents of all outputs, in the different ways that torch offers.
ANY = Domain(dropout=("none",), cotangents=(OUTPUTS,))


def all_close(trial: Trial, bench: Bench, module: Any, arguments: Any, note: str) -> list[Finding]:
    """Judges every accumulated gradient."""
    return [
        trial.close(name, gradient, note=note)
        for name, gradient in bench.gradients(module, arguments).items()
    ]


@pytest.mark.lstm_clause("GRAD-12")
def test_some_arguments(lstm_check: Checker) -> None:
    lstm_check.forall(ANY, on_bench(some_arguments))
    lstm_check.forall(ANY.but(states=(True,)), on_bench(all_but_one_state), at_most=8)
    rows = ANY.but(layout=("batched", *LAYOUTS[2:]))
    lstm_check.forall(rows, on_bench(usual_arguments), at_most=12, also_large=True)
    lstm_check.forall(ANY, on_bench(frozen_and_not), at_most=6)


def some_arguments(trial: Trial, bench: Bench) -> Iterator[Finding]:
    names = trial.case.argument_names()
    numbers = uniform_numbers(trial.case.seed, "which arguments", (len(names),))
    wanted = {n for n, x in zip(names, numbers, strict=True) if x > 0 or x == numbers.max()}
    yield from gradients_of(wanted, trial, bench)


def all_but_one_state(trial: Trial, bench: Bench) -> Iterator[Finding]:
    """As if one initial state were learnt, and the other one were always zero."""
    for name in ("h_0", "c_0"):
        yield from gradients_of(set(trial.case.argument_names()) - {name}, trial, bench)


def usual_arguments(trial: Trial, bench: Bench) -> Iterator[Finding]:
    """Sets of arguments that people take gradients of: all others are constant, or frozen."""
    names = trial.case.argument_names()
    parameters = set(trial.case.config.parameter_shapes())
    top = f"_l{trial.case.config.num_layers - 1}"
    choices = (
        parameters,
        {name for name in parameters if name.removesuffix("_reverse").endswith(top)},
        {name for name in parameters if name.startswith("bias")},
        # Of two biases that are added one is enough, so the other one may be frozen at zero.
        {name for name in parameters if not name.startswith("bias_ih")},
        {name for name in parameters if not name.startswith("bias_hh")},
        {"input"},
        set(names) - parameters - {"input"},
    )
    for place, wanted in enumerate(choices):
        if wanted and wanted not in choices[:place]:
            yield from gradients_of(wanted, trial, bench)


def frozen_and_not(trial: Trial, bench: Bench) -> Iterator[Finding]:
    """What a call is told of its parameters must not be kept for the next one."""
    module = bench.module()
    for frozen in (True, False, True, False):
        module.requires_grad_(not frozen)
        arguments = bench.arguments()
        bench.forget_gradients(module, {})
        bench.backward(bench.call(module, arguments))
        note = "of a frozen module" if frozen else "of a module that can be frozen"
        if frozen:
            for name, parameter in module.named_parameters():
                yield holds(name, parameter.grad is None, "a frozen parameter got a gradient")
            gradients = bench.gradients_of(arguments)
        else:
            gradients = bench.gradients(module, arguments)
        yield from trial.close_all(gradients, list(gradients), note)


@pytest.mark.lstm_clause("GRAD-13")
def test_gradients_accumulate(lstm_check: Checker) -> None:
    lstm_check.forall(ANY, on_bench(gradients_accumulate), also_large=True)


def gradients_accumulate(trial: Trial, bench: Bench) -> Iterator[Finding]:
    module, arguments = bench.module(), bench.arguments()
    for _ in range(2):
        bench.backward(bench.call(module, arguments))
    note = f"half of the gradient of two passes{in_the_same_memory(module)}"
    for name, gradient in bench.gradients(module, arguments).items():
        yield trial.close(name, gradient.values / 2, note=note)


def in_the_same_memory(module: Any) -> str:
    """Which gradients are one tensor, so that what is added to one is added to the other."""
    names: dict[int, str] = {}
    for name, parameter in module.named_parameters():
        gradient = parameter.grad
        if gradient is not None and gradient.numel() and gradient.device.type in ("cpu", "cuda"):
            first = names.setdefault(gradient.data_ptr(), name)
            if first != name:
                return f"; {first}.grad and {name}.grad share memory"
    return ""


@pytest.mark.lstm_clause("GRAD-14")
def test_graph_is_retained(lstm_check: Checker) -> None:
    lstm_check.forall(ANY, on_bench(graph_is_retained), also_large=True)


def graph_is_retained(trial: Trial, bench: Bench) -> Iterator[Finding]:
    module, arguments = bench.module(), bench.arguments()
    outputs = bench.call(module, arguments)
    others = [replace(trial.case, seed=trial.case.seed + k) for k in (1, 2, 3)]

    def call_without_gradients() -> None:
        with bench.torch.no_grad():
            bench.call(module, bench.arguments(others[2]))

    call_without_gradients()
    # Several graphs at a time, as for a loss of three inputs.
    alive = [bench.call(module, bench.arguments(other)) for other in others[:2]]
    call_without_gradients()
    bench.backward(outputs, retain_graph=True)
    note = "first of four backward passes, after calls with other values"
    yield from all_close(trial, bench, module, arguments, note)
    # Memory that the first backward pass has freed would be in use again.
    alive.append(bench.call(module, bench.arguments(others[2])))
    for number in ("second", "third", "fourth"):
        bench.forget_gradients(module, arguments)
        bench.backward(outputs, retain_graph=number != "fourth")
        note = f"{number} of four backward passes"
        yield from all_close(trial, bench, module, arguments, note)
    del alive


@pytest.mark.lstm_clause("GRAD-14")
def test_graph_outlives_its_module(lstm_check: Checker) -> None:
    lstm_check.forall(ANY, on_bench(graph_outlives_its_module), at_most=6)


def graph_outlives_its_module(trial: Trial, bench: Bench) -> Iterator[Finding]:
    """As if a function made the module, and returned a loss and the parameters."""
    module, arguments = bench.module(), bench.arguments()
    leaves = {**dict(module.named_parameters()), **arguments}
    outputs = bench.call(module, arguments)
    del module
    gc.collect()
    bench.backward(outputs)
    gradients = bench.gradients_of({name: leaves[name] for name in trial.case.argument_names()})
    yield from trial.close_all(gradients, list(gradients), "after the module is gone")


@pytest.mark.lstm_clause("GRAD-15")
def test_without_gradients(lstm_check: Checker) -> None:
    lstm_check.forall(ANY, on_bench(without_gradients))
    # Kernels for inference compute in tiles of their own, whose last one is not full.
    wider = ANY.but(
        **dict.fromkeys(("input_size", "hidden_size"), (9, 70)),
        proj_size=(1, 40),
        seq_len=(1, 20),
        batch_size=(1, 20),
    )
    lstm_check.forall(wider, on_bench(without_gradients), at_most=12, share_stack=False)
    lstm_check.forall(ANY, on_bench(inference_before_training), at_most=6)
    lstm_check.forall(ANY, on_bench(made_in_inference_mode), at_most=6)


def without_gradients(trial: Trial, bench: Bench) -> Iterator[Finding]:
    for mode, outputs in calls_without_gradients(bench, bench.module()):
        for name, output in outputs.items():
            yield trial.close(name, bench.observe(name, output), note=mode)
            yield holds(name, not output.requires_grad, f"requires a gradient, {mode}")


def inference_before_training(trial: Trial, bench: Bench) -> Iterator[Finding]:
    """What the first call keeps must not hinder the next one, with the same tensors or others."""
    if not trial.case.cotangents:
        raise Unsupported("no gradients")
    module = bench.module()
    with bench.torch.inference_mode():
        bench.call(module, bench.arguments())
    arguments = bench.arguments()
    bench.backward(bench.call(module, arguments))
    yield from all_close(trial, bench, module, arguments, "after a call in inference_mode")
    bench.forget_gradients(module, arguments)
    with bench.torch.no_grad():
        bench.call(module, arguments)
    bench.backward(bench.call(module, arguments))
    yield from all_close(trial, bench, module, arguments, "after a call of the same in no_grad")


def made_in_inference_mode(trial: Trial, bench: Bench) -> Iterator[Finding]:
    """As in a program that only predicts: autograd does not know the parameters either."""
    with bench.torch.inference_mode():
        module = bench.module()
        for call in ("first", "second"):
            outputs = bench.observe_all(bench.call(module, bench.arguments()))
            note = f"{call} call of a module that was made in inference_mode"
            yield from trial.close_all(outputs, OUTPUTS, note)


@pytest.mark.lstm_clause("GRAD-16")
def test_strides_of_cotangents(lstm_check: Checker) -> None:
    lstm_check.forall(ANY, on_bench(strides_of_cotangents), also_large=True)
    # The distance of its rows may be any number.
    one_row = ANY.but(layout=("batched",), batch_size=(1, 1), seq_len=(2, 8))
    lstm_check.forall(one_row, on_bench(strides_of_cotangents), at_most=3)


def strides_of_cotangents(trial: Trial, bench: Bench) -> Iterator[Finding]:
    cotangents = bench.cotangents()
    for what, lay_out in (
        ("axes in another order", transposed),
        ("gaps between elements", with_gaps),
        ("gaps between rows", lambda x: with_gaps(x, -2)),
        ("gaps after rows", lambda x: part_of_longer(x, -1)),
        ("gaps after batches", lambda x: part_of_longer(x, -2)),
        ("two axes exchanged in memory", exchanged),
    ):
        laid_out = {name: lay_out(cotangent) for name, cotangent in cotangents.items()}
        module, arguments = bench.module(), bench.arguments()
        bench.backward(bench.call(module, arguments), laid_out)
        yield from all_close(trial, bench, module, arguments, f"cotangents with {what}")

    # As those of a sum over one axis, or over all.
    for axis in (0, 1, -1):
        yield from expanded_along(trial, bench, (axis,), f"expanded along axis {axis}")
    yield from expanded_along(trial, bench, (), "one expanded number")


def expanded_along(
    trial: Trial, bench: Bench, axes: tuple[int, ...], what: str
) -> Iterator[Finding]:
    """Cotangents whose first elements along ``axes`` stand for all, in the same memory.

    Args:
        axes: numbers of axes; empty for all of them.
        what: the cotangents are, in words.
    """
    laid_out, full = {}, {}
    for name, value in trial.case.cotangent_values().items():
        first = value
        for axis in axes or range(value.ndim):
            first = first.take([0], axis)
        laid_out[name] = bench.tensor(first).expand(value.shape)
        full[f"cotangent of {name}"] = np.broadcast_to(first, value.shape)
    expectation = expect(trial.case.with_values(full))
    module, arguments = bench.module(), bench.arguments()
    bench.backward(bench.call(module, arguments), laid_out)
    for name, gradient in bench.gradients(module, arguments).items():
        yield trial.close(name, gradient, expectation, f"cotangents that are {what}")


@pytest.mark.lstm_clause("GRAD-17")
def test_gradient_of_one_argument(lstm_check: Checker) -> None:
    lstm_check.forall(ANY, on_bench(gradient_of_one_argument), also_large=True)


def gradient_of_one_argument(trial: Trial, bench: Bench) -> Iterator[Finding]:
    """``torch.autograd.grad`` returns the gradient and does not change ``.grad``."""
    for name in trial.case.argument_names():
        for earlier in (False, True):  # whether tensors have a .grad of an earlier backward pass
            yield from gradient_by_grad(trial, bench, name, earlier)


def gradient_by_grad(trial: Trial, bench: Bench, name: str, earlier: bool) -> Iterator[Finding]:
    module, arguments = bench.module(), bench.arguments()
    leaves = {**dict(module.named_parameters()), **arguments}
    if earlier:
        for leaf in leaves.values():
            leaf.grad = bench.torch.ones_like(leaf)
    outputs, cotangents = bench.call(module, arguments), bench.cotangents()
    (gradient,) = bench.torch.autograd.grad(
        [outputs[output] for output in cotangents],
        [leaves[name]],
        list(cotangents.values()),
        allow_unused=True,
        materialize_grads=True,
    )
    tensor = f"{name}.grad"
    note = "by torch.autograd.grad" + (", with a .grad from before" if earlier else "")
    yield trial.close(tensor, bench.observe(tensor, gradient), note=note)
    for other in trial.case.argument_names():
        grad = leaves[other].grad
        same = bool((grad == 1).all()) if earlier and grad is not None else grad is None
        yield holds(other, same, f"torch.autograd.grad for {name} changed .grad")


@pytest.mark.lstm_clause("GRAD-18")
def test_cotangent_of_one_element(lstm_check: Checker) -> None:
    lstm_check.forall(ANY.but(cotangents=(("output",),)), cotangent_of_one_element)


def cotangent_of_one_element(trial: Trial) -> list[Finding]:
    """Where the oracle has value 0 and noise 0, only zero is right."""
    case = trial.case
    element = some_element_of_output(case)
    cotangent = np.zeros(case.shapes()["output"])
    cotangent[element] = 1.0
    alone = case.with_values({"cotangent of output": cotangent})
    expectation, observed = expect(alone), trial.run(alone).tensors
    return [
        trial.close(
            name, observed[name], expectation, f"for a cotangent of output{list(element)} only"
        )
        for name in case.result_names()
        if name.endswith(".grad")
    ]


def some_element_of_output(case: Case) -> tuple[int, ...]:
    """The index of an element outside the padding, chosen by the seed of the case."""

    def below(limit: int, what: str) -> int:
        (number,) = uniform_numbers(case.seed, what, (1,))
        return int((number + 1) / 2 * limit)

    row = below(case.batch_size, "row")
    step = below(case.lengths[row] if case.packed else case.seq_len, "step")
    feature = below(case.shapes()["output"][-1], "feature")
    if case.layout == "unbatched":
        return step, feature
    return (row, step, feature) if case.config.batch_first else (step, row, feature)


@pytest.mark.lstm_clause("GRAD-19")
def test_gradients_with_a_graph(lstm_check: Checker) -> None:
    lstm_check.forall(ANY, on_bench(gradients_with_a_graph), also_large=True)


def gradients_with_a_graph(trial: Trial, bench: Bench) -> Iterator[Finding]:
    module, arguments = bench.module(), bench.arguments()
    leaves = {**dict(module.named_parameters()), **arguments}
    outputs, cotangents = bench.call(module, arguments), bench.cotangents()
    gradients = bench.torch.autograd.grad(
        [outputs[name] for name in cotangents],
        list(leaves.values()),
        list(cotangents.values()),
        create_graph=True,
        materialize_grads=True,
    )
    for name, gradient in zip(leaves, gradients, strict=True):
        tensor = f"{name}.grad"
        yield trial.close(tensor, bench.observe(tensor, gradient), note="with create_graph=True")


# In saturated gates, second derivatives are differences of nearly equal numbers.
SMOOTH = ANY.but(weight_scale=(1.0, 0.5, 3.0))


@pytest.mark.lstm_clause("GRAD-20")
def test_forward_mode(lstm_check: Checker) -> None:
    lstm_check.forall(SMOOTH, derivatives_close(Trial.tangents, OUTPUTS), also_large=True)
    under_no_grad = derivatives_close(Trial.tangents_under_no_grad, OUTPUTS, ", under no_grad")
    lstm_check.forall(SMOOTH, under_no_grad, at_most=8)


@pytest.mark.lstm_clause("GRAD-21")
def test_double_backward(lstm_check: Checker) -> None:
    lstm_check.forall(SMOOTH, derivatives_close(Trial.second_derivatives, ()), also_large=True)
    second = Trial.second_derivatives_of_computed_parameters
    of_computed = derivatives_close(second, (), ", where the parameters were computed")
    lstm_check.forall(SMOOTH, of_computed, at_most=6)


def derivatives_close(
    differentiate: Callable[[Trial, dict[str, NDArray[np.float64]]], Any],
    names: tuple[str, ...],
    how: str = "",
) -> Callable[[Trial], list[Finding]]:
    """Judges the derivatives of results in a direction.

    Args:
        differentiate: computes them.
        names: of the results; () for all.
        how: they are computed, in words.
    """

    def rule(trial: Trial) -> list[Finding]:
        case = trial.case
        direction = {
            name: case.precision.round(
                uniform_numbers(case.seed, f"direction of {name}", value.shape)
            )
            for name, value in case.arguments().items()
        }
        observed = differentiate(trial, direction).tensors
        expectation = trial.expected_derivative(direction)
        return [
            trial.close(name, observed[name], expectation, f"derivative in a direction{how}")
            for name in names or case.result_names()
        ]

    return rule
