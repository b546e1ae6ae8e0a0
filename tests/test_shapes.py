"""Chapters SHAPE and DTYPE: shapes, number formats and devices of all results."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from lstm_conformance.reference.oracle import expect
from lstm_conformance.runner.judging.comparison import Finding, holds, shape_message
from lstm_conformance.runner.judging.memory_layouts import transposed, with_gaps
from lstm_conformance.runner.judging.rules import (
    close,
    device_kept,
    dtype_kept,
    in_inference,
    on_bench,
    precision_kept,
    shape_documented,
)
from lstm_conformance.runner.judging.trial import Trial
from lstm_conformance.runner.searching.checker import Checker
from lstm_conformance.spec.case import OUTPUTS, Case
from lstm_conformance.spec.precision import PRECISIONS
from lstm_conformance.spec.strategies import PLAIN, STACK, Domain

if TYPE_CHECKING:
    from lstm_conformance.adapters.torch_bench import Bench

FORWARD = ("output", "h_n", "c_n")
ANY_FORWARD = Domain(cotangents=((),))
# No two axes have the same size, so that exchanged ones show.
DISTINCT = ANY_FORWARD.but(
    layout=("batched",),
    input_size=(5, 6),
    hidden_size=(3, 4),
    proj_size=(1, 1),
    seq_len=(7, 8),
    batch_size=(2, 2),
    together=STACK,
)
# Constructors with all options.
CONSTRUCTED = ANY_FORWARD.but(layout=("batched",), states=(False,), together=("bias", *STACK))


@pytest.mark.lstm_clause("SHAPE-1")
def test_shape_of_output(lstm_check: Checker) -> None:
    lstm_check.forall(ANY_FORWARD, shape_documented("output"))
    lstm_check.forall(DISTINCT, shape_documented("output"), at_most=20)


@pytest.mark.lstm_clause("SHAPE-2")
def test_shape_of_h_n(lstm_check: Checker) -> None:
    lstm_check.forall(ANY_FORWARD, shape_documented("h_n"))
    lstm_check.forall(DISTINCT, shape_documented("h_n"), at_most=20)


@pytest.mark.lstm_clause("SHAPE-3")
def test_shape_of_c_n(lstm_check: Checker) -> None:
    lstm_check.forall(ANY_FORWARD, shape_documented("c_n"))
    lstm_check.forall(DISTINCT, shape_documented("c_n"), at_most=20)


@pytest.mark.lstm_clause("SHAPE-4")
def test_shapes_of_gradients(lstm_check: Checker) -> None:
    lstm_check.forall(Domain(), shape_documented())


@pytest.mark.lstm_clause("SHAPE-5")
def test_batch_first(lstm_check: Checker) -> None:
    domain = PLAIN.but(batch_first=(True,), states=(False, True))
    lstm_check.forall(domain, close(*FORWARD))
    # Where a transposed input has the right shape.
    square = domain.but(seq_len=(3, 3), batch_size=(3, 3))
    lstm_check.forall(square, close(*FORWARD), at_most=10)


@pytest.mark.lstm_clause("SHAPE-6")
def test_unbatched_input(lstm_check: Checker) -> None:
    domain = PLAIN.but(layout=("unbatched",), batch_first=(False, True), states=(False, True))
    lstm_check.forall(domain, close(*FORWARD))


@pytest.mark.lstm_clause("SHAPE-7")
def test_empty_batch(lstm_check: Checker) -> None:
    domain = ANY_FORWARD.but(layout=("batched",), cotangents=((), OUTPUTS))
    lstm_check.forall(domain, empty_batch)


def empty_batch(trial: Trial) -> list[Finding]:
    case = replace(trial.case, batch_size=0)
    observed, shapes = trial.run(case).tensors, case.shapes()
    findings = []
    for name in case.result_names():
        values, shape = observed[name].values, shapes[name.removesuffix(".grad")]
        findings += [
            holds(name, values.shape == shape, shape_message(values.shape, shape)),
            holds(name, not values.any(), "the gradient is not zero"),
        ]
    return findings


@pytest.mark.lstm_clause("DTYPE-1")
def test_dtype_of_results(lstm_check: Checker) -> None:
    lstm_check.forall(Domain(dtype=tuple(PRECISIONS)), dtype_kept)


@pytest.mark.lstm_clause("DTYPE-2")
def test_device_of_results(lstm_check: Checker) -> None:
    lstm_check.forall(Domain(), device_kept)


@pytest.mark.lstm_clause("DTYPE-3")
def test_precision(lstm_check: Checker) -> None:
    # With small values or saturated gates, another mistake could be as small as a loss of
    # precision. Here it is larger, and there are enough elements to show it.
    domain = PLAIN.but(
        weight_scale=(2.0,),
        input_scale=(2.0,),
        hidden_size=(4, 6),
        seq_len=(3, 8),
        batch_size=(2, 4),
    )
    lstm_check.forall(domain, precision_kept(*FORWARD))
    lstm_check.forall(domain.but(dtype=("float32",)), as_exact_as_asked, at_most=3)


# What torch can be asked for, and from 2.9 on each of its backends. Less exact products come first,
# with the format to which their factors may be rounded.
EXACTNESS = {"medium": "bfloat16", "high": "tf32", "highest": ""}
EXACTNESS_OF_BACKENDS = {"bf16": "bfloat16", "tf32": "tf32", "ieee": ""}


def as_exact_as_asked(trial: Trial) -> list[Finding]:
    """Results of a module while less exact products are allowed, and when they must be exact."""
    if "module" not in trial.implementation.capabilities:
        return precision_kept(*FORWARD)(trial)

    def ask(torch: Any, exactness: str) -> None:
        torch.set_float32_matmul_precision(exactness)
        torch.backends.cudnn.allow_tf32 = exactness != "highest"

    def ask_backends(torch: Any, exactness: str) -> None:
        torch.backends.fp32_precision = exactness

    # Noise is most of the work, and both ways of asking allow the same.
    expectations = {
        products: expect(replace(trial.case, products=products or trial.case.products))
        for products in EXACTNESS.values()
    }
    findings = []
    for asking, formats in ((ask, EXACTNESS), (ask_backends, EXACTNESS_OF_BACKENDS)):
        with trial.bench() as bench:
            torch, module = bench.torch, bench.module()
            if asking is ask_backends and not hasattr(torch.backends, "fp32_precision"):
                continue
            for exactness, products in formats.items():
                asking(torch, exactness)
                results = bench.observe_all(bench.call(module, bench.arguments()))
                note = f"products of float32 were set to {exactness!r}"
                findings += trial.close_all(results, OUTPUTS, note, expectations[products])
    return findings


def in_half(lstm_check: Checker, dtype: str) -> None:
    """Judges cases in a half format, in which inference and memory layouts may differ as well."""
    lstm_check.forall(Domain(dtype=(dtype,)), close())
    inference = Domain(dtype=(dtype,), cotangents=((),))
    lstm_check.forall(inference, in_inference(close()), at_most=6)
    lstm_check.forall(inference, in_memory_layouts, at_most=4)
    lstm_check.few_sizes(dtype, in_inference(close()))


def in_memory_layouts(trial: Trial) -> list[Finding]:
    """Results for an input and states that are not contiguous; of a module only."""
    if "module" not in trial.implementation.capabilities:
        return close()(trial)
    findings = []
    for lay_out in (transposed, with_gaps):
        with trial.bench() as bench, bench.torch.no_grad():
            arguments = {name: lay_out(x) for name, x in bench.arguments().items()}
            results = bench.observe_all(bench.call(bench.module(), arguments))
        findings += trial.close_all(results, OUTPUTS, f"arguments {lay_out.__name__}")
    return findings


@pytest.mark.lstm_clause("DTYPE-4")
def test_bfloat16(lstm_check: Checker) -> None:
    in_half(lstm_check, "bfloat16")
    # The dtype has no odd numbers above 256, in which steps could be counted.
    long_rows = Domain(
        dtype=("bfloat16",),
        layout=("packed_sorted",),
        seq_len=(270, 300),
        batch_size=(2, 2),
        num_layers=(1, 1),
        cotangents=((),),
        unequal_lengths=True,
    )
    lstm_check.forall(long_rows, close(), at_most=2)


@pytest.mark.lstm_clause("DTYPE-5")
def test_float16(lstm_check: Checker) -> None:
    in_half(lstm_check, "float16")


def constructor_arguments(case: Case) -> tuple[tuple[int, int], dict[str, Any]]:
    """The sizes and the options of the constructor, without device and dtype."""
    options = dict(vars(case.config))
    return (options.pop("input_size"), options.pop("hidden_size")), options


@pytest.mark.lstm_clause("DTYPE-6")
def test_argument_dtype(lstm_check: Checker) -> None:
    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        sizes, options = constructor_arguments(trial.case)
        module = bench.factory(*sizes, **options, device=trial.case.device, dtype=bench.dtype)
        for name, parameter in module.named_parameters():
            right = parameter.dtype == bench.dtype
            yield holds(name, right, f"dtype is {parameter.dtype}, not {bench.dtype}")

    lstm_check.forall(CONSTRUCTED.but(dtype=tuple(PRECISIONS)), on_bench(probe))


@pytest.mark.lstm_clause("DTYPE-7")
def test_argument_device(lstm_check: Checker) -> None:
    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        sizes, options = constructor_arguments(trial.case)
        for device in (trial.case.device, "meta"):
            module = bench.factory(*sizes, **options, device=device, dtype=bench.dtype)
            for name, parameter in module.named_parameters():
                observed = parameter.device.type
                right = observed == device.partition(":")[0]
                yield holds(name, right, f"device is {observed}, not {device}")

    lstm_check.forall(CONSTRUCTED, on_bench(probe))


@pytest.mark.lstm_clause("DTYPE-8")
def test_default_dtype_and_device(lstm_check: Checker) -> None:
    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        torch, (sizes, options) = bench.torch, constructor_arguments(trial.case)
        for default in (torch.float64, torch.float32):
            torch.set_default_dtype(default)
            with torch.device("meta"):
                none = bench.factory(*sizes, **options, device=None, dtype=None)
                left_out = bench.factory(*sizes, **options)
            for module, given in ((none, "given as None"), (left_out, "not given")):
                for name, parameter in module.named_parameters():
                    dtype, device = parameter.dtype, parameter.device.type
                    yield holds(name, dtype == default, f"dtype, {given}, is {dtype}")
                    yield holds(name, device == "meta", f"device, {given}, is {device}")

    lstm_check.forall(CONSTRUCTED, on_bench(probe))


@pytest.mark.lstm_clause("DTYPE-9")
def test_meta_tensors(lstm_check: Checker) -> None:
    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        shapes, module = trial.case.shapes(), bench.construct(device="meta")
        arguments = {name: tensor.to("meta") for name, tensor in bench.arguments().items()}
        for name, tensor in bench.call(module, arguments).items():
            device, observed = tensor.device.type, tuple(tensor.shape)
            yield holds(name, device == "meta", f"device is {device}, not meta")
            yield holds(name, observed == shapes[name], shape_message(observed, shapes[name]))

    # Packing is not part of the LSTM, so this clause is not about packed sequences.
    domain = ANY_FORWARD.but(layout=("batched", "unbatched"))
    lstm_check.forall(domain, on_bench(probe), at_most=30)
