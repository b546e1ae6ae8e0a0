"""The rounding noise of a result: how far a correct implementation may be off.

This is Monte Carlo arithmetic. The LSTM runs on many copies of its arguments side by side, in
float64. After every operation each copy changes by a random amount, of the size of one rounding
in the judged precision. The spread of the copies is the rounding noise. An element that rounding
does not affect, such as padding, has no spread.

The size of one rounding, for a result v in a precision with unit roundoff u:

* an elementary operation: ``u |v|``;
* sigmoid and tanh: ``u max(2 |v|, 1)``. Both are bounded by 1. Correct programs compute them from
  exp or from each other, with an error of about u for every v. A result near 0 that comes from a
  sigmoid or a tanh may therefore be off by u: no relative accuracy is required there;
* a sum of n products x y: ``u sqrt(n/2 sum(x^2 y^2) + n/3 v^2)``, a random walk plus drift. It
  covers every order of summation. If the factors are rounded first, with errors of up to w, as on
  hardware that multiplies in TF32: ``w sqrt(2 sum(x^2 y^2) + v^2)`` besides, again a random part
  and a drift. If they are rounded to float16, which has no number below s: ``s/2 sqrt(n sum(x^2) +
  n sum(y^2))`` besides.

A number beyond the largest number of the precision becomes infinite. The noise of every result
that depends on it is then infinite or NaN.

Derivatives have noise too. In complex samples the imaginary part is a derivative, and it rounds
as in a program that computes the derivative.

Sources: Parker, Monte Carlo Arithmetic (1997); Higham, Accuracy and Stability of Numerical
Algorithms (2002), chapters 3 and 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from ..spec.precision import Precision
from .lstm import sigmoid

__all__ = ["Samples", "product", "samples_of", "sigmoid_size", "tanh_size"]

SAMPLES = 16

# Overflow is modelled only in formats whose largest number is below this. The values of cases are
# far from the largest number of the other formats.
_SMALL_RANGE = 1e30

# The results of these functions are exact, or booleans.
_EXACT = frozenset([np.negative, np.positive, np.absolute, np.equal, np.not_equal])


class Samples(np.ndarray):
    """Copies of a float64 array along the first axis. Every operation adds rounding errors.

    All copies have errors, the first one too. :func:`samples_of` makes a subclass with precisions
    and a random generator.
    """

    # Above that of ndarray, so that np.concatenate of samples gives samples.
    __array_priority__ = 1.0

    # One number, or (B,) for B cases along the second axis.
    twice_roundoff: ClassVar[Any]
    largest: ClassVar[Any]
    overflows: ClassVar[bool]
    # The square of the largest error of a factor of a product, in unit roundoffs, and whether some
    # is not 0.
    of_factors: ClassVar[Any]
    rounds_factors: ClassVar[bool]
    # The same for the absolute error of a factor near 0.
    of_small_factors: ClassVar[Any]
    loses_factors: ClassVar[bool]
    source: ClassVar[np.random.BitGenerator]

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        reduces = method == "reduce" and ufunc is np.add and kwargs["axis"] == -2
        if method != "__call__" and not reduces:
            raise TypeError(f"the rounding of {ufunc.__name__}.{method} {kwargs} is not modelled")
        if ufunc is np.matmul and inputs[0].dtype.kind != "c":
            exact, variance = product(*inputs)
            return self.rounded(exact, np.sqrt(variance))
        plain = [x.plain if isinstance(x, Samples) else x for x in inputs]
        exact = getattr(ufunc, method)(*plain, **kwargs)
        if ufunc in _EXACT:
            return exact.view(type(self))
        if exact.dtype.kind == "c":
            sizes = _rounding_sizes_of_parts(ufunc, method, plain, exact, type(self))
            return self.rounded_parts(exact, sizes)
        return self.rounded(exact, _rounding_size(ufunc, method, plain, exact))

    @property
    def plain(self) -> np.ndarray:
        """The same numbers without rounding."""
        return self.view(np.ndarray)

    @cached_property
    def squares(self) -> np.ndarray:
        """The squares of the first copy. Every step multiplies by the same weights."""
        first = self.plain[:1]
        return np.asarray(first * first)

    @classmethod
    def rounded(cls, exact: np.ndarray, size: np.ndarray) -> Samples:
        """``exact`` plus random errors of up to ``size`` unit roundoffs."""
        # An error needs few digits: four of them are drawn at once, as integers of 16 bits.
        words = cls.source.random_raw(exact.size // 4 + 1)
        random = words.view(np.int16)[: exact.size].reshape(exact.shape)
        unit = cls._of_each_case(cls.twice_roundoff, exact.ndim) / 2**16
        inexact: np.ndarray = random * (size * unit)
        inexact += exact
        if cls.overflows:
            inexact[np.abs(inexact) > cls._of_each_case(cls.largest, exact.ndim)] = np.inf
        return inexact.view(cls)

    @staticmethod
    def _of_each_case(numbers: Any, ndim: int) -> Any:
        """``numbers`` in a shape that broadcasts with samples of ``ndim`` axes."""
        return numbers if isinstance(numbers, float) else numbers.reshape(-1, *(1,) * (ndim - 2))

    @classmethod
    def rounded_parts(cls, exact: np.ndarray, sizes: tuple[Any, Any]) -> Samples:
        """A complex ``exact`` plus random errors, with one size for each of its two parts."""
        real, imaginary = (
            cls.rounded(part, size).view(np.ndarray)
            for part, size in zip((exact.real, exact.imag), sizes, strict=True)
        )
        return (real + 1j * imaginary).view(cls)


def samples_of(precision: Precision | Sequence[Precision], seed: int) -> type[Samples]:
    """A subclass of :class:`Samples` that rounds in ``precision``, with random ``seed``.

    With several precisions, the second axis has one entry for each.
    """
    source = np.random.SFC64(seed)
    precisions = [precision] if isinstance(precision, Precision) else precision
    members: dict[str, Any] = {
        "twice_roundoff": np.array([2 * one.unit_roundoff for one in precisions]),
        "largest": np.array([one.largest for one in precisions]),
        "overflows": any(one.largest < _SMALL_RANGE for one in precisions),
        "of_factors": np.array([_of_factors(one) for one in precisions]),
        "rounds_factors": any(one.factors is not None for one in precisions),
        "of_small_factors": np.array([_of_small_factors(one) for one in precisions]),
        "loses_factors": any(
            one.largest_factor < min(one.largest, _SMALL_RANGE) for one in precisions
        ),
        "source": source,
    }
    if len(set(precisions)) == 1:  # numbers are faster
        one = precisions[0]
        members |= {
            "twice_roundoff": 2 * one.unit_roundoff,
            "largest": one.largest,
            "of_factors": _of_factors(one),
            "of_small_factors": _of_small_factors(one),
        }
    return type("Samples", (Samples,), members)


def _of_factors(precision: Precision) -> float:
    if precision.factors is None:
        return 0.0
    return (precision.factor_roundoff / precision.unit_roundoff) ** 2


def _of_small_factors(precision: Precision) -> float:
    if precision.factors is None:
        return 0.0
    return (precision.factors.smallest_subnormal / 2 / precision.unit_roundoff) ** 2


def product(
    x: Samples, y: Samples, squares: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """``x @ y`` without rounding, and the square of the size of its errors.

    Args:
        x: samples (..., N, K).
        y: samples (..., K, F).
        squares: of the first copy of ``y``, if they are known.
    """
    exact = _product_of_copies(x.plain, y.plain)
    # The copies are close together: one of them is enough to estimate the size of the terms.
    x_1, y_1, v = x.plain[:1], y.plain[:1], exact[:1]
    if squares is not None:
        of_terms = (x_1 * x_1) @ squares
    else:
        of_terms = np.zeros(v.shape)
        for k in range(0, x.shape[-1], _TERMS_AT_ONCE):  # the squares of all would need memory
            of_x, of_y = x_1[..., k : k + _TERMS_AT_ONCE], y_1[..., k : k + _TERMS_AT_ONCE, :]
            of_terms += (of_x * of_x) @ (of_y * of_y)
    variance = of_terms / 2
    variance += v * v / 3
    variance *= x.shape[-1]
    if x.rounds_factors:
        variance += x._of_each_case(x.of_factors, exact.ndim) * (2 * of_terms + v * v)
    if x.loses_factors:
        of_each = x.shape[-1] * x._of_each_case(x.of_small_factors, exact.ndim)
        variance += of_each * _squares_of_factors(x_1, y_1)
    return exact, variance


_TERMS_AT_ONCE = 256


def _squares_of_factors(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Those of a row of ``x`` and a column of ``y``, added up, for each element of ``x @ y``."""
    of_rows = np.einsum("...ij,...ij->...i", x, x)[..., :, None]
    return np.asarray(of_rows + np.einsum("...ij,...ij->...j", y, y)[..., None, :])


def _product_of_copies(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """``x @ y``. If all copies of ``y`` are the same, those of ``x`` are rows of one product."""
    if y.strides[0] != 0 or x.ndim > 4:
        return np.asarray(x @ y)
    one, rows = y[0], (len(x) * x.shape[-2], x.shape[-1])
    if x.ndim == 3:
        return np.asarray(x.reshape(rows) @ one).reshape(*x.shape[:-1], one.shape[-1])
    cases = x.swapaxes(0, 1)  # (B, S, N, K)
    exact = np.asarray(cases.reshape(len(cases), *rows) @ one)
    return exact.reshape(*cases.shape[:-1], one.shape[-1]).swapaxes(0, 1)


def _rounding_size(ufunc: np.ufunc, method: str, inputs: list[Any], exact: np.ndarray) -> Any:
    """The largest error of one operation, in unit roundoffs."""
    if ufunc is np.tanh:
        return tanh_size(exact)
    if method == "reduce":
        (x,) = inputs
        squares = np.einsum("...ij,...ij->...j", x, x)
        return np.sqrt(x.shape[-2] * (squares / 2 + exact * exact / 3))
    return np.abs(exact)


def _rounding_sizes_of_parts(
    ufunc: np.ufunc, method: str, inputs: list[Any], exact: np.ndarray, kind: type[Samples]
) -> tuple[Any, Any]:
    """The same for complex numbers, whose tiny imaginary part is a derivative.

    A program that computes derivatives uses no complex numbers. So the real part rounds as if
    there were no imaginary part, and each term of the imaginary part rounds on its own.
    """
    if ufunc is np.matmul:
        x, y, v = inputs[0][0], inputs[1][0], exact[0]
        of_real = (x.real**2) @ (y.real**2)
        of_imaginary = (x.real**2) @ (y.imag**2) + (x.imag**2) @ (y.real**2)
        n = x.shape[-1]
        variances = [
            n * (of_terms / 2 + part**2 / 3) + kind.of_factors * (2 * of_terms + part**2)
            for of_terms, part in ((of_real, v.real), (of_imaginary, v.imag))
        ]
        if kind.loses_factors:
            squares = _squares_of_factors(x.real, y.real)
            variances[0] += n * kind.of_small_factors * squares
            squares = squares + _squares_of_factors(x.imag, y.imag)
            variances[1] += n * kind.of_small_factors * squares
        return np.sqrt(variances[0]), np.sqrt(variances[1])
    real = _rounding_size(ufunc, method, [np.real(x) for x in inputs], exact.real)
    if ufunc is np.tanh:  # (1 - tanh^2) x', where tanh has an error too
        return real, 3 * np.abs(np.imag(inputs[0]))
    if ufunc is np.multiply:
        x, y = inputs
        return real, np.abs(np.real(x) * np.imag(y)) + np.abs(np.imag(x) * np.real(y))
    if method == "reduce":
        return real, _rounding_size(ufunc, method, [np.imag(inputs[0])], exact.imag)
    if ufunc in (np.add, np.subtract):
        return real, np.abs(exact.imag)
    raise TypeError(f"the rounding of a complex {ufunc.__name__} is not modelled")


def tanh_size(v: np.ndarray) -> np.ndarray:
    """The largest error of a tanh whose result is ``v``, in unit roundoffs."""
    return np.asarray(np.maximum(2 * np.abs(v), v != 0))


def sigmoid_size(v: np.ndarray) -> np.ndarray:
    """The same of a sigmoid."""
    return np.asarray(np.maximum(2 * np.abs(v), 1))


@sigmoid.register
def _(x: Samples) -> Any:
    exact = sigmoid.dispatch(object)(x.view(np.ndarray))
    size = sigmoid_size(exact)
    if exact.dtype.kind == "c":  # i (1 - i) x', where i has an error too
        return x.rounded_parts(exact, (size.real, 2 * np.abs(x.view(np.ndarray).imag)))
    return x.rounded(exact, size)
