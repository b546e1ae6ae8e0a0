"""A number system that gives exact derivatives: complex numbers with a tiny imaginary part.

For an analytic f with real values, ``imag(f(x + i s v)) / s`` is the derivative of f at x in
direction v, with an error of the order s^2. With s = 2^-100 that is nothing beside rounding,
and unlike in a finite difference nothing is subtracted. The LSTM and its hand-derived backward
are both analytic, so the same step through the backward gives Hessian-vector products.

Source: Squire and Trapp, Using Complex Variables to Estimate Derivatives of Real Functions,
SIAM Review 40 (1998).
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..spec.case import Case
from .oracle import Expectation, evaluate, spread
from .rounding import SAMPLES, samples_of

__all__ = ["derivative", "expect_derivative"]

Array = NDArray[np.float64]

STEP = 2.0**-100


def derivative(case: Case, direction: Mapping[str, Array]) -> dict[str, Array]:
    """How every result of ``case`` changes along ``direction``.

    Args:
        direction: for some of ``case.argument_names()`` an array in that argument's shape;
            further axes in front, the same for all, are directions side by side. The others
            stay as they are.

    Returns:
        By the names of ``case.result_names()``: for ``output``, ``h_n`` and ``c_n`` the
        Jacobian-vector product, for gradients the Hessian-vector product.

    Raises:
        ValueError: ``direction`` names no argument, or the case is outside the oracle.
    """
    _check(case, direction)
    front = {name: array.ndim - len(case.shapes()[name]) for name, array in direction.items()}
    axes = max(front.values())
    sizes = next(direction[name].shape[:axes] for name in direction if front[name] == axes)
    arguments, cotangents = _moved(case, direction, sizes)
    return {name: r.imag / STEP for name, r in evaluate(case, arguments, cotangents).items()}


def expect_derivative(case: Case, direction: Mapping[str, Array]) -> Expectation:
    """The same for one direction, with the rounding noise of each element.

    Args:
        direction: as for :func:`derivative`, without further axes, and representable in the
            precision of the case.

    Raises:
        ValueError: as :func:`derivative`.
    """
    _check(case, direction)
    kind = samples_of(case.precision, zlib.crc32(str(case).encode()))
    arguments, cotangents = (
        {name: array.view(kind) for name, array in arrays.items()}
        for arrays in _moved(case, direction, (SAMPLES,))
    )
    samples = evaluate(case, arguments, cotangents)
    values = derivative(case, direction)
    return Expectation(
        values,
        {
            name: spread(np.asarray(samples[name]).imag / STEP, value)
            for name, value in values.items()
        },
    )


def _check(case: Case, direction: Mapping[str, Array]) -> None:
    unknown = set(direction) - set(case.argument_names())
    if unknown or not direction:
        raise ValueError(f"directions are for {', '.join(case.argument_names())}, not {unknown}")


def _moved(
    case: Case, direction: Mapping[str, Array], sizes: tuple[int, ...]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Arguments with a tiny imaginary part along ``direction``, and cotangents with none, each
    with axes of ``sizes`` in front."""
    arguments = {
        name: np.broadcast_to(value, (*sizes, *value.shape)) + 1j * STEP * direction.get(name, 0.0)
        for name, value in case.arguments().items()
    }
    cotangents = {
        name: np.broadcast_to(value, (*sizes, *value.shape)).astype(complex)
        for name, value in case.cotangent_values().items()
    }
    return arguments, cotangents
