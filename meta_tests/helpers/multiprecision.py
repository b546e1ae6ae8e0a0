"""A number system of 50 digits, in which the code of the reference runs unchanged.

If terms cancel, two formulas agree to few digits in float64. Here, two right formulas agree to many
more digits, and two different ones do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import mpmath
import numpy as np

from lstm_conformance.reference.oracle import evaluate
from lstm_conformance.spec.case import Case

__all__ = ["MP", "Multiprecision", "multiprecise", "partial_derivatives", "relative_error"]

# A context of its own: other users of mpmath in this process keep their precision.
MP = mpmath.MPContext()
MP.dps = 50

# The error of the complex step is of the order of its square: 80 digits down.
STEP = MP.mpf(10) ** -40

# Functions that NumPy has for floating-point types only. Arithmetic works with any object.
_FUNCTIONS: dict[Any, Any] = {
    np.exp: np.frompyfunc(MP.exp, 1, 1),
    np.tanh: np.frompyfunc(MP.tanh, 1, 1),
}


class Multiprecision(np.ndarray):
    """An object array of ``MP.mpf`` or ``MP.mpc``; exact zeros may be the integer 0."""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        plain = [x.view(np.ndarray) if isinstance(x, Multiprecision) else x for x in inputs]
        result = getattr(_FUNCTIONS.get(ufunc, ufunc), method)(*plain, **kwargs)
        return result.view(type(self)) if isinstance(result, np.ndarray) else result


def multiprecise(arrays: Mapping[str, Any]) -> dict[str, Multiprecision]:
    """Arrays of float64, exactly."""
    convert = np.frompyfunc(MP.mpf, 1, 1)
    return {
        name: np.asarray(convert(array), object).view(Multiprecision)
        for name, array in arrays.items()
    }


def partial_derivatives(case: Case, name: str, indices: np.ndarray) -> np.ndarray:
    """Partial derivatives of the sum of output * cotangent, by complex step.

    Args:
        indices: of components of the argument ``name``, flattened.
    """
    cotangents = multiprecise(case.cotangent_values())
    count = len(indices)
    moved = {
        other: np.broadcast_to(value, (count, *value.shape), subok=True)
        for other, value in multiprecise(case.arguments()).items()
    }
    along = moved[name].copy()
    flat = along.reshape(count, -1)
    for k, index in enumerate(indices):
        flat[k, index] = MP.mpc(flat[k, index], STEP)
    moved[name] = flat.reshape(along.shape)
    results = evaluate(replace(case, cotangents=()), moved, {})
    total: Any = 0
    for output, cotangent in cotangents.items():
        terms = np.asarray(results[output] * cotangent).reshape(count, -1)
        total = total + terms.sum(axis=1)
    return np.array([value.imag / STEP for value in total], object)


def relative_error(a: Any, b: Any) -> np.ndarray:
    """|a - b| / max(|a|, |b|) of each element, as float64; 0 where both are 0."""
    a, b = np.asarray(a), np.asarray(b)
    error, size = np.abs(a - b), np.maximum(np.abs(a), np.abs(b))
    return np.asarray(error / np.where(size == 0, 1, size)).astype(float)
