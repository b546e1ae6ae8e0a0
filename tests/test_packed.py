"""Chapter PACK: rows of unequal length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lstm_conformance.reference.oracle import expect
from lstm_conformance.runner.judging.comparison import Finding, holds
from lstm_conformance.runner.judging.rules import close, on_bench
from lstm_conformance.runner.judging.trial import Trial
from lstm_conformance.runner.searching.checker import Checker
from lstm_conformance.spec.case import LAYOUTS, OUTPUTS, Case, uniform_numbers
from lstm_conformance.spec.contract import Unsupported
from lstm_conformance.spec.strategies import PLAIN, Domain
from lstm_conformance.spec.verdicts import PASS

if TYPE_CHECKING:
    from lstm_conformance.adapters.torch_bench import Bench

Array = np.ndarray

FORWARD = ("output", "h_n", "c_n")
# With one row, or without biases and states, padding would change no result.
ROWS = PLAIN.but(batch_size=(2, 4), unequal_lengths=True, bias=(True,))


@pytest.mark.lstm_clause("PACK-1")
def test_packed_rows(lstm_check: Checker) -> None:
    lstm_check.forall(ROWS.but(layout=("packed_sorted",)), close(*FORWARD))


@pytest.mark.lstm_clause("PACK-2")
def test_order_of_packed_rows(lstm_check: Checker) -> None:
    domain = ROWS.but(
        layout=LAYOUTS[2:],
        batch_first=(False, True),
        states=(False, True),
        together=("layout", "batch_first", "states"),
    )
    lstm_check.forall(domain, in_any_order, also_large=True)


def in_any_order(trial: Trial) -> list[Finding]:
    """The rows are right as they are, and in an order that is not undone by applying it twice."""
    findings, case = close(*FORWARD)(trial), trial.case
    if case.layout != "packed_unsorted" or any(finding.verdict != PASS for finding in findings):
        return findings
    # The longest row is the second one, then come the third and the first.
    cycle = replace(case, seq_len=3, batch_size=3, lengths=(1, 3, 2))
    expectation, observed = expect(cycle), trial.run(cycle).tensors
    more = [trial.close(n, observed[n], expectation, "lengths (1, 3, 2)") for n in FORWARD]
    return [*findings, *more]


@pytest.mark.lstm_clause("PACK-3")
def test_packed_reverse_direction(lstm_check: Checker) -> None:
    domain = ROWS.but(layout=("packed_sorted",), bidirectional=(True,), num_layers=(1, 2))
    lstm_check.forall(domain, close(*FORWARD))


# The following tests judge values and gradients of all kinds of stacks.
BATCHED = Domain(dropout=("none",), layout=("batched",), cotangents=(OUTPUTS,))
PACKED = BATCHED.but(layout=LAYOUTS[2:], batch_size=(2, 4), unequal_lengths=True)


@pytest.mark.lstm_clause("PACK-4")
def test_rows_of_equal_length(lstm_check: Checker) -> None:
    lstm_check.forall(BATCHED, rows_of_equal_length)
    # Where the order of the axes can be seen.
    several = BATCHED.but(seq_len=(2, 4), batch_size=(2, 3))
    lstm_check.forall(several, rows_of_equal_length, at_most=6)


def rows_of_equal_length(trial: Trial) -> list[Finding]:
    case = trial.case
    lengths = (case.seq_len,) * case.batch_size
    packed = trial.run(case.with_values({}, layout="packed_sorted", lengths=lengths))
    return [
        *trial.close_all(trial.observation.tensors, note="batched"),
        *trial.close_all(packed.tensors, note="packed"),
    ]


@pytest.mark.lstm_clause("PACK-5")
def test_one_packed_row(lstm_check: Checker) -> None:
    lstm_check.forall(BATCHED.but(layout=("packed_sorted",), batch_size=(1, 1)), close())


@pytest.mark.lstm_clause("PACK-6")
def test_all_lengths_different(lstm_check: Checker) -> None:
    domain = BATCHED.but(batch_size=(2, 4), seq_len=(4, 8), together=("bidirectional", "states"))
    lstm_check.forall(domain, all_lengths_different)


def all_lengths_different(trial: Trial) -> list[Finding]:
    """One row has all steps, and no two rows have the same length."""
    case = trial.case
    fewer = 1 + np.argsort(uniform_numbers(case.seed, "lengths", (case.seq_len - 1,)))
    lengths = np.array([case.seq_len, *fewer[: case.batch_size - 1]])
    return with_lengths(trial, shuffled(case, lengths))


@pytest.mark.lstm_clause("PACK-7")
def test_rows_of_one_step(lstm_check: Checker) -> None:
    lstm_check.forall(BATCHED.but(batch_size=(2, 4), seq_len=(1, 4)), rows_of_one_step)


def rows_of_one_step(trial: Trial) -> list[Finding]:
    """All rows except one have a single step."""
    case = trial.case
    lengths = np.array([case.seq_len] + [1] * (case.batch_size - 1))
    return with_lengths(trial, shuffled(case, lengths))


@pytest.mark.lstm_clause("PACK-7")
def test_one_long_row(lstm_check: Checker) -> None:
    domain = BATCHED.but(batch_size=(18, 20), seq_len=(66, 70), num_layers=(1, 2))
    lstm_check.forall(domain, one_long_row, at_most=3, shrink=False)


def one_long_row(trial: Trial) -> list[Finding]:
    """Most texts are short: after some steps, one row is left of many."""
    case = trial.case
    lengths = np.array([case.seq_len] + [case.seq_len // 5] * (case.batch_size - 1))
    return with_lengths(trial, shuffled(case, lengths))


def shuffled(case: Case, numbers: Array) -> Array:
    """``numbers`` in an order chosen by the seed of the case."""
    return numbers[np.argsort(uniform_numbers(case.seed, "order", numbers.shape))]


def with_lengths(trial: Trial, lengths: Array) -> list[Finding]:
    """Judges all results of a batched case after packing its rows with ``lengths``."""
    in_order = (np.diff(lengths) <= 0).all()
    packed = trial.case.with_values(
        {},
        layout="packed_sorted" if in_order else "packed_unsorted",
        lengths=tuple(lengths.tolist()),
    )
    expectation, observed = expect(packed), trial.run(packed).tensors
    return [
        trial.close(name, observed[name], expectation, f"lengths {packed.lengths}")
        for name in packed.result_names()
    ]


@pytest.mark.lstm_clause("PACK-8")
def test_padding(lstm_check: Checker) -> None:
    lstm_check.forall(PACKED, padding, also_large=True)


def padding(trial: Trial) -> list[Finding]:
    """NaN in the padding of the input, and in uninitialised memory."""
    with_nan = np.where(padding_mask(trial.case, "input"), np.nan, trial.case.arguments()["input"])
    observed = trial.run(trial.case.with_values({"input": with_nan}))
    findings = trial.close_all(observed.tensors, note="NaN in the padding")
    try:
        with trial.bench() as bench:
            findings += memory_of_nan(trial, bench)
    except Unsupported:  # only torch can fill its memory with NaN
        pass
    return findings


def memory_of_nan(trial: Trial, bench: Bench) -> Iterator[Finding]:
    # In this mode torch fills uninitialised memory with NaN.
    bench.torch.use_deterministic_algorithms(True, warn_only=True)
    module, arguments = bench.module(), bench.arguments()
    outputs = bench.call(module, arguments)
    bench.backward(outputs)
    results = {**bench.observe_all(outputs), **bench.gradients(module, arguments)}
    yield from trial.close_all(results, note="NaN in uninitialised memory")


def padding_mask(case: Case, name: str) -> Array:
    """A mask of the padding in ``input`` or ``output``."""
    return np.broadcast_to(case.padding(), case.shapes()[name])


def row_index(case: Case, name: str, row: int, steps: int | None = None) -> tuple[Any, ...]:
    """Index of one row, with its first ``steps``, of an input, output or state. Keeps all axes."""
    rows = slice(row, row + 1)
    if name in ("input", "output"):
        return (rows, slice(steps)) if case.config.batch_first else (slice(steps), rows)
    return (slice(None), rows)


WITH_ROWS = ("input", "h_0", "c_0", *OUTPUTS)


@pytest.mark.lstm_clause("PACK-9")
def test_rows_apart(lstm_check: Checker) -> None:
    lstm_check.forall(PACKED, rows_apart, also_large=True)


def rows_apart(trial: Trial) -> list[Finding]:
    """Changes the values of one row. The results of the other rows must not change."""
    case = trial.case
    row = case.seed % case.batch_size
    values = {name: v for name, v in case.arguments().items() if name in WITH_ROWS}
    for name, value in values.items():
        part = row_index(case, name, row)
        value[part] = case.scale(name) * uniform_numbers(
            case.seed, f"another {name}", value[part].shape
        )
    observed = trial.run(case.with_values(values)).tensors
    findings = []
    for name in case.result_names():
        owner = name.removesuffix(".grad")
        if owner in WITH_ROWS:
            others = observed[name].values.copy()
            part = row_index(case, owner, row)
            others[part] = trial.expectation.values[name][part]
            findings.append(trial.close(name, others, note=f"with other values in row {row}"))
    return findings


@pytest.mark.lstm_clause("PACK-10")
def test_rows_one_by_one(lstm_check: Checker) -> None:
    lstm_check.forall(PACKED, rows_one_by_one)


def rows_one_by_one(trial: Trial) -> list[Finding]:
    """Runs each row alone, as a batch that is not packed, and combines the results."""
    case, shapes = trial.case, trial.case.shapes()
    values = {
        **case.arguments(),
        **{f"cotangent of {name}": value for name, value in case.cotangent_values().items()},
    }
    together = {name: np.zeros(shapes[name.removesuffix(".grad")]) for name in case.result_names()}
    for row, steps in enumerate(case.lengths):
        alone = {
            name: v[row_index(case, owner, row, steps)] if owner in WITH_ROWS else v
            for name, v in values.items()
            for owner in [name.removeprefix("cotangent of ")]
        }
        changes = {"layout": "batched", "lengths": (), "seq_len": steps, "batch_size": 1}
        observed = trial.run(case.with_values(alone, **changes)).tensors
        for name in case.result_names():
            owner = name.removesuffix(".grad")
            part = row_index(case, owner, row, steps) if owner in WITH_ROWS else ...
            together[name][part] += observed[name].values
    return [
        *trial.close_all(trial.observation.tensors, note="packed"),
        *(trial.close(name, value, note="row by row") for name, value in together.items()),
    ]


@pytest.mark.lstm_clause("PACK-11")
def test_form_of_packed_output(lstm_check: Checker) -> None:
    lstm_check.forall(PACKED.but(cotangents=((),)), on_bench(form_of_packed_output))


def form_of_packed_output(trial: Trial, bench: Bench) -> Iterator[Finding]:
    arguments = bench.arguments()
    given = bench.pack(arguments["input"])
    output, _ = bench.result(bench.module(), arguments)
    for name in ("batch_sizes", "sorted_indices", "unsorted_indices"):
        expected, observed = getattr(given, name), getattr(output, name, None)
        same = observed is expected or (
            observed is not None and expected is not None and bench.torch.equal(observed, expected)
        )
        yield holds("output", same, f"{name} of output is {observed}, of input {expected}")


@pytest.mark.lstm_clause("PACK-12")
def test_ways_of_packing(lstm_check: Checker) -> None:
    lstm_check.forall(PACKED, on_bench(ways_of_packing))
    # Full rows, as most batches have them, in an order all the same if enforce_sorted is False.
    full = PACKED.but(
        layout=("packed_sorted",), batch_size=(3, 4), seq_len=(2, 2), unequal_lengths=False
    )
    lstm_check.forall(full, on_bench(ways_of_packing_full_rows), at_most=8)


def ways_of_packing_full_rows(trial: Trial, bench: Bench) -> Iterator[Finding]:
    yield from ways_of_packing(trial, bench)
    yield from packed_by_hand(trial, bench)


def packed_by_hand(trial: Trial, bench: Bench) -> Iterator[Finding]:
    """The rows of a full batch in an order of their own, which is no order of lengths."""
    torch, case = bench.torch, trial.case
    order = torch.tensor([*range(1, case.batch_size), 0], device=case.device)
    module, arguments = bench.module(), bench.arguments()
    x = arguments["input"]
    in_steps = x.transpose(0, 1) if case.config.batch_first else x
    packed = torch.nn.utils.rnn.PackedSequence(
        in_steps[:, order].reshape(-1, x.shape[-1]),
        torch.full((case.seq_len,), case.batch_size),
        order,
        order.argsort(),
    )
    outputs = bench.call(lambda _, *states: module(packed, *states), arguments)
    bench.backward(outputs)
    results = {**bench.observe_all(outputs), **bench.gradients(module, arguments)}
    yield from trial.close_all(results, note="a PackedSequence of full rows in another order")


def ways_of_packing(trial: Trial, bench: Bench) -> Iterator[Finding]:
    rnn, case = bench.torch.nn.utils.rnn, trial.case

    def from_padded(x: Any) -> Any:
        lengths, batch_first = bench.torch.tensor(case.lengths), case.config.batch_first
        return rnn.pack_padded_sequence(x, lengths, batch_first, enforce_sorted=False)

    def from_rows(x: Any, enforce_sorted: bool = False) -> Any:
        rows = x if case.config.batch_first else x.transpose(0, 1)
        rows = [row[:n] for row, n in zip(rows, case.lengths, strict=True)]
        return rnn.pack_sequence(rows, enforce_sorted)

    ways = {"pack_padded_sequence, enforce_sorted=False": from_padded}
    ways["pack_sequence, enforce_sorted=False"] = from_rows
    if case.layout == "packed_sorted":
        ways["pack_sequence"] = lambda x: from_rows(x, enforce_sorted=True)
    for way, pack in ways.items():
        module, arguments = bench.module(), bench.arguments()
        packed = pack(arguments["input"])
        outputs = bench.call(
            lambda _, *states, module=module, packed=packed: module(packed, *states), arguments
        )
        bench.backward(outputs)
        results = {**bench.observe_all(outputs), **bench.gradients(module, arguments)}
        yield from trial.close_all(results, note=f"made by {way}")
