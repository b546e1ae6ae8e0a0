"""The reference's backward pass is the derivative of its forward pass.

Every component of every gradient is compared with the complex step, which subtracts nothing and is
therefore exact to rounding. If the terms of a sum cancel, float64 has fewer digits than the tests
require. Such components are computed again in 50 digits, on both sides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from lstm_conformance.reference import lstm as reference
from lstm_conformance.reference import oracle
from lstm_conformance.reference.complex_step import derivative
from lstm_conformance.reference.oracle import evaluate
from lstm_conformance.spec.case import OUTPUTS, Case
from lstm_conformance.spec.combinations import Combination

from .helpers.multiprecision import multiprecise, partial_derivatives, relative_error
from .helpers.selection import one_in_three
from .helpers.small_cases import COVERING, FLOAT64, case_of, masks_of, with_masks

TOLERANCE = 1e-13
MULTIPRECISION_TOLERANCE = 1e-40


def complex_step_gradients(case: Case) -> dict[str, np.ndarray]:
    """Gradients of the sum of output * cotangent, one complex step for each component."""
    arguments = case.arguments()
    sizes = [array.size for array in arguments.values()]
    identity = np.eye(sum(sizes))
    blocks = np.split(identity, np.cumsum(sizes)[:-1], axis=1)
    directions = {
        name: block.reshape(-1, *array.shape)
        for (name, array), block in zip(arguments.items(), blocks, strict=True)
    }
    jacobian = derivative(replace(case, cotangents=()), directions)
    total = np.zeros(len(identity))
    for name, cotangent in case.cotangent_values().items():
        total += jacobian[name].reshape(len(identity), -1) @ cotangent.reshape(-1)
    parts = np.split(total, np.cumsum(sizes)[:-1])
    return {
        name: part.reshape(array.shape)
        for (name, array), part in zip(arguments.items(), parts, strict=True)
    }


def gradient_errors(case: Case, tolerance: float = TOLERANCE) -> list[str]:
    """Which components of which gradients are wrong; empty if none is.

    Components with a larger relative error than ``tolerance`` are judged in multiprecision.
    """
    results = evaluate(case, case.arguments(), case.cotangent_values())
    in_multiprecision: dict[str, Any] = {}
    wrong = []
    for name, by_step in complex_step_gradients(case).items():
        gradient = results[f"{name}.grad"]
        if gradient.shape != by_step.shape:
            return [f"{name}.grad has shape {gradient.shape}"]
        if ((gradient == 0) != (by_step == 0)).any():
            wrong.append(f"{name}.grad is zero where it must not be, or the reverse")
            continue
        poor = np.flatnonzero(~(relative_error(gradient, by_step) <= tolerance))
        if not len(poor):
            continue
        if not in_multiprecision:
            in_multiprecision = evaluate(
                case, multiprecise(case.arguments()), multiprecise(case.cotangent_values())
            )
        exact = np.asarray(in_multiprecision[f"{name}.grad"]).reshape(-1)[poor]
        error = relative_error(exact, partial_derivatives(case, name, poor))
        wrong += [
            f"component {component} of {name}.grad is off by {relative:.1e}"
            for component, relative in zip(poor, error, strict=True)
            if not relative <= MULTIPRECISION_TOLERANCE
        ]
    return wrong


@pytest.mark.parametrize("combination", one_in_three(FLOAT64), ids=str)
def test_backward_is_the_derivative(combination: Combination) -> None:
    """Every component has 13 right digits, in every combination; zeros are exact."""
    case = case_of(combination)
    assert not gradient_errors(case), case


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("combination", COVERING, ids=str)
def test_backward_of_one_output(combination: Combination, output: str) -> None:
    """With one cotangent alone, large terms of one path cannot hide errors of another."""
    case = case_of(combination, seed=1, cotangents=(output,))
    assert not gradient_errors(case), case


@pytest.mark.parametrize("combination", [c for c in COVERING if c.num_layers == 2][:6], ids=str)
def test_backward_in_multiprecision(combination: Combination) -> None:
    """Every component has 40 right digits in multiprecision, not only those that cancel."""
    case = case_of(combination, seed=2, seq_len=2, batch_size=1, layout="batched", lengths=())
    assert not gradient_errors(case, tolerance=-1.0), case


@pytest.mark.parametrize(
    "combination", [c for c in COVERING if c.num_layers > 1 and c.dropout == "none"], ids=str
)
def test_backward_with_given_masks(
    monkeypatch: pytest.MonkeyPatch, combination: Combination
) -> None:
    """0 < dropout < 1 in training: the derivative of the forward pass with the same masks."""
    case = case_of(combination)
    masks = masks_of(case)
    monkeypatch.setattr(oracle, "lstm", partial(with_masks, masks))
    assert not gradient_errors(case), case


# ----------------------------------------------------------- and it can fail

Backward = Callable[..., Any]


def cell_state_path_cut(original: Backward) -> Backward:
    """c_{t-1} counts as a constant."""

    def defective(dh_t: Any, dc_t: Any, cache: Any, w: Any) -> Any:
        da, dh, dc = original(dh_t, dc_t, cache, w)
        return da, dh, 0 * dc

    return defective


def output_gate_term_dropped(original: Backward) -> Backward:
    """The gradient that reaches o_t through h_t is left out."""

    def defective(dh_t: Any, dc_t: Any, cache: Any, w: Any) -> Any:
        da, dh, dc = original(dh_t, dc_t, cache, w)
        i, f, g, o = np.split(da, 4, axis=-1)
        return np.concatenate([i, f, g, 0 * o], axis=-1), dh, dc

    return defective


def new_cell_state_for_the_old(original: Backward) -> Backward:
    """df = dc_t * c_t instead of dc_t * c_{t-1}."""

    def defective(dh_t: Any, dc_t: Any, cache: Any, w: Any) -> Any:
        c_t = cache.f * cache.c_prev + cache.i * cache.g
        return original(dh_t, dc_t, cache._replace(c_prev=c_t), w)

    return defective


def wrong_in_the_twelfth_digit(original: Backward) -> Backward:
    """Right but for a relative error of 1e-12 in the gradient of every gate."""

    def defective(dh_t: Any, dc_t: Any, cache: Any, w: Any) -> Any:
        da, dh, dc = original(dh_t, dc_t, cache, w)
        return da * (1 + 1e-12), dh, dc

    return defective


def zeros_not_exact(original: Backward) -> Backward:
    """1e-300 is added to the gradient of every gate."""

    def defective(dh_t: Any, dc_t: Any, cache: Any, w: Any) -> Any:
        da, dh, dc = original(dh_t, dc_t, cache, w)
        return da + 1e-300, dh, dc

    return defective


@pytest.mark.parametrize(
    "defect",
    [
        cell_state_path_cut,
        output_gate_term_dropped,
        new_cell_state_for_the_old,
        wrong_in_the_twelfth_digit,
        zeros_not_exact,
    ],
)
def test_defect_in_the_backward_is_reported(
    monkeypatch: pytest.MonkeyPatch, defect: Callable[[Backward], Backward]
) -> None:
    monkeypatch.setattr(reference, "cell_backward", defect(reference.cell_backward))
    combination = replace(COVERING[0], num_layers=2, dropout="one", layout="batched", states=True)
    case = case_of(combination, seq_len=3, cotangents=("output",))
    assert gradient_errors(case)
