"""The complex step through the hand-derived backward gives Hessian-vector products.

It is compared with central differences of gradients. In float64 these would have half of the
digits. In 50 digits they are exact enough for float64.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lstm_conformance.reference import lstm as reference
from lstm_conformance.reference.complex_step import derivative
from lstm_conformance.reference.oracle import evaluate
from lstm_conformance.spec.case import Case, uniform_numbers
from lstm_conformance.spec.combinations import Combination

from .helpers.multiprecision import MP, multiprecise
from .helpers.small_cases import COVERING, case_of

# A central difference over +-h errs by h^2/6 times a third derivative (1e-24 of it), and by
# the rounding of 50 digits over h (1e-38): far below the float64 it is compared with.
H = MP.mpf(10) ** -12

# What is left is the rounding of the complex step in float64: sums of some hundred terms, each
# right to a few units of 1e-16, beside the largest component of a tensor.
TOLERANCE = 1e-13


def direction_of(case: Case, name: str) -> dict[str, np.ndarray]:
    """A direction in which every argument changes."""
    shapes = case.shapes()
    return {
        argument: uniform_numbers(case.seed, f"direction {name} of {argument}", shapes[argument])
        for argument in case.argument_names()
    }


def central_difference(case: Case, direction: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """How every result changes along ``direction``, by differences in multiprecision."""
    at, along = multiprecise(case.arguments()), multiprecise(direction)
    cotangents = multiprecise(case.cotangent_values())
    above = evaluate(case, {name: at[name] + H * along[name] for name in at}, cotangents)
    below = evaluate(case, {name: at[name] - H * along[name] for name in at}, cotangents)
    return {name: np.asarray((above[name] - below[name]) / (2 * H)) for name in above}


def product_errors(case: Case) -> list[str]:
    """Which products are wrong: of the Jacobian for outputs, the Hessian for gradients."""
    direction = direction_of(case, "u")
    wrong = []
    products = derivative(case, direction)
    for name, truth in central_difference(case, direction).items():
        error = np.abs(products[name] - truth).astype(float)
        size = float(np.max(np.abs(truth)))
        if not (error <= TOLERANCE * size).all():
            wrong.append(f"the product for {name} is off by {error.max():.1e} beside {size:.1e}")
    return wrong


def asymmetry(case: Case) -> float:
    """|u'Hv - v'Hu| beside the terms that it sums."""
    u, v = direction_of(case, "u"), direction_of(case, "v")
    Hu, Hv = derivative(case, u), derivative(case, v)
    uHv = np.concatenate([(u[name] * Hv[f"{name}.grad"]).reshape(-1) for name in u])
    vHu = np.concatenate([(v[name] * Hu[f"{name}.grad"]).reshape(-1) for name in u])
    return float(abs(uHv.sum() - vHu.sum()) / (np.abs(uHv).sum() + np.abs(vHu).sum()))


@pytest.mark.parametrize("combination", COVERING, ids=str)
def test_products_are_differences_of_gradients(combination: Combination) -> None:
    case = case_of(combination, seed=3)
    assert not product_errors(case), case


@pytest.mark.parametrize("combination", COVERING, ids=str)
def test_hessian_is_symmetric(combination: Combination) -> None:
    """A symmetric Hessian shows, without differences, that gradients belong to one function."""
    case = case_of(combination, seed=4)
    assert asymmetry(case) <= 1e-14, case


def test_several_directions_side_by_side() -> None:
    """Several directions on a leading axis give what each gives alone."""
    case = case_of(COVERING[0])
    u, v = direction_of(case, "u"), direction_of(case, "v")
    both = derivative(case, {name: np.stack([u[name], v[name]]) for name in u})
    for row, alone in enumerate((derivative(case, u), derivative(case, v))):
        for name, product in alone.items():
            np.testing.assert_allclose(both[name][row], product, rtol=1e-12, atol=1e-14)


def test_directions_are_of_arguments() -> None:
    """A direction without entries, or of something else, must be refused."""
    case = case_of(COVERING[0])
    with pytest.raises(ValueError, match="direction must have some of input"):
        derivative(case, {"output": np.zeros(case.shapes()["output"])})
    with pytest.raises(ValueError, match="direction must have some of input"):
        derivative(case, {})


# ----------------------------------------------------------- and it can fail


def value_instead_of_derivative(original: Callable[..., Any]) -> Callable[..., Any]:
    """A factor of the gradient counts as a constant: right gradient, wrong Hessian."""

    def defective(dh_t: Any, dc_t: Any, cache: Any, w: Any) -> Any:
        held = cache.f if cache.f.dtype == object else cache.f.real
        return original(dh_t, dc_t, cache._replace(f=held), w)

    return defective


def gradient_of_no_function(original: Callable[..., Any]) -> Callable[..., Any]:
    """The old cell state's part in the forget gate doubled."""

    def defective(dh_t: Any, dc_t: Any, cache: Any, w: Any) -> Any:
        return original(dh_t, dc_t, cache._replace(c_prev=2 * cache.c_prev), w)

    return defective


def test_defect_in_the_products_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        reference, "cell_backward", value_instead_of_derivative(reference.cell_backward)
    )
    assert product_errors(case_of(next(c for c in COVERING if c.states)))


def test_defect_in_the_gradient_makes_the_hessian_asymmetric(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        reference, "cell_backward", gradient_of_no_function(reference.cell_backward)
    )
    assert asymmetry(case_of(next(c for c in COVERING if c.states))) > 1e-4
