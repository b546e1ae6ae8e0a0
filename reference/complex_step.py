"""Exact derivatives by complex step: complex numbers with a tiny imaginary part.

For an analytic f with real values, ``imag(f(x + i s v)) / s`` is the derivative of f at x in
direction v, with an error of order s^2. With s = 2^-100 this error is far below rounding. Unlike a
finite difference, it subtracts nothing. The LSTM and its backward pass are both analytic, so a
complex step through the backward pass gives Hessian-vector products.

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
from ..spec.global_settings import known_arithmetic
from .oracle import Expectation, evaluate, spread
from .rounding import SAMPLES, samples_of

__all__ = ["derivative", "expect_derivative"]

Array = NDArray[np.float64]

STEP = 2.0**-100


def derivative(case: Case, direction: Mapping[str, Array]) -> dict[str, Array]:
    """The derivative of every result of ``case`` in ``direction``.

    Args:
        case: the case.
        direction: an array for one or more of ``case.argument_names()``, in the shape of the
            argument. More axes in front, the same for all arrays, give several directions at
            once. The direction is zero in all other arguments.

    Returns:
        An array for each of ``case.result_names()``: the Jacobian-vector product for ``output``,
        ``h_n`` and ``c_n``, the Hessian-vector product for gradients.

    Raises:
        ValueError: ``direction`` is empty or has a name that is no argument, or ``evaluate``
            raises it.
    """
    _check(case, direction)
    front = {name: array.ndim - len(case.shapes()[name]) for name, array in direction.items()}
    axes = max(front.values())
    sizes = next(direction[name].shape[:axes] for name in direction if front[name] == axes)
    arguments, cotangents = _stepped(case, direction, sizes)
    return {name: r.imag / STEP for name, r in evaluate(case, arguments, cotangents).items()}


@known_arithmetic()
def expect_derivative(case: Case, direction: Mapping[str, Array]) -> Expectation:
    """:func:`derivative` for one direction, with the rounding noise of each element.

    Args:
        case: the case.
        direction: as for :func:`derivative`, without axes in front. The dtype of the case must
            represent its values exactly.

    Raises:
        ValueError: as :func:`derivative`.
    """
    _check(case, direction)
    kind = samples_of(case.precision, zlib.crc32(str(case).encode()))
    arguments, cotangents = (
        {name: array.view(kind) for name, array in arrays.items()}
        for arrays in _stepped(case, direction, (SAMPLES,))
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
        names = ", ".join(case.argument_names())
        raise ValueError(f"direction must have some of {names}, not {', '.join(unknown) or 'none'}")


def _stepped(
    case: Case, direction: Mapping[str, Array], sizes: tuple[int, ...]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Arguments with a tiny imaginary part in ``direction``, and cotangents without one.

    All arrays get axes of ``sizes`` in front.
    """
    arguments = {
        name: np.broadcast_to(value, (*sizes, *value.shape)) + 1j * STEP * direction.get(name, 0.0)
        for name, value in case.arguments().items()
    }
    cotangents = {
        name: np.broadcast_to(value, (*sizes, *value.shape)).astype(complex)
        for name, value in case.cotangent_values().items()
    }
    return arguments, cotangents
