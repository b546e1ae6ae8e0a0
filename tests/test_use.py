"""Chapter USE: construction, calls, and the errors that must be raised.

The file is long because it has all tests of the chapter: a chapter is one file.
"""

from __future__ import annotations

import faulthandler
import json
import multiprocessing
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest

from lstm_conformance.runner.judging.comparison import Finding, holds, shape_message
from lstm_conformance.runner.judging.rules import Rule, on_bench
from lstm_conformance.runner.judging.trial import Trial
from lstm_conformance.runner.processes.child_process import ProcessFailed
from lstm_conformance.runner.searching.checker import Checker
from lstm_conformance.spec.case import LAYOUTS, OUTPUTS, Case
from lstm_conformance.spec.config import LSTMConfig
from lstm_conformance.spec.contract import Implementation, Nonconformance, Unsupported
from lstm_conformance.spec.interrupts import is_interrupt
from lstm_conformance.spec.strategies import STACK, Domain
from lstm_conformance.spec.verdicts import PASS

if TYPE_CHECKING:
    import torch

    from lstm_conformance.adapters.torch_bench import Bench

Tensors = dict[str, "torch.Tensor"]
Call = Callable[[], object]
Probe = Callable[[Trial, "Bench"], Iterable[Finding]]

ANY = Domain(cotangents=((),))
TENSOR = ANY.but(layout=LAYOUTS[:2])
PACKED = ANY.but(layout=LAYOUTS[2:])
# A module may compute packed rows of equal length as a batch.
EQUAL_LENGTHS = PACKED.but(layout=("packed_sorted",), seq_len=(2, 2))

# Whether a wrong call is refused does not depend on values, so few cases are enough.
REFUSALS_AT_MOST = 12


# -------------------------------------------------------------- arguments, result

# In the order of the signature.
ARGUMENTS = (
    "input_size",
    "hidden_size",
    "num_layers",
    "bias",
    "batch_first",
    "dropout",
    "bidirectional",
    "proj_size",
    "device",
    "dtype",
)


def constructor_arguments(bench: Bench) -> dict[str, object]:
    """The constructor arguments of the case, in the order of the signature."""
    values = {**vars(bench.case.config), "device": bench.case.device, "dtype": bench.dtype}
    return {name: values[name] for name in ARGUMENTS}


def matches_case(trial: Trial, bench: Bench, module: Any) -> Iterator[Finding]:
    """Whether a module has the parameters and results of the case."""
    module.train(trial.case.training)
    bench.load(module)
    outputs = bench.observe_all(bench.call(module, bench.arguments()))
    yield from trial.close_all(outputs, OUTPUTS)


@pytest.mark.lstm_clause("USE-1")
def test_positional_arguments(lstm_check: Checker) -> None:
    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        yield from matches_case(trial, bench, bench.factory(*constructor_arguments(bench).values()))

    # Two arguments that are exchanged show only where they differ.
    domain = ANY.but(together=("bias", "batch_first", "bidirectional"))
    lstm_check.forall(domain, on_bench(probe))


@pytest.mark.lstm_clause("USE-2")
def test_keyword_arguments(lstm_check: Checker) -> None:
    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        backwards = dict(reversed(constructor_arguments(bench).items()))
        yield from matches_case(trial, bench, bench.factory(**backwards))

    lstm_check.forall(ANY, on_bench(probe))


@pytest.mark.lstm_clause("USE-3")
def test_default_arguments(lstm_check: Checker) -> None:
    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        config = trial.case.config
        defaults = vars(LSTMConfig(config.input_size, config.hidden_size))
        others = {
            name: v for name, v in constructor_arguments(bench).items() if v != defaults.get(name)
        }
        module = bench.factory(config.input_size, config.hidden_size, **others)
        yield from matches_case(trial, bench, module)

    # In training, a dropout that is not 0 by default shows with several layers.
    rule, without_dropout = on_bench(probe), ANY.but(dropout=("none",))
    without_dropout = without_dropout.but(together=("num_layers", "training"))
    lstm_check.forall(without_dropout, rule)
    # Where the order of the axes can be seen.
    rows = without_dropout.but(layout=("batched",), seq_len=(2, 8), batch_size=(2, 4))
    lstm_check.forall(rows, rule)


@pytest.mark.lstm_clause("USE-4")
def test_form_of_the_result(lstm_check: Checker) -> None:
    def pair(name: str, value: object) -> Finding:
        is_pair = isinstance(value, tuple) and len(value) == 2
        return holds(name, is_pair, f"not a pair but a {type(value).__name__}")

    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        result: Any = bench.result(bench.module(), bench.arguments())
        yield pair("result", result)
        output, states = result
        yield pair("h_n, c_n", states)
        tensor, packed = bench.torch.Tensor, bench.torch.nn.utils.rnn.PackedSequence
        kinds = {"output": packed if trial.case.packed else tensor, "h_n": tensor, "c_n": tensor}
        for value, (name, kind) in zip((output, *states), kinds.items(), strict=True):
            found = type(value).__name__
            yield holds(name, isinstance(value, kind), f"not a {kind.__name__} but a {found}")

    lstm_check.forall(ANY, on_bench(probe))


@pytest.mark.lstm_clause("USE-5")
def test_none_for_the_states(lstm_check: Checker) -> None:
    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        module = bench.module()
        outputs = bench.call(lambda x: module(x, None), bench.arguments())
        yield from trial.close_all(bench.observe_all(outputs), OUTPUTS)

    lstm_check.forall(ANY.but(states=(False,)), on_bench(probe))


@pytest.mark.lstm_clause("USE-6")
def test_arguments_of_a_call_by_name(lstm_check: Checker) -> None:
    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        module = bench.module()

        def by_name(x: object, *states: object) -> object:
            return module(**dict(zip(("hx", "input"), (*states, x), strict=True)))

        def without_states(x: object) -> object:
            return module(input=x)

        call = by_name if trial.case.states else without_states
        outputs = bench.call(call, bench.arguments())
        yield from trial.close_all(bench.observe_all(outputs), OUTPUTS)

    lstm_check.forall(ANY, on_bench(probe))


# --------------------------------------------------------------------- refusals

# The exceptions that count as a refusal. NotImplementedError is a RuntimeError. torch raises all of
# them except AssertionError, which other code often raises instead of ValueError. Others, such as
# KeyError or ZeroDivisionError, are accidents.
REFUSALS = (
    AssertionError,
    AttributeError,
    IndexError,
    RuntimeError,
    TypeError,
    ValueError,
)
REFUSED, ACCEPTED = "was refused", "was accepted"

# The seconds that a call may take in a child process.
TIME_LIMIT = 20.0


class WrongCall(NamedTuple):
    """A call that must be refused."""

    argument: str
    what: str
    call: Call


def refusals(
    bench: Bench, right: Call, wrong: Iterable[WrongCall], in_child: bool = True
) -> Iterator[Finding]:
    """Whether wrong calls are refused. Stops after the first call that ends the process.

    Args:
        bench: the bench of the case.
        right: a call that each wrong call differs from in one argument. It must work, so that
            nothing else is the reason for a refusal.
        wrong: the wrong calls.
        in_child: whether the calls may end the process, and so run in a child process. They are
            calls of a module then, which may check less where there are no gradients.
    """
    right()
    wrong = list(wrong)
    if in_child:
        wrong += [without_gradients(bench, each) for each in wrong]
    in_child = in_child and bench.case.device == "cpu" and not _Child.is_this_process
    make = outcomes_in_child if in_child else outcomes_of
    first, *outcomes = make([right, *(each.call for each in wrong)])
    if first != ACCEPTED:
        raise Unsupported(f"the right call {first} in a child process")
    # After a call that ends the process there are no outcomes of later calls.
    for each, outcome in zip(wrong, outcomes, strict=False):
        yield holds(each.argument, outcome == REFUSED, f"{each.what} {outcome}")


def without_gradients(bench: Bench, wrong: WrongCall) -> WrongCall:
    def call() -> object:
        with bench.torch.no_grad():
            return wrong.call()

    return wrong._replace(what=f"{wrong.what}, under no_grad,", call=call)


def outcomes_of(calls: list[Call]) -> list[str]:
    """The outcome of each call."""
    return [outcome_of(call) for call in calls]


def outcomes_in_child(calls: list[Call]) -> list[str]:
    """The outcome of each call, in a child process on Linux.

    Native code that does not check its arguments may write outside its memory. In this process,
    that could crash it, or change the results of other clauses.
    """
    if sys.platform != "linux":
        return outcomes_of(calls)
    context, outcomes = multiprocessing.get_context("fork"), list[str]()
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=report, args=(calls, sender), daemon=True)
    child.start()
    sender.close()
    with suppress(EOFError):
        while len(outcomes) < len(calls) and receiver.poll(TIME_LIMIT):
            outcomes.append(receiver.recv())
    if len(outcomes) < len(calls):
        hangs = child.is_alive() and not receiver.poll(0)
        outcomes.append("did not end" if hangs else "ended the process")
    child.kill()
    child.join()
    receiver.close()
    return outcomes


def report(calls: list[Call], sender: Connection) -> None:
    """Makes the calls, and sends the outcome of each."""
    leave_quietly()
    for call in calls:
        sender.send(outcome_of(call))


def leave_quietly() -> None:
    """From now on this process says and does nothing if it is ended.

    What the parent does on a signal is not for its children: they would end the whole run.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    faulthandler.disable()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def outcome_of(call: Call) -> str:
    """The outcome of a call, as the second half of a sentence."""
    try:
        call()
    except REFUSALS:
        return REFUSED
    except BaseException as error:
        if is_interrupt(error):
            raise
        return f"raised {type(error).__name__}, which does not count as a refusal"
    return ACCEPTED


def in_children(probe: Probe) -> Rule:
    """The rule of a probe whose calls run in a child process: see :func:`refusals`.

    To fork for each case takes longer than everything else. So one child judges case after case,
    as long as all wrong calls are refused. After one that is accepted its memory may be damaged, so
    that the next case has a new child. If the child gives no answer, its case is judged again, with
    a child for the calls only.
    """
    rule = on_bench(probe)
    child: _Child | None = None

    def judge(trial: Trial) -> list[Finding]:
        nonlocal child
        if sys.platform != "linux" or trial.case.device != "cpu":
            return rule(trial)
        if child is None:
            child = _Child(rule, trial.implementation)
        findings = child.findings(trial)
        if findings is None or any(finding.verdict != PASS for finding in findings):
            child.end()
            child = None
        return rule(trial) if findings is None else findings

    return judge


class _Child:
    """A forked process that judges cases by one rule, until the other end of its pipe closes."""

    is_this_process = False

    def __init__(self, rule: Rule, implementation: Implementation) -> None:
        context = multiprocessing.get_context("fork")
        self._connection, other = context.Pipe()
        self._process = context.Process(
            target=self._answer, args=(other, self._connection, rule, implementation), daemon=True
        )
        self._process.start()
        other.close()

    def findings(self, trial: Trial) -> list[Finding] | None:
        """The findings of the rule; None if it gave no answer, or raised."""
        with suppress(OSError, EOFError, ValueError):
            self._connection.send_bytes(str(trial.case).encode())
            if self._connection.poll(TIME_LIMIT):
                answer: dict[str, Any] = json.loads(self._connection.recv_bytes(10**5))
                trial.seconds += answer["seconds"]
                return [
                    holds(str(what), is_right is True, str(message))
                    for what, is_right, message in answer["findings"]
                ]
        return None

    def end(self) -> None:
        self._connection.close()
        self._process.kill()
        self._process.join()

    @staticmethod
    def _answer(
        connection: Connection, other: Connection, rule: Rule, implementation: Implementation
    ) -> None:
        other.close()
        _Child.is_this_process = True
        leave_quietly()
        with suppress(OSError, EOFError):
            while True:
                trial = Trial(Case.parse(connection.recv_bytes().decode()), implementation)
                # All findings are on whether a call was refused, and have no numbers.
                findings = [
                    (finding.tensor, finding.verdict == PASS, finding.message)
                    for finding in rule(trial)
                ]
                answer = {"findings": findings, "seconds": trial.seconds}
                connection.send_bytes(json.dumps(answer).encode())
        os._exit(0)


# -------------------------------------------------------- refused by the constructor

PLAIN_ARGUMENTS = ANY.but(dropout=("none",), projection=(False,), layout=("batched",))


def constructor_refuses(argument: str, values: Callable[[Bench], Iterable[object]]) -> Rule:
    """The rule that the constructor refuses these values of one argument."""

    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        wrong = [
            WrongCall(
                argument, f"{argument}={value!r}", partial(bench.construct, **{argument: value})
            )
            for value in values(bench)
        ]
        yield from refusals(bench, bench.construct, wrong, in_child=False)

    return on_bench(probe)


@pytest.mark.lstm_clause("USE-7")
def test_no_nonlinearity(lstm_check: Checker) -> None:
    rule = constructor_refuses("nonlinearity", lambda bench: ("tanh", "relu"))
    lstm_check.forall(ANY, rule, REFUSALS_AT_MOST, share_stack=False)


@pytest.mark.lstm_clause("USE-8")
def test_unknown_arguments(lstm_check: Checker) -> None:
    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        right, construct = constructor_arguments(bench), bench.factory
        wrong = [
            WrongCall(name, f"{name}={value}", partial(construct, **right, **{name: value}))
            for name, value in (("activation", "tanh"), ("num_layer", 1), ("skip_input", False))
        ]
        eleventh = partial(construct, *right.values(), None)
        wrong.append(WrongCall("eleventh", "an argument after dtype", eleventh))
        yield from refusals(bench, partial(construct, **right), wrong, in_child=False)

    lstm_check.forall(ANY, on_bench(probe), REFUSALS_AT_MOST, share_stack=False)


@pytest.mark.lstm_clause("USE-9")
def test_required_arguments(lstm_check: Checker) -> None:
    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        right = constructor_arguments(bench)

        def without(*names: str) -> WrongCall:
            left = {name: value for name, value in right.items() if name not in names}
            missing = " and ".join(names)
            return WrongCall(missing, "a call without it", partial(bench.factory, **left))

        wrong = [
            without("input_size"),
            without("hidden_size"),
            without("input_size", "hidden_size"),
        ]
        yield from refusals(bench, partial(bench.factory, **right), wrong, in_child=False)

    lstm_check.forall(ANY, on_bench(probe), REFUSALS_AT_MOST, share_stack=False)


@pytest.mark.lstm_clause("USE-10")
def test_values_of_input_size(lstm_check: Checker) -> None:
    rule = constructor_refuses("input_size", lambda bench: (-1, -3, 2.5, "3", None))
    lstm_check.forall(PLAIN_ARGUMENTS, rule, REFUSALS_AT_MOST, share_stack=False)


@pytest.mark.lstm_clause("USE-11")
def test_input_without_features(lstm_check: Checker) -> None:
    rule = constructor_refuses("input_size", lambda bench: (0,))
    lstm_check.forall(PLAIN_ARGUMENTS, rule, REFUSALS_AT_MOST, share_stack=False)


@pytest.mark.lstm_clause("USE-12")
def test_values_of_hidden_size(lstm_check: Checker) -> None:
    rule = constructor_refuses("hidden_size", lambda bench: (0, -1, -3, 2.5, "3", None))
    lstm_check.forall(PLAIN_ARGUMENTS, rule, REFUSALS_AT_MOST, share_stack=False)


@pytest.mark.lstm_clause("USE-13")
def test_values_of_num_layers(lstm_check: Checker) -> None:
    rule = constructor_refuses("num_layers", lambda bench: (0, -1, -3, 1.5, "2", None))
    lstm_check.forall(PLAIN_ARGUMENTS, rule, REFUSALS_AT_MOST, share_stack=False)


@pytest.mark.lstm_clause("USE-14")
def test_values_of_proj_size(lstm_check: Checker) -> None:
    rule = constructor_refuses("proj_size", lambda bench: (-1, -3, 0.5, 1.5, "1", None))
    domain = PLAIN_ARGUMENTS.but(projection=(False, True), hidden_size=(3, 6))
    lstm_check.forall(domain, rule, REFUSALS_AT_MOST, share_stack=False)


@pytest.mark.lstm_clause("USE-15")
def test_limit_of_proj_size(lstm_check: Checker) -> None:
    def too_large(bench: Bench) -> Iterable[int]:
        hidden_size = bench.case.config.hidden_size
        return hidden_size, hidden_size + 1, 2 * hidden_size + 1

    domain = PLAIN_ARGUMENTS.but(projection=(False, True))
    lstm_check.forall(
        domain, constructor_refuses("proj_size", too_large), REFUSALS_AT_MOST, share_stack=False
    )


@pytest.mark.lstm_clause("USE-16")
def test_values_of_dropout(lstm_check: Checker) -> None:
    nan, infinity = float("nan"), float("inf")
    values = (-0.1, -1, 1.1, 2, nan, infinity, -infinity, "0.5", "no", None)
    rule = constructor_refuses("dropout", lambda bench: values)
    lstm_check.forall(PLAIN_ARGUMENTS, rule, REFUSALS_AT_MOST, share_stack=False)


@pytest.mark.lstm_clause("USE-17")
def test_true_or_false_for_dropout(lstm_check: Checker) -> None:
    rule = constructor_refuses("dropout", lambda bench: (True, False))
    lstm_check.forall(PLAIN_ARGUMENTS, rule, REFUSALS_AT_MOST, share_stack=False)


@pytest.mark.lstm_clause("USE-18")
def test_dropout_in_a_single_layer(lstm_check: Checker) -> None:
    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        def because_of_dropout(num_layers: int) -> set[str]:
            """The warnings with dropout that do not occur without it."""
            found = {}
            for dropout in (0.0, 0.5):
                with warnings.catch_warnings(record=True) as caught:
                    warnings.simplefilter("always")
                    bench.construct(num_layers=num_layers, dropout=dropout)
                found[dropout] = {str(warning.message) for warning in caught}
            return found[0.5] - found[0.0]

        yield holds("dropout", bool(because_of_dropout(1)), "no warning with one layer")
        if "layers" in trial.implementation.capabilities:
            yield holds("dropout", not because_of_dropout(2), "a warning with two layers")

    lstm_check.forall(PLAIN_ARGUMENTS, on_bench(probe), REFUSALS_AT_MOST, share_stack=False)


@pytest.mark.lstm_clause("USE-19")
def test_values_of_dtype(lstm_check: Checker) -> None:
    def no_float_dtypes(bench: Bench) -> Iterable[object]:
        torch = bench.torch
        return torch.int64, torch.int32, torch.uint8, torch.bool, "float7", 32

    lstm_check.forall(
        PLAIN_ARGUMENTS, constructor_refuses("dtype", no_float_dtypes), REFUSALS_AT_MOST
    )


@pytest.mark.lstm_clause("USE-20")
def test_values_of_device(lstm_check: Checker) -> None:
    rule = constructor_refuses("device", lambda bench: ("nowhere", "cpu:one", 1.5))
    lstm_check.forall(PLAIN_ARGUMENTS, rule, REFUSALS_AT_MOST, share_stack=False)


# ---------------------------------------------------------------- refused by a call

STATES = ("h_0", "c_0")


def call_refuses(changes: Callable[[Bench, Tensors], Iterable[Tensors]]) -> Rule:
    """The rule that a call is refused with these changes of its arguments."""

    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        module, arguments = bench.module(), bench.arguments()

        def call(changed: Tensors) -> Call:
            return partial(bench.result, module, {**arguments, **changed})

        wrong = [
            WrongCall(" and ".join(changed), differences(arguments, changed), call(changed))
            for changed in changes(bench, arguments)
        ]
        yield from refusals(bench, call({}), wrong)

    return in_children(probe)


def differences(arguments: Tensors, changed: Tensors) -> str:
    """The differences between the changed arguments and the right ones."""

    def properties(tensor: torch.Tensor) -> Iterator[str]:
        return (
            f"{what} {value}"
            for what, value in (
                ("shape", tuple(tensor.shape)),
                ("dtype", tensor.dtype),
                ("device", tensor.device),
            )
        )

    return ", ".join(
        f"{wrong} in place of {right}"
        for name, tensor in changed.items()
        for wrong, right in zip(properties(tensor), properties(arguments[name]), strict=True)
        if wrong != right
    )


def resized(tensor: torch.Tensor, axis: int, *more: int) -> Iterator[torch.Tensor]:
    """Tensors with another size of one axis: 0, 1, one less, one more, double, and ``more``."""
    shape, right = list(tensor.shape), tensor.shape[axis]
    for size in sorted({0, 1, right - 1, right + 1, 2 * right, *more} - {right}):
        shape[axis] = size
        yield tensor.new_zeros(shape)


def changed_states(
    arguments: Tensors, change: Callable[[torch.Tensor], Iterable[torch.Tensor]]
) -> Iterator[Tensors]:
    """Every change of h_0 alone, of c_0 alone, and of both together."""
    ways = {name: list(change(arguments[name])) for name in STATES}
    for name, tensors in ways.items():
        for tensor in tensors:
            yield {name: tensor}
    for both in zip(ways["h_0"], ways["c_0"], strict=False):
        yield dict(zip(STATES, both, strict=True))


def other_dtypes(bench: Bench, tensor: torch.Tensor) -> Iterator[torch.Tensor]:
    torch = bench.torch
    for dtype in (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64):
        if dtype != tensor.dtype:
            yield tensor.to(dtype)


def other_devices(tensor: Any) -> Iterator[str]:
    """Devices where a tensor, or a packed sequence, is not: "meta", which every machine has."""
    yield "meta"
    if not tensor.is_cpu:
        yield "cpu"


def on_other_devices(tensor: torch.Tensor) -> Iterator[torch.Tensor]:
    return (tensor.to(device) for device in other_devices(tensor))


@pytest.mark.lstm_clause("USE-21")
def test_required_input(lstm_check: Checker) -> None:
    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        module, arguments = bench.module(), bench.arguments()
        right = partial(bench.result, module, arguments)
        wrong = [
            WrongCall("input", "a call without it", module),
            WrongCall("input", "None", partial(module, None)),
        ]
        yield from refusals(bench, right, wrong)

    lstm_check.forall(ANY, in_children(probe), REFUSALS_AT_MOST, share_stack=False)


@pytest.mark.lstm_clause("USE-22")
def test_axes_of_the_input(lstm_check: Checker) -> None:
    def changes(bench: Bench, arguments: Tensors) -> Iterator[Tensors]:
        x = arguments["input"]
        lead, features = x.shape[:-1], x.shape[-1]
        for shape in ((), (features,), (1,) * (3 - len(lead)) + tuple(x.shape)):
            yield {"input": x.new_zeros(shape)}

    lstm_check.forall(TENSOR, call_refuses(changes), REFUSALS_AT_MOST, share_stack=False)


def other_features(bench: Bench, arguments: Tensors) -> Iterator[Tensors]:
    return ({"input": x} for x in resized(arguments["input"], -1))


@pytest.mark.lstm_clause("USE-23")
def test_features_of_the_input(lstm_check: Checker) -> None:
    lstm_check.forall(TENSOR, call_refuses(other_features), REFUSALS_AT_MOST, share_stack=False)


@pytest.mark.lstm_clause("USE-24")
def test_features_of_a_packed_sequence(lstm_check: Checker) -> None:
    rule, without_projection = call_refuses(other_features), EQUAL_LENGTHS.but(projection=(False,))
    lstm_check.forall(PACKED, rule, REFUSALS_AT_MOST, share_stack=False)
    lstm_check.forall(without_projection, rule, REFUSALS_AT_MOST, share_stack=False)


@pytest.mark.lstm_clause("USE-25")
def test_no_steps(lstm_check: Checker) -> None:
    def changes(bench: Bench, arguments: Tensors) -> Iterator[Tensors]:
        x = arguments["input"]
        batch_first = bench.case.config.batch_first and x.dim() == 3
        yield {"input": x[:, :0] if batch_first else x[:0]}

    refused = call_refuses(changes)

    def rule(trial: Trial) -> list[Finding]:
        is_module = "module" in trial.implementation.capabilities
        return refused(trial) if is_module else refused_or_nothing_read(trial)

    lstm_check.forall(TENSOR, rule, REFUSALS_AT_MOST, share_stack=False)


def refused_or_nothing_read(trial: Trial) -> list[Finding]:
    """Whether an input without steps raises an exception, or leaves the states as they were."""
    case = replace(trial.case, seq_len=0)
    trial.run(trial.case)  # works, so that nothing else is the reason for a refusal
    try:
        tensors = trial.run(case).tensors
    except (Unsupported, Nonconformance, ProcessFailed):
        raise
    except Exception:  # frameworks have exceptions of their own
        return [holds("input", True, "")]
    given, shapes, findings = case.arguments(), case.shapes(), []
    for name, before in (("output", ""), ("h_n", "h_0"), ("c_n", "c_0")):
        values, shape = tensors[name].values, shapes[name]
        right = values.shape == shape
        findings.append(holds(name, right, f"without steps, {shape_message(values.shape, shape)}"))
        if right:
            kept = np.array_equal(values, given.get(before, np.zeros(shape)))
            findings.append(holds(name, kept, "without steps, not the state before the sequence"))
    return findings


@pytest.mark.lstm_clause("USE-26")
def test_dtype_of_the_input(lstm_check: Checker) -> None:
    def changes(bench: Bench, arguments: Tensors) -> Iterator[Tensors]:
        return ({"input": x} for x in other_dtypes(bench, arguments["input"]))

    lstm_check.forall(ANY, call_refuses(changes), REFUSALS_AT_MOST, share_stack=False)


@pytest.mark.lstm_clause("USE-27")
def test_device_of_the_input(lstm_check: Checker) -> None:
    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        module, arguments = bench.module(), bench.arguments()
        x: Any = bench.pack(arguments.pop("input"))
        states = [tuple(arguments.values())] if arguments else []
        wrong = [
            WrongCall("input", f"device {device}", partial(module, x.to(device), *states))
            for device in other_devices(x.data)
        ]
        yield from refusals(bench, partial(module, x, *states), wrong)

    rule = in_children(probe)
    for domain in (TENSOR, PACKED):
        lstm_check.forall(domain, rule, REFUSALS_AT_MOST, share_stack=False)


def refuses_states(forms: Callable[[torch.Tensor, torch.Tensor], dict[str, object]]) -> Rule:
    """The rule that a call refuses states that are not a pair."""

    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        module, arguments = bench.module(), bench.arguments()
        x, h_0, c_0 = bench.pack(arguments["input"]), arguments["h_0"], arguments["c_0"]
        wrong = [
            WrongCall("states", what, partial(module, x, states))
            for what, states in forms(h_0, c_0).items()
        ]
        yield from refusals(bench, partial(module, x, (h_0, c_0)), wrong)

    return in_children(probe)


WITH_STATES = ANY.but(states=(True,), together=STACK)


@pytest.mark.lstm_clause("USE-28")
def test_one_state_without_the_other(lstm_check: Checker) -> None:
    def forms(h_0: torch.Tensor, c_0: torch.Tensor) -> dict[str, object]:
        return {
            "h_0 itself": h_0,
            "(h_0,)": (h_0,),
            "(h_0, None)": (h_0, None),
            "(None, c_0)": (None, c_0),
            "(None, None)": (None, None),
            "()": (),
        }

    lstm_check.forall(WITH_STATES, refuses_states(forms), REFUSALS_AT_MOST, share_stack=False)


@pytest.mark.lstm_clause("USE-29")
def test_three_states(lstm_check: Checker) -> None:
    def forms(h_0: torch.Tensor, c_0: torch.Tensor) -> dict[str, object]:
        return {"(h_0, c_0, c_0)": (h_0, c_0, c_0), "(h_0, c_0, None)": (h_0, c_0, None)}

    lstm_check.forall(WITH_STATES, refuses_states(forms), REFUSALS_AT_MOST, share_stack=False)


@pytest.mark.lstm_clause("USE-30")
def test_batch_axis_of_the_states(lstm_check: Checker) -> None:
    def other_axes(state: torch.Tensor) -> Iterator[torch.Tensor]:
        yield state[:, 0] if state.dim() == 3 else state.unsqueeze(1)

    def changes(bench: Bench, arguments: Tensors) -> Iterator[Tensors]:
        return changed_states(arguments, other_axes)

    domain = WITH_STATES.but(layout=LAYOUTS[:2])
    lstm_check.forall(domain, call_refuses(changes), REFUSALS_AT_MOST, share_stack=False)


def other_layers(bench: Bench, arguments: Tensors) -> Iterator[Tensors]:
    return changed_states(arguments, lambda state: resized(state, 0))


def other_rows(bench: Bench, arguments: Tensors) -> Iterator[Tensors]:
    yield from changed_states(arguments, lambda state: resized(state, 1))


def other_rows_or_none(bench: Bench, arguments: Tensors) -> Iterator[Tensors]:
    yield from other_rows(bench, arguments)
    yield from changed_states(arguments, lambda state: [state[:, 0]])


def other_state_features(bench: Bench, arguments: Tensors) -> Iterator[Tensors]:
    # With a projection, each of the two sizes is wrong for one of the states.
    config = bench.case.config
    both = config.output_size, config.hidden_size
    return changed_states(arguments, lambda state: resized(state, -1, *both))


@pytest.mark.lstm_clause("USE-31")
def test_layers_and_directions_of_the_states(lstm_check: Checker) -> None:
    domain = WITH_STATES.but(layout=LAYOUTS[:2])
    lstm_check.forall(domain, call_refuses(other_layers), REFUSALS_AT_MOST, share_stack=False)


@pytest.mark.lstm_clause("USE-32")
def test_batch_size_of_the_states(lstm_check: Checker) -> None:
    domain = WITH_STATES.but(layout=("batched",))
    lstm_check.forall(domain, call_refuses(other_rows), REFUSALS_AT_MOST, share_stack=False)


@pytest.mark.lstm_clause("USE-33")
def test_features_of_the_states(lstm_check: Checker) -> None:
    domain = WITH_STATES.but(layout=LAYOUTS[:2])
    lstm_check.forall(
        domain, call_refuses(other_state_features), REFUSALS_AT_MOST, share_stack=False
    )


def refused_with_packed_states(
    lstm_check: Checker, changes: Callable[[Bench, Tensors], Iterable[Tensors]]
) -> None:
    for domain in (PACKED, EQUAL_LENGTHS):
        # Broadcasting a single feature shows only with more features. Whether a check is missing
        # may depend on the dtype, and on which parameters there are.
        with_states = domain.but(
            states=(True,), hidden_size=(3, 6), proj_size=(2, 5), together=("dtype", "bias", *STACK)
        )
        lstm_check.forall(with_states, call_refuses(changes), REFUSALS_AT_MOST, share_stack=False)


@pytest.mark.lstm_clause("USE-34")
def test_layers_and_directions_of_the_states_packed(lstm_check: Checker) -> None:
    refused_with_packed_states(lstm_check, other_layers)


@pytest.mark.lstm_clause("USE-35")
def test_batch_size_of_the_states_packed(lstm_check: Checker) -> None:
    refused_with_packed_states(lstm_check, other_rows_or_none)


@pytest.mark.lstm_clause("USE-36")
def test_features_of_the_states_packed(lstm_check: Checker) -> None:
    refused_with_packed_states(lstm_check, other_state_features)


@pytest.mark.lstm_clause("USE-37")
def test_dtype_of_the_states(lstm_check: Checker) -> None:
    def changes(bench: Bench, arguments: Tensors) -> Iterator[Tensors]:
        return changed_states(arguments, partial(other_dtypes, bench))

    lstm_check.forall(WITH_STATES, call_refuses(changes), REFUSALS_AT_MOST, share_stack=False)


@pytest.mark.lstm_clause("USE-38")
def test_device_of_the_states(lstm_check: Checker) -> None:
    def changes(bench: Bench, arguments: Tensors) -> Iterator[Tensors]:
        return changed_states(arguments, on_other_devices)

    for domain in (TENSOR, PACKED):
        lstm_check.forall(
            domain.but(states=(True,)), call_refuses(changes), REFUSALS_AT_MOST, share_stack=False
        )
