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


@sigmoid.register
def _(x: Samples) -> Any:
    exact = sigmoid.dispatch(object)(x.view(np.ndarray))
    return x.rounded(exact, np.maximum(2 * np.abs(exact), 1))
