"""Rules: which results of a trial are judged, and how."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...reference.oracle import Expectation, evaluate
from ...spec.case import OUTPUTS, Case
from ...spec.contract import Nonconformance, ObservedTensor, Unsupported, reason_of
from ...spec.out_of_memory import is_out_of_memory
from ...spec.precision import PRECISIONS
from ...spec.verdicts import FAIL, INCONCLUSIVE, PASS, UNEXPLAINED
from .comparison import (
    THRESHOLD,
    Finding,
    allowed_error,
    compare,
    error_ratios,
    holds,
    shape_message,
)
from .trial import Trial

if TYPE_CHECKING:
    import torch

    from ...adapters.torch_bench import Bench

__all__ = [
    "Rule",
    "calls_without_gradients",
    "close",
    "close_gradients",
    "device_kept",
    "dtype_kept",
    "gates_in_order",
    "gradients_of",
    "in_inference",
    "in_training",
    "judged_by",
    "on_bench",
    "precision_kept",
    "results_in_inference",
    "selected",
    "shape_documented",
    "unless_refused",
]

Array = NDArray[np.float64]
Index = tuple[Any, ...]

# A rule judges a trial. It has no finding on results that it does not judge.
Rule = Callable[[Trial], list[Finding]]

# A ratio above this is looked at twice: the noise is random, and may be underestimated.
CLOSE_CALL = THRESHOLD / 3


def judged_by(rule: Rule, trial: Trial) -> list[Finding]:
    """The findings of ``rule``.

    If a ratio comes near the threshold, the noise is estimated with more care, and the rule is
    asked again. So a failing case is judged as it is when it is given alone, though the noise of
    several cases together depends a little on which they are.
    """
    findings = rule(trial)
    is_close = any((f.ratio or 0.0) > CLOSE_CALL or f.verdict == FAIL for f in findings)
    return rule(trial) if is_close and trial.expect_surely() else findings


def on_bench(probe: Callable[[Trial, Bench], Iterable[Finding]]) -> Rule:
    """The findings of ``probe``, which uses the implementation as a torch module, by hand."""

    def rule(trial: Trial) -> list[Finding]:
        with trial.bench() as bench:
            return list(probe(trial, bench))

    return rule


def unless_refused(what: str, rule: Rule) -> Rule:
    """``rule``; unsupported if the implementation raises an exception.

    Args:
        what: the implementation may refuse, for the reason.
        rule: that asks for nothing else.
    """

    def judged(trial: Trial) -> list[Finding]:
        try:
            return rule(trial)
        except (Nonconformance, Unsupported):
            raise
        except Exception as error:  # whatever it raises
            if is_out_of_memory(error):
                raise
            raise Unsupported(reason_of(what, error)) from error

    return judged


def results_in_inference(trial: Trial, case: Case | None = None) -> Mapping[str, ObservedTensor]:
    """Results of a case without cotangents, by default that of the trial; of a module in no_grad.

    Many modules compute in another way there: with other buffers, kernels or tiles.
    """
    if "module" not in trial.implementation.capabilities:
        return trial.observation.tensors if case is None else trial.run(case).tensors
    with trial.bench(case) as bench, bench.torch.no_grad():
        return bench.observe_all(bench.call(bench.module(), bench.arguments()))


def in_inference(rule: Rule) -> Rule:
    """``rule``; where the case has no cotangents, on results of a module without gradients.

    That is in ``no_grad``, in ``inference_mode``, and if all parameters are frozen.
    """

    def judge(trial: Trial) -> list[Finding]:
        if trial.case.cotangents or "module" not in trial.implementation.capabilities:
            return rule(trial)
        with trial.bench() as bench:
            return [
                finding
                for mode, outputs in calls_without_gradients(bench, bench.module())
                for finding in trial.close_all(bench.observe_all(outputs), OUTPUTS, mode)
            ]

    return judge


def calls_without_gradients(
    bench: Bench, module: Any
) -> Iterator[tuple[str, Mapping[str, torch.Tensor]]]:
    """Each way in which a module has no gradients, and the outputs of a call in it."""
    for mode in (bench.torch.no_grad, bench.torch.inference_mode):
        arguments = bench.arguments()
        with mode():
            outputs = bench.call(module, arguments)
        yield f"in {mode.__name__}", outputs
    module.requires_grad_(False)
    frozen = {name: tensor.detach() for name, tensor in bench.arguments().items()}
    yield "all is frozen", bench.call(module, frozen)
    module.requires_grad_(True)


def in_training(rule: Rule) -> Rule:
    """``rule``, and gradients of the parameters of a module if nothing else needs one.

    Input is mostly data, which needs no gradient, and modules may compute in another way then.
    """

    def judge(trial: Trial) -> list[Finding]:
        findings = list(rule(trial))
        if {"module", "gradients"} <= trial.implementation.capabilities:
            parameters = set(trial.case.config.parameter_shapes())
            with trial.bench() as bench:
                findings += gradients_of(parameters, trial, bench, "parameters")
        return findings

    return judge


def gradients_of(wanted: set[str], trial: Trial, bench: Bench, what: str = "") -> Iterator[Finding]:
    """Whether some arguments have right gradients, and others, which require none, have none.

    Args:
        wanted: names of arguments and parameters that require a gradient.
        trial: of the case.
        bench: of the implementation.
        what: the wanted ones are, in words; by default their names.
    """
    module, arguments = bench.module(), bench.arguments()
    leaves = {**dict(module.named_parameters()), **arguments}
    for name, leaf in leaves.items():
        leaf.requires_grad_(name in wanted)
    outputs = bench.call(module, arguments)
    # After one step c_n does not depend on weight_hr. torch may or may not know that.
    known = {n: c for n, c in bench.cotangents().items() if outputs[n].requires_grad}
    if known:
        bench.backward(outputs, known)
    note = f"with gradients for {what or ', '.join(sorted(wanted))} only"
    for name, gradient in bench.gradients(module, arguments).items():
        if name.removesuffix(".grad") in wanted:
            yield trial.close(name, gradient, note=note)
    for name in trial.case.argument_names():
        if name not in wanted:
            yield holds(name, leaves[name].grad is None, f"has a gradient {note}")


_WHOLE: Index = (...,)


def _compare(trial: Trial, name: str, part: Index, expectation: Expectation) -> Finding:
    observed = trial.observation.tensors[name].values
    expected, noise = expectation.values[name], expectation.noise[name]
    if observed.shape != expected.shape:
        return Finding(name, FAIL, message=shape_message(observed.shape, expected.shape))
    if part != _WHOLE:  # indices of findings are those of the whole tensor
        inside = np.zeros(expected.shape, bool)
        inside[part] = True
        observed = np.where(inside, observed, expected)
    return compare(name, observed, expected, noise, trial.case.precision)


Part = Callable[[Case, str], Index]


def _whole(case: Case, name: str) -> Index:
    return _WHOLE


def close(*names: str, part: Part = _whole) -> Rule:
    """The values of tensors are those of the oracle, to within rounding.

    Args:
        names: of tensors, or their beginnings: ``weight_ih`` selects the gradients of that
            parameter in all layers and directions. No names select all tensors of the case.
        part: which part of each tensor is judged, as an index.
    """

    def rule(trial: Trial) -> list[Finding]:
        return [
            _compare(trial, name, part(trial.case, name), trial.expectation)
            for name in selected(trial.case, names)
        ]

    return rule


def selected(case: Case, names: tuple[str, ...]) -> list[str]:
    """The tensors of ``case`` that ``names`` select, as described at :func:`close`."""
    return [
        name
        for name in case.result_names()
        if not names or any(name == n or name.startswith((f"{n}_l", f"{n}.grad")) for n in names)
    ]


def close_gradients(trial: Trial) -> list[Finding]:
    """Every gradient is that of the oracle, to within rounding; outputs are not judged."""
    return [finding for finding in close()(trial) if finding.tensor.endswith(".grad")]


_GATES = ("i", "f", "g", "o")


def gates_in_order(*names: str) -> Rule:
    """Fails values that are right only if the gates of the weights are in another order."""

    def rule(trial: Trial) -> list[Finding]:
        findings = close(*names)(trial)
        if all(finding.verdict == PASS for finding in findings):
            return findings
        for order in permutations(_GATES):
            values = evaluate(trial.case, _read_in_order(trial.case, order), {})
            expectation = replace(trial.expectation, values=values)
            in_order = [_compare(trial, f.tensor, _WHOLE, expectation) for f in findings]
            if all(finding.verdict == PASS for finding in in_order):
                message = f"right if the blocks were in the order {', '.join(order)}"
                return [replace(finding, message=message) for finding in findings]
        return _unexplained(findings)

    return rule


def _read_in_order(case: Case, order: tuple[str, ...]) -> dict[str, Array]:
    """The arguments of ``case``, if the blocks of the weights are read in ``order``."""
    arguments = case.arguments()
    for name, array in arguments.items():
        if name.startswith(("weight_ih", "weight_hh", "bias")):
            blocks = dict(zip(order, np.split(array, 4), strict=True))
            arguments[name] = np.concatenate([blocks[gate] for gate in _GATES])
    return arguments


def _unexplained(findings: list[Finding]) -> list[Finding]:
    """Findings of a mistake that the clause is not about: other clauses fail for it."""
    return [replace(f, verdict=INCONCLUSIVE, message=UNEXPLAINED) for f in findings]


# The lower precisions in which a dtype may be computed by mistake. float16 has as many bits as
# TF32, which is 11.
_LOWER = {"float64": ("float32", "float16"), "float32": ("float16",)}

# Results that were computed in a lower precision look like this: nearly all elements exceed the
# threshold in the precision of the case, and no element is far off in the lower one. Few other
# mistakes look like that.
_ELEMENTS_OFF = 0.9
_CLOSE_IN_LOWER = 5.0


def precision_kept(*names: str) -> Rule:
    """Fails values that are right only in a lower precision than that of the case."""

    def rule(trial: Trial) -> list[Finding]:
        findings = close(*names)(trial)
        if all(finding.verdict == PASS for finding in findings):
            return findings
        tensors = [finding.tensor for finding in findings]
        own = _all_ratios(trial, tensors, trial.expectation, trial.case.dtype)
        for dtype in _LOWER[trial.case.dtype]:
            lower = _all_ratios(trial, tensors, trial.expectation_in(dtype), dtype)
            if np.mean(own > THRESHOLD) >= _ELEMENTS_OFF and lower.max() < _CLOSE_IN_LOWER:
                message = f"right to the precision of {dtype} only"
                return [replace(finding, message=message) for finding in findings]
        return _unexplained(findings)

    return rule


def _all_ratios(trial: Trial, names: list[str], expectation: Expectation, dtype: str) -> Array:
    """The ratios of all elements of some tensors, in one row; infinite if shapes differ."""
    rows = []
    for name in names:
        observed, expected = trial.observation.tensors[name].values, expectation.values[name]
        if observed.shape != expected.shape:
            return np.array([np.inf])
        allowed = allowed_error(expected, expectation.noise[name], PRECISIONS[dtype])
        rows.append(error_ratios(observed, expected, allowed).ravel())
    return np.concatenate(rows)


def shape_documented(*names: str) -> Rule:
    """Tensors have their documented shapes. A gradient has that of its parameter or argument."""

    def rule(trial: Trial) -> list[Finding]:
        shapes = trial.case.shapes()
        findings = []
        for name in selected(trial.case, names):
            observed = trial.observation.tensors[name].values.shape
            expected = shapes[name.removesuffix(".grad")]
            message = shape_message(observed, expected)
            findings.append(holds(name, observed == expected, message))
        return findings

    return rule


def dtype_kept(trial: Trial) -> list[Finding]:
    """All tensors have the case's dtype."""
    return _all_tensors(trial, "dtype", trial.case.dtype)


def device_kept(trial: Trial) -> list[Finding]:
    """All tensors are on the case's device."""
    return _all_tensors(trial, "device", trial.case.device.split(":")[0])


def _all_tensors(trial: Trial, attribute: str, expected: str) -> list[Finding]:
    findings = []
    for name, tensor in trial.observation.tensors.items():
        observed = getattr(tensor, attribute)
        message = f"{attribute} is {observed}, not {expected}"
        findings.append(holds(name, observed == expected, message))
    return findings
