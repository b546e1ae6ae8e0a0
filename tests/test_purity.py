"""Chapter PURE: a call depends on arguments and parameters only, and changes only its results.

The file is long because it has all tests of the chapter: a chapter is one file.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lstm_conformance.reference.oracle import expect
from lstm_conformance.runner.judging.comparison import Finding, holds
from lstm_conformance.runner.judging.memory_layouts import ARGUMENT_LAYOUTS, NEGATED, Layout
from lstm_conformance.runner.judging.rules import Rule, on_bench, unless_refused
from lstm_conformance.runner.judging.trial import Trial, may_run
from lstm_conformance.runner.searching.checker import Checker
from lstm_conformance.spec.capabilities import unsupported
from lstm_conformance.spec.case import LAYOUTS, OUTPUTS, Case
from lstm_conformance.spec.global_settings import read_settings
from lstm_conformance.spec.interrupts import is_interrupt
from lstm_conformance.spec.python_state import PythonState
from lstm_conformance.spec.sizes import layout_of
from lstm_conformance.spec.strategies import Domain
from lstm_conformance.spec.verdicts import FAIL

if TYPE_CHECKING:
    import torch

    from lstm_conformance.adapters.torch_bench import Bench

Tensors = Mapping[str, "torch.Tensor"]

# Cases without active dropout; forward only, or forward and backward.
ANY = Domain(dropout=("none", "eval"), cotangents=((), OUTPUTS))
FORWARD, BACKWARD = ANY.but(cotangents=((),)), ANY.but(cotangents=(OUTPUTS,))


# -------------------------------------------------------------------- helpers


def bits(tensor: torch.Tensor) -> bytes:
    """The exact values: 0 differs from -0. float64 represents every number format exactly."""
    return tensor.detach().cpu().double().numpy().tobytes()


def bits_of(tensors: Tensors) -> dict[str, bytes]:
    return {name: bits(tensor) for name, tensor in tensors.items()}


def unchanged(tensors: Tensors, before: Mapping[str, bytes], when: str) -> Iterator[Finding]:
    for name, tensor in tensors.items():
        yield holds(name, bits(tensor) == before[name], f"changed by {when}")


def overwrite(bench: Bench, tensor: torch.Tensor) -> None:
    """Changes every element of a tensor."""
    with bench.torch.no_grad():
        tensor.add_(1)


BACKWARD_PASS = "the backward pass"


def forward_and_backward(
    bench: Bench, module: Any, arguments: Tensors | None = None
) -> Iterator[str]:
    """Runs the call, and the backward pass if the case has cotangents. Yields after each.

    Without a backward pass, the call runs without gradients, where modules may compute in place.
    """
    with bench.torch.set_grad_enabled(bool(bench.case.cotangents)):
        outputs = bench.call(module, bench.arguments() if arguments is None else arguments)
    yield "the call" if bench.case.cotangents else "the call in no_grad"
    if bench.case.cotangents:
        bench.backward(outputs)
        yield BACKWARD_PASS


def results_of(bench: Bench, module: Any) -> dict[str, torch.Tensor]:
    """The results of a call. For a packed output, its data."""
    with bench.torch.set_grad_enabled(bool(bench.case.cotangents)):
        output, (h_n, c_n) = bench.result(module, bench.arguments())
    return {"output": output.data if bench.case.packed else output, "h_n": h_n, "c_n": c_n}


def close_outputs(
    trial: Trial, bench: Bench, outputs: dict[str, torch.Tensor], note: str
) -> Iterator[Finding]:
    for name, tensor in bench.observe_all(outputs).items():
        yield trial.close(name, tensor, note=note)


def none_of(names: list[str], message: str) -> list[Finding]:
    return [holds(name, False, message) for name in names] or [holds("all arrays", True, "")]


class Watched:
    """A module that records its arguments.

    Attributes:
        arguments: the arguments of the last call, by name. For a packed input, its data.
        before: their bits before the call.
    """

    def __init__(self, bench: Bench, module: Any) -> None:
        self._bench = bench
        self._module = module
        self.arguments: dict[str, torch.Tensor] = {}
        self.before: dict[str, bytes] = {}

    def __call__(self, x: Any, *states: tuple[torch.Tensor, torch.Tensor]) -> Any:
        self.arguments = {"input": x.data if self._bench.case.packed else x}
        for h_0, c_0 in states:
            self.arguments.update(h_0=h_0, c_0=c_0)
        self.before = bits_of(self.arguments)
        return self._module(x, *states)


# ------------------------------------------------- arguments and parameters


@pytest.mark.lstm_clause("PURE-1")
def test_arguments_unchanged(lstm_check: Checker) -> None:
    lstm_check.forall(ANY, arguments_unchanged, also_large=True)
    # Without gradients, the states may be where the next ones are written. With one step, there is
    # no copy of them yet.
    one_step = FORWARD.but(states=(True,), seq_len=(1, 1), layout=("batched", "unbatched"))
    lstm_check.forall(one_step, arguments_unchanged, at_most=10)


def arguments_unchanged(trial: Trial) -> list[Finding]:
    if "module" in trial.implementation.capabilities:
        return on_bench(arguments_of_a_module_unchanged)(trial)
    return none_of(trial.names_of("changed_arguments", trial.case), "changed by the run")


def arguments_of_a_module_unchanged(trial: Trial, bench: Bench) -> Iterator[Finding]:
    watched = Watched(bench, bench.module())
    for when in forward_and_backward(bench, watched):
        yield from unchanged(watched.arguments, watched.before, when)


@pytest.mark.lstm_clause("PURE-2")
def test_parameters_unchanged(lstm_check: Checker) -> None:
    lstm_check.forall(ANY, on_bench(parameters_unchanged), also_large=True)


def parameters_unchanged(trial: Trial, bench: Bench) -> Iterator[Finding]:
    module = bench.module()
    parameters = dict(module.named_parameters())
    before = bits_of(parameters)
    for when in forward_and_backward(bench, module):
        yield from unchanged(parameters, before, when)


@pytest.mark.lstm_clause("PURE-3")
def test_cotangents_unchanged(lstm_check: Checker) -> None:
    # The cotangent of a packed output is not the one of the test: unpacking cuts the padding off.
    lstm_check.forall(
        BACKWARD.but(layout=("batched", "unbatched")),
        on_bench(cotangents_unchanged),
        also_large=True,
    )


def cotangents_unchanged(trial: Trial, bench: Bench) -> Iterator[Finding]:
    outputs, cotangents = bench.call(bench.module(), bench.arguments()), bench.cotangents()
    before = bits_of(cotangents)
    bench.backward(outputs, cotangents)
    for finding in unchanged(cotangents, before, BACKWARD_PASS):
        yield finding.noted("cotangent" if finding.message else "")


# --------------------------------------------------------------- the results


@pytest.mark.lstm_clause("PURE-4")
def test_results_apart_from_arguments(lstm_check: Checker) -> None:
    lstm_check.forall(ANY, on_bench(results_apart_from_arguments), also_large=True)


def results_apart_from_arguments(trial: Trial, bench: Bench) -> Iterator[Finding]:
    module = bench.module()
    watched = Watched(bench, module)
    results = results_of(bench, watched)
    given = {**watched.arguments, **dict(module.named_parameters())}
    for name, result in results.items():
        before = bits_of(given)
        overwrite(bench, result)
        yield from unchanged(given, before, f"writing to {name}")


@pytest.mark.lstm_clause("PURE-5")
def test_results_apart_from_one_another(lstm_check: Checker) -> None:
    lstm_check.forall(ANY, on_bench(results_apart_from_one_another), also_large=True)
    # After one step without gradients, h_n is the output of that step.
    one_step = FORWARD.but(seq_len=(1, 1), layout=("batched", "unbatched"))
    lstm_check.forall(one_step, on_bench(results_apart_from_one_another), at_most=10)


def results_apart_from_one_another(trial: Trial, bench: Bench) -> Iterator[Finding]:
    results = results_of(bench, bench.module())
    for name, result in results.items():
        others = {other: tensor for other, tensor in results.items() if other != name}
        before = bits_of(others)
        overwrite(bench, result)
        yield from unchanged(others, before, f"writing to {name}")


@pytest.mark.lstm_clause("PURE-6")
def test_results_are_kept(lstm_check: Checker) -> None:
    lstm_check.forall(ANY, results_are_kept, also_large=True)


# Programs keep the results of so many calls, such as those of single steps.
CALLS_KEPT = 8


def results_are_kept(trial: Trial) -> list[Finding]:
    if "module" in trial.implementation.capabilities:
        return on_bench(results_of_a_module_are_kept)(trial)
    later = replace(trial.case, seed=trial.case.seed + 1)
    return none_of(trial.names_of("changed_results", trial.case, later), "changed by a later run")


def results_of_a_module_are_kept(trial: Trial, bench: Bench) -> Iterator[Finding]:
    module = bench.module()
    results = results_of(bench, module)
    before = bits_of(results)
    other = replace(trial.case, seed=trial.case.seed + 1)
    for when in forward_and_backward(bench, module, bench.arguments(other)):
        yield from unchanged(results, before, f"{when} that followed")
    if not trial.case.cotangents:  # without gradients, a few tensors may be used in turn
        with bench.torch.no_grad():
            later = [bench.result(module, bench.arguments(other)) for _ in range(CALLS_KEPT)]
        yield from unchanged(results, before, f"one of {len(later)} calls that followed")


# --------------------------------------------------------- one call, then others


@pytest.mark.lstm_clause("PURE-7")
def test_same_call_again(lstm_check: Checker) -> None:
    lstm_check.forall(ANY, again, also_large=True)


def again(trial: Trial) -> list[Finding]:
    """The same call of a module; of what is none, the same run, also after others."""
    if "module" in trial.implementation.capabilities:
        return on_bench(same_call_again)(trial)
    case = trial.case
    runs = {"": case, "second run": case}
    for what, other in other_calls(case).items():
        if what in SIMILAR and may_run(trial.implementation, other):
            runs |= {f"{what}, after another run": other, f"after a run {what}": case}
    findings = []
    for note, run in runs.items():
        tensors = trial.run(run).tensors
        expectation = None if run is case else expect(run)
        findings += trial.close_all(tensors, run.result_names(), note, expectation)
    return findings


# Runs that a program can take for the same one if it keeps something. They are few, since some
# frameworks compile anew for other shapes.
SIMILAR = ("with other values", "with as many steps in other rows")


def same_call_again(trial: Trial, bench: Bench) -> Iterator[Finding]:
    module = bench.module()
    for note in ("", "second call", "third call"):
        outputs = bench.call(module, bench.arguments())
        if note:
            yield from close_outputs(trial, bench, outputs, note)
        if trial.case.cotangents:
            bench.backward(outputs)


@pytest.mark.lstm_clause("PURE-8")
def test_call_after_others(lstm_check: Checker) -> None:
    lstm_check.forall(BACKWARD, on_bench(call_after_others), also_large=True)
    lstm_check.forall(FORWARD, on_bench(inference_after_others), at_most=10)
    lstm_check.forall(FORWARD, on_bench(arguments_rewritten), at_most=10)
    packed = FORWARD.but(layout=LAYOUTS[2:], batch_size=(1, 4), seq_len=(6, 8))
    lstm_check.forall(packed, on_bench(stream_of_packed_batches), at_most=6)
    # Where the order of the axes can be seen.
    rows = BACKWARD.but(layout=("batched",), seq_len=(2, 8), batch_size=(2, 4))
    lstm_check.forall(rows, on_bench(call_after_refused_ones), at_most=10)


def call_after_refused_ones(trial: Trial, bench: Bench) -> Iterator[Finding]:
    """A program may catch the exception and go on, as people do in a notebook."""
    torch, x = bench.torch, bench.arguments()["input"].detach()
    # Larger than they should be: whoever does not refuse them reads nothing behind their memory.
    wide = x.new_zeros((*x.shape[:-1], x.shape[-1] + 1))
    states = x.new_zeros(50, x.shape[0] + x.shape[1], 50), x.new_zeros(50, 50, 50)
    wrong = {
        "without input": (),
        "with one feature more": (wide,),
        "with four axes": (x[None],),
        "with states of other sizes": (x, states),
    }
    for what, arguments in wrong.items():
        for mode in (torch.enable_grad, torch.no_grad):
            module, when = bench.module(), f"after a wrong call {what}, in {mode.__name__}"
            with mode():
                try:
                    module(*arguments)
                except BaseException as error:
                    if is_interrupt(error):
                        raise
                else:
                    continue  # other clauses ask for a refusal
                same = torch.is_grad_enabled() is (mode is torch.enable_grad)
            yield holds("grad mode", same, f"it is another one {when}")
            kept = module.training is trial.case.training
            yield holds("training", kept, f"it is {module.training} {when}")
            if not same:  # nothing has gradients any more
                outputs = bench.call(module, bench.arguments())
                yield from close_outputs(trial, bench, outputs, when)
                return
            yield from right_again(trial, bench, module, when)


ROUNDS_OF_A_STREAM = 4


def stream_of_packed_batches(trial: Trial, bench: Bench) -> Iterator[Finding]:
    """Each in rows of other lengths, with as many steps in all, in the memory of the one before."""
    module, case = bench.module(), trial.case
    arguments, longest = case.arguments(), case.seq_len
    parameters = {name: arguments[name] for name in case.config.parameter_shapes()}
    batches = []
    for shortest in range(1, longest // 2 + 1):
        lengths = (*[longest] * case.batch_size, longest - shortest, shortest)
        if case.layout == "packed_unsorted":
            lengths = lengths[::-1]
        batches.append(
            replace(
                case, lengths=lengths, batch_size=len(lengths), seed=case.seed + shortest
            ).with_values(parameters)
        )
    with ExitStack() as stack:
        benches = [stack.enter_context(trial.bench(batch)) for batch in batches]
        calls = [(one, one.arguments()) for one in benches]
        # One right after the other, and each several times: so it is in memory where another was.
        observed = [
            one.observe_all(one.call(module, inputs)) for one, inputs in calls * ROUNDS_OF_A_STREAM
        ]
    expectations = [expect(batch) for batch in batches] * ROUNDS_OF_A_STREAM
    for call, (outputs, expectation) in enumerate(zip(observed, expectations, strict=True)):
        lengths = batches[call % len(batches)].lengths
        when = f"in a stream of packed batches, with rows of {lengths} steps"
        yield from trial.close_all(outputs, list(outputs), when, expectation)


def inference_after_others(trial: Trial, bench: Bench) -> Iterator[Finding]:
    module = bench.module()
    with bench.torch.no_grad():
        for what, other in other_calls(trial.case).items():
            if unsupported(trial.implementation, other) is None:
                with trial.bench(other) as other_bench:
                    other_bench.call(module, other_bench.arguments())
                outputs = bench.call(module, bench.arguments())
                when = f"in no_grad, after a call {what}"
                yield from close_outputs(trial, bench, outputs, when)


def arguments_rewritten(trial: Trial, bench: Bench) -> Iterator[Finding]:
    """The same tensors with other numbers, which autograd does not count as a change."""
    module = bench.module()
    other = replace(trial.case, seed=trial.case.seed + 1)
    for mode in (bench.torch.enable_grad, bench.torch.no_grad):
        arguments = bench.arguments(other)
        with mode():
            bench.call(module, arguments)
            for name, tensor in bench.arguments().items():
                arguments[name].data.copy_(tensor)
            outputs = bench.call(module, arguments)
        when = f"after the arguments were rewritten, in {mode.__name__}"
        yield from close_outputs(trial, bench, outputs, when)


def call_after_others(trial: Trial, bench: Bench) -> Iterator[Finding]:
    for what, other in other_calls(trial.case).items():
        if unsupported(trial.implementation, other) is not None:
            continue
        module, when = bench.module(), f"after a call {what}"
        with trial.bench(other) as other_bench:
            other_bench.backward(other_bench.call(module, other_bench.arguments()))
        module.zero_grad()
        yield from right_again(trial, bench, module, when)


def right_again(trial: Trial, bench: Bench, module: Any, when: str) -> Iterator[Finding]:
    """Whether results and gradients of a call are right after something else."""
    arguments = bench.arguments()
    outputs = bench.call(module, arguments)
    yield from close_outputs(trial, bench, outputs, when)
    bench.backward(outputs)
    gradients = bench.gradients(module, arguments)
    yield from trial.close_all(gradients, list(gradients), when)


def other_calls(case: Case) -> dict[str, Case]:
    """Other calls, before a call of the same module."""
    batched = replace(case, layout="batched", lengths=(), seed=case.seed + 1)
    found = {}
    turned = (*case.lengths[1:], *case.lengths[:1])
    if turned != case.lengths:
        layout, seed = layout_of(turned), case.seed + 1
        other = replace(case, layout=layout, lengths=turned, seed=seed)
        found["with packed rows in another order"] = other
    return found | {
        "with other values": replace(case, seed=case.seed + 1),
        "with states" if not case.states else "without states": replace(
            case, states=not case.states, seed=case.seed + 1
        ),
        "with one step": replace(batched, seq_len=1),
        "with more steps": replace(batched, seq_len=case.seq_len + 3),
        "with more rows": replace(batched, batch_size=case.batch_size + 2),
        "without a batch": replace(batched, layout="unbatched", batch_size=1),
        "with packed rows": replace(
            batched, layout="packed_unsorted", seq_len=3, batch_size=2, lengths=(1, 3)
        ),
        "with as many steps in other rows": in_other_rows(batched, case),
    }


def in_other_rows(batched: Case, case: Case) -> Case:
    """As many steps in all, in rows of other lengths; in as many rows, if it can be."""
    if not case.packed:
        return replace(batched, seq_len=case.batch_size, batch_size=case.seq_len)
    lengths = sorted(case.lengths, reverse=True)
    if lengths[0] - lengths[-1] > 1:
        lengths = sorted([lengths[0] - 1, *lengths[1:-1], lengths[-1] + 1], reverse=True)
    else:  # rows become steps, and steps become rows
        lengths = [sum(length > t for length in lengths) for t in range(case.seq_len)]
    return replace(
        batched,
        layout="packed_sorted",
        seq_len=lengths[0],
        batch_size=len(lengths),
        lengths=tuple(lengths),
    )


# ------------------------------------------------------------- memory layouts


@pytest.mark.lstm_clause("PURE-9")
def test_layout_of_the_input(lstm_check: Checker) -> None:
    lstm_check.forall(FORWARD, laid_out("input"), also_large=True)
    # The distance of its rows may be any number.
    one_row = FORWARD.but(layout=("batched",), batch_size=(1, 1), seq_len=(2, 8))
    lstm_check.forall(one_row, laid_out("input"), at_most=6)
    lstm_check.forall(FORWARD, negated("input"), at_most=8)


@pytest.mark.lstm_clause("PURE-10")
def test_layout_of_the_states(lstm_check: Checker) -> None:
    domain = FORWARD.but(states=(True,))
    lstm_check.forall(domain, laid_out("h_0", "c_0"), also_large=True)
    lstm_check.forall(domain, negated("h_0", "c_0"), at_most=8)


@pytest.mark.lstm_clause("PURE-11")
def test_gradients_under_any_layout(lstm_check: Checker) -> None:
    lstm_check.forall(BACKWARD, laid_out("input", "h_0", "c_0"), also_large=True)
    lstm_check.forall(BACKWARD, negated("input", "h_0", "c_0"), at_most=8)


def negated(*names: str) -> Rule:
    return unless_refused("negated views", laid_out(*names, layouts=NEGATED))


def laid_out(*names: str, layouts: Mapping[str, Layout] = ARGUMENT_LAYOUTS) -> Rule:
    """The rule that results, or gradients if there are any, are right in every memory layout."""

    def rule(trial: Trial) -> list[Finding]:
        findings: list[Finding] = []
        for note, layout in layouts.items():
            with trial.bench(layout.case(trial.case, names)) as bench:
                findings += laid_out_on(trial, bench, names, layout, note)
        return findings

    return rule


def laid_out_on(
    trial: Trial, bench: Bench, names: Iterable[str], layout: Layout, note: str
) -> Iterator[Finding]:
    case, module = bench.case, bench.module()
    arguments = {
        name: layout.apply(tensor.detach()).requires_grad_(tensor.requires_grad)
        if name in names
        else tensor
        for name, tensor in bench.arguments().items()
    }

    def call(x: Any, *states: Any) -> Any:
        # Packing copied the input, so its result is laid out again.
        if case.packed and "input" in names and layout.fits_packed(case):
            x = x._replace(data=layout.apply(x.data))
        return module(x, *states)

    expectation = trial.expectation if case is trial.case else expect(case)
    note = f"{' and '.join(names)} {note}"
    outputs = bench.call(call, arguments)
    if case.cotangents:
        bench.backward(outputs)
        observed = bench.gradients(module, arguments)
    else:
        observed = bench.observe_all(outputs)
        with bench.torch.no_grad():  # inference may have kernels of its own
            without = bench.observe_all(bench.call(call, arguments))
        yield from trial.close_all(without, list(without), f"{note}, in no_grad", expectation)
    yield from trial.close_all(observed, list(observed), note, expectation)


# -------------------------------------------------------------- global state


@pytest.mark.lstm_clause("PURE-12")
def test_random_state(lstm_check: Checker) -> None:
    lstm_check.forall(ANY, random_state_unchanged, also_large=True)


def random_state_unchanged(trial: Trial) -> list[Finding]:
    # With one layer, dropout does not act in training mode either.
    one_layer = trial.case.config.num_layers == 1
    case = replace(trial.case, training=True) if one_layer else trial.case
    findings = []
    with trial.bench(case) as bench:
        module, arguments = bench.module(), bench.arguments()
        draw_some(bench)
        before = random_state(bench)
        for when in forward_and_backward(bench, module, arguments):
            for name, state in random_state(bench).items():
                message = f"random state changed by {when}"
                findings.append(holds(name, state == before[name], message))
    return findings


@pytest.mark.lstm_clause("PURE-18")
def test_random_state_under_dropout(lstm_check: Checker) -> None:
    dropped = BACKWARD.but(num_layers=(2, 3), dropout=("some",))
    lstm_check.forall(dropped, on_bench(random_state_unchanged_by_backward))
    # Of long sequences, some layers may be computed again in the backward pass.
    long = dropped.but(seq_len=(130, 140), layout=("batched",))
    lstm_check.forall(long, on_bench(random_state_unchanged_by_backward), at_most=2)


def random_state_unchanged_by_backward(trial: Trial, bench: Bench) -> Iterator[Finding]:
    """The masks may be drawn again, if the generators are put back to where they were."""
    outputs = bench.call(bench.module(), bench.arguments())
    draw_some(bench)
    before = random_state(bench)
    bench.backward(outputs)
    for name, state in random_state(bench).items():
        yield holds(name, state == before[name], "random state changed by the backward pass")


def draw_some(bench: Bench) -> None:
    """Random numbers of the program, so that no seed gives the state of the generators."""
    for draw in (bench.torch.rand, np.random.random_sample, random.getrandbits):
        draw(3)


def random_state(bench: Bench) -> Mapping[str, object]:
    """The state of every global random generator."""
    torch, device = bench.torch, bench.case.device
    numpy_state: Any = np.random.get_state()
    states = {
        "torch": bits(torch.get_rng_state()),
        "numpy": (numpy_state[1].tobytes(), *numpy_state[2:]),
        "random": random.getstate(),
    }
    if device.startswith("cuda"):
        states["torch.cuda"] = bits(torch.cuda.get_rng_state(device))
    return states


def settings_unchanged(
    before: Mapping[str, Any], python: PythonState, when: str
) -> Iterator[Finding]:
    replaced = python.restore()  # nothing works without builtins
    for name in replaced:
        yield holds(name, False, f"changed by {when}")
    for name, value in read_settings().items():
        same = value == before[name]
        message = "" if same else f"changed by {when} from {before[name]} to {value}"
        yield holds(name, same, message)


@pytest.mark.lstm_clause("PURE-13")
def test_settings_during_construction(lstm_check: Checker) -> None:
    lstm_check.forall(FORWARD, on_bench(construction_changes_no_setting))


def construction_changes_no_setting(trial: Trial, bench: Bench) -> Iterator[Finding]:
    with PythonState() as python:
        before = read_settings()
        bench.construct()
        yield from settings_unchanged(before, python, "the constructor")


@pytest.mark.lstm_clause("PURE-14")
def test_settings_during_a_call(lstm_check: Checker) -> None:
    lstm_check.forall(ANY, on_bench(call_changes_no_setting))
    # Longer sequences may have kernels of their own.
    lstm_check.forall(
        FORWARD.but(seq_len=(66, 90), hidden_size=(17, 40)), on_bench(call_changes_no_setting),
        at_most=4,
    )  # fmt: skip


def call_changes_no_setting(trial: Trial, bench: Bench) -> Iterator[Finding]:
    module, arguments = bench.module(), bench.arguments()
    found: list[Finding] = []

    def watched(x: Any, *states: Any) -> Any:
        # Within the call, because the gradient mode is another one outside.
        before = read_settings()
        result = module(x, *states)
        found.extend(settings_unchanged(before, python, "the call"))
        return result

    with PythonState() as python:
        for when in forward_and_backward(bench, watched, arguments):
            if when != BACKWARD_PASS:
                before = read_settings()
            else:
                found.extend(settings_unchanged(before, python, when))
            if any(finding.verdict == FAIL for finding in found):
                break  # the backward pass may be impossible in these settings
    yield from found


@pytest.mark.lstm_clause("PURE-15")
def test_mode_of_the_module(lstm_check: Checker) -> None:
    lstm_check.forall(ANY, on_bench(mode_unchanged))


def mode_unchanged(trial: Trial, bench: Bench) -> Iterator[Finding]:
    module = bench.module()
    before = {name: part.training for name, part in module.named_modules()}
    for when in forward_and_backward(bench, module):
        for name, part in module.named_modules():
            same = part.training == before.get(name)
            yield holds(f"training of {name or 'the module'}", same, f"changed by {when}")


# --------------------------------------------------------------- two modules


@pytest.mark.lstm_clause("PURE-16")
def test_parameters_of_ones_own(lstm_check: Checker) -> None:
    lstm_check.forall(FORWARD, on_bench(parameters_of_ones_own))


def parameters_of_ones_own(trial: Trial, bench: Bench) -> Iterator[Finding]:
    modules = bench.module(), bench.module()
    for written, other in (modules, modules[::-1]):
        parameters = dict(other.named_parameters())
        before = bits_of(parameters)
        for parameter in written.parameters():
            overwrite(bench, parameter)
        yield from unchanged(parameters, before, "writing to the parameters of another module")


@pytest.mark.lstm_clause("PURE-17")
def test_modules_side_by_side(lstm_check: Checker) -> None:
    lstm_check.forall(BACKWARD, on_bench(modules_side_by_side), also_large=True)
    lstm_check.forall(BACKWARD, on_bench(after_nan_in_a_wider_module), at_most=10)


def modules_side_by_side(trial: Trial, bench: Bench) -> Iterator[Finding]:
    other = replace(trial.case, seed=trial.case.seed + 1)
    with trial.bench(other) as other_bench:
        benches = (bench, other_bench)
        modules = [side.module() for side in benches]
        arguments = [side.arguments() for side in benches]
        outputs = [side.call(modules[k], arguments[k]) for k, side in enumerate(benches)]
        for k, side in enumerate(benches):
            side.backward(outputs[k])
        for k, expectation in enumerate((trial.expectation, expect(other))):
            observed = benches[k].observe_all(outputs[k])
            observed.update(benches[k].gradients(modules[k], arguments[k]))
            for name, tensor in observed.items():
                yield trial.close(name, tensor, expectation, f"{('first', 'second')[k]} module")


def after_nan_in_a_wider_module(trial: Trial, bench: Bench) -> Iterator[Finding]:
    """Memory that modules share may still hold NaN, behind the features or units of this one."""
    case, config = trial.case, trial.case.config
    for pad in (4, 32):  # to a multiple of which kernels may fill rows up
        wide = replace(
            config,
            input_size=-(-(config.input_size + 1) // pad) * pad,
            hidden_size=-(-(config.hidden_size + 1) // pad) * pad,
        )
        other = replace(case, config=wide, seed=case.seed + 1)
        other = other.with_values({"input": np.full(other.shapes()["input"], np.nan)})
        if unsupported(trial.implementation, other) is not None:
            continue
        with trial.bench(other) as other_bench:
            for mode in (bench.torch.enable_grad, bench.torch.no_grad):
                with mode():
                    other_bench.call(other_bench.module(), other_bench.arguments())
                    outputs = bench.call(bench.module(), bench.arguments())
                when = f"after NaN in a wider module, in {mode.__name__}"
                yield from close_outputs(trial, bench, outputs, when)
