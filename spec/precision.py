"""The floating-point formats in which implementations are judged, and those of their products."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["PRECISIONS", "PRODUCTS", "Precision"]


@dataclass(frozen=True)
class Precision:
    """A binary floating-point format: of IEEE 754, or bfloat16.

    Attributes:
        name: torch's name of the dtype.
        unit_roundoff: the largest relative error of one rounding to nearest, 2**-p.
        smallest_subnormal: the distance between neighbouring numbers near zero.
        largest: the largest finite number.
        factors: the format to which factors of products of matrices are rounded, if it has fewer
            digits than this one; otherwise None.
    """

    name: str
    unit_roundoff: float
    smallest_subnormal: float
    largest: float
    factors: Precision | None = None

    @property
    def factor_roundoff(self) -> float:
        """The largest relative error of a factor; 0 if it has all digits."""
        return 0.0 if self.factors is None else self.factors.unit_roundoff

    @property
    def largest_factor(self) -> float:
        """The largest factor of a product of matrices that is finite."""
        return self.largest if self.factors is None else self.factors.largest

    @property
    def smallest_normal(self) -> float:
        """Numbers below it are denormal: they have fewer digits."""
        return self.smallest_subnormal / (2 * self.unit_roundoff)

    @property
    def least_error(self) -> float:
        """The size of the rounding errors of a sum of products near zero.

        Below the smallest normal number, each term is rounded to a multiple of the smallest one.
        The root of the number of terms says how much of that adds up. It is 64 for 4,096 terms,
        as in a gradient of a layer of 1,024 units. torch.nn.LSTM with 700 units is off by 52 times
        the smallest number of float32, where a gradient vanishes. A float16 sum is mostly
        computed in float32.

        Processors multiply matrices in bfloat16 by instructions of their own, which take denormal
        numbers for zero, whatever the settings are. So in bfloat16, and where products have fewer
        digits, each term may lose as much as the smallest normal number. torch.nn.LSTM with 256
        units loses a gradient that is 20 times that number.

        Source: Intel 64 and IA-32 Architectures Software Developer's Manual, VDPBF16PS.
        """
        if self.name == "bfloat16" or self.factors is not None:
            return 8 * self.smallest_normal
        return self.smallest_subnormal * (1 if self.name == "float16" else 64)

    def round(self, x: NDArray[Any]) -> NDArray[np.float64]:
        """``x`` rounded to the nearest number of this format, as float64, in the same shape."""
        if self.name == "bfloat16":
            return _round_to_bfloat16(x)
        return x.astype(self.name).astype(np.float64)


def _round_to_bfloat16(x: NDArray[Any]) -> NDArray[np.float64]:
    # NumPy has no bfloat16. It is the upper half of a float32, rounded to nearest, ties to even.
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32).astype(np.uint64)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    return rounded.astype(np.uint32).view(np.float32).astype(np.float64).reshape(x.shape)


PRECISIONS = {
    precision.name: precision
    for precision in (
        Precision("float64", 2.0**-53, 2.0**-1074, (2 - 2.0**-52) * 2.0**1023),
        Precision("float32", 2.0**-24, 2.0**-149, (2 - 2.0**-23) * 2.0**127),
        Precision("bfloat16", 2.0**-8, 2.0**-133, (2 - 2.0**-7) * 2.0**127),
        Precision("float16", 2.0**-11, 2.0**-24, 65504.0),
    )
}
"""Each number format that is judged, by torch's name of its dtype."""

# The formats to which factors of products can be rounded. Sums keep the format of the case. TF32
# has the 11 digits of float16, and the range of float32.
PRODUCTS = {
    "tf32": Precision("tf32", 2.0**-11, 2.0**-136, (2 - 2.0**-10) * 2.0**127),
    "float16": PRECISIONS["float16"],
    "bfloat16": PRECISIONS["bfloat16"],
}
