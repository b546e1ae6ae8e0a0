"""A number system that tells how far a correct implementation may be off.

Monte Carlo arithmetic: the LSTM is computed many times side by side in float64, and after
every operation each copy is moved by a random amount of the size that a rounding in the
judged precision has. The spread of the copies is the rounding noise. An element that no
rounding can reach, as padding, has no spread at all.

The size of one rounding, for a result v in a precision of unit roundoff u:

* an elementary operation: ``u |v|``;
* sigmoid and tanh: ``u max(2 |v|, 1)``. Both are bounded by 1, and correct programs compute
  them from one another or from exp, with an error of about u whatever the value;
* a sum of n products x y: ``u sqrt(n/2 sum(x^2 y^2) + n/3 v^2)``, a random walk plus drift,
  which covers every order of summation.

What exceeds the largest number of the precision becomes infinite, and so does the noise of
whatever it reaches.

Derivatives have noise of their own: with complex samples the imaginary part is a derivative,
and rounds as the program that computes it would.

So a result near 0 may be off by a unit of roundoff of 1 where a sigmoid or a tanh made it:
relative accuracy in small values is not asked of an implementation.

Sources: Parker, Monte Carlo Arithmetic (1997); Higham, Accuracy and Stability of Numerical
Algorithms (2002), chapters 3 and 4.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from ..spec.precision import Precision
from .lstm import sigmoid

__all__ = ["Samples", "samples_of"]

SAMPLES = 16

# Only formats with a largest number below this are watched for overflow: the values that cases
# have are far from the range of the others.
_SMALL_RANGE = 1e30

# Results of these are exact, or no numbers.
_EXACT = frozenset([np.negative, np.positive, np.absolute, np.equal, np.not_equal])


class Samples(np.ndarray):
    """Copies of an array of float64 along the first axis, subject to rounding.

    The first copy is moved like the others. Use :func:`samples_of` to make a type of arrays
    that share a precision and a source of randomness.
    """

    precision: ClassVar[Precision]
    source: ClassVar[np.random.Generator]

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        reduces = method == "reduce" and ufunc is np.add and kwargs["axis"] == -2
        if method != "__call__" and not reduces:
            raise TypeError(f"the rounding of {ufunc.__name__}.{method} {kwargs} is not modelled")
        plain = [x.view(np.ndarray) if isinstance(x, Samples) else x for x in inputs]
        exact = getattr(ufunc, method)(*plain, **kwargs)
        if ufunc in _EXACT:
            return exact.view(type(self))
        if exact.dtype.kind == "c":
            return self.rounded_parts(exact, _rounding_sizes_of_parts(ufunc, method, plain, exact))
        return self.rounded(exact, _rounding_size(ufunc, method, plain, exact))

    @classmethod
    def rounded(cls, exact: np.ndarray, size: np.ndarray) -> Samples:
        """``exact`` moved by up to ``size`` units of roundoff."""
        random = cls.source.random(exact.shape)
        random -= 0.5
        random *= size
        random *= 2 * cls.precision.unit_roundoff
        random += exact
        if cls.precision.largest < _SMALL_RANGE:
            random[np.abs(random) > cls.precision.largest] = np.inf
        return random.view(cls)

    @classmethod
    def rounded_parts(cls, exact: np.ndarray, sizes: tuple[Any, Any]) -> Samples:
        """A complex ``exact``, real and imaginary part each moved by its size."""
        real, imaginary = (
            cls.rounded(part, size).view(np.ndarray)
            for part, size in zip((exact.real, exact.imag), sizes, strict=True)
        )
        return (real + 1j * imaginary).view(cls)


def samples_of(precision: Precision, seed: int) -> type[Samples]:
    """A type of arrays that round in ``precision``, with randomness from ``seed``."""
    source = np.random.Generator(np.random.SFC64(seed))
    return type("Samples", (Samples,), {"precision": precision, "source": source})


def _rounding_size(ufunc: np.ufunc, method: str, inputs: list[Any], exact: np.ndarray) -> Any:
    """How many units of roundoff the result of one operation may be off."""
    if ufunc is np.tanh:
        return np.maximum(2 * np.abs(exact), exact != 0)
    if ufunc is np.matmul:
        # One copy tells the size of the terms well enough: the copies are close together.
        x, y = inputs[0][0], inputs[1][0]
        squares, v = (x * x) @ (y * y), exact[0]
        return np.sqrt(x.shape[-1] * (squares / 2 + v * v / 3))
    if method == "reduce":
        (x,) = inputs
        squares = np.add.reduce(x * x, axis=-2)
        return np.sqrt(x.shape[-2] * (squares / 2 + exact * exact / 3))
    return np.abs(exact)


def _rounding_sizes_of_parts(
    ufunc: np.ufunc, method: str, inputs: list[Any], exact: np.ndarray
) -> tuple[Any, Any]:
    """The same for complex numbers with a tiny imaginary part, which is a derivative.

    A program that computes derivatives has no complex numbers: its real part rounds as if it
    were alone, and the terms of its imaginary part one by one.
    """
    real = _rounding_size(ufunc, method, [np.real(x) for x in inputs], exact.real)
    if ufunc is np.tanh:  # (1 - tanh^2) x', of which the error of tanh is a part
        return real, 3 * np.abs(np.imag(inputs[0]))
    if ufunc is np.multiply:
        x, y = inputs
        return real, np.abs(np.real(x) * np.imag(y)) + np.abs(np.imag(x) * np.real(y))
    if ufunc is np.matmul:
        x, y = inputs[0][0], inputs[1][0]
        squares = (x.real**2) @ (np.imag(y) ** 2) + (np.imag(x) ** 2) @ (y.real**2)
        return real, np.sqrt(x.shape[-1] * (squares / 2 + exact[0].imag ** 2 / 3))
    if method == "reduce":
        return real, _rounding_size(ufunc, method, [np.imag(inputs[0])], exact.imag)
    if ufunc in (np.add, np.subtract):
        return real, np.abs(exact.imag)
    raise TypeError(f"the rounding of a complex {ufunc.__name__} is not modelled")


@sigmoid.register
def _(x: Samples) -> Any:
    exact = sigmoid.dispatch(object)(x.view(np.ndarray))
    size = np.maximum(2 * np.abs(exact), 1)
    if exact.dtype.kind == "c":  # i (1 - i) x', of which the error of i is a part
        return x.rounded_parts(exact, (size.real, 2 * np.abs(x.view(np.ndarray).imag)))
    return x.rounded(exact, size)
