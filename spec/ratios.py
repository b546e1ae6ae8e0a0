"""Errors divided by rounding noise, in results and in words."""

from __future__ import annotations

__all__ = ["LARGEST_RATIO", "times_noise"]

# JSON has no infinity. Results hold this instead, and no larger ratio.
LARGEST_RATIO = 1e99


def times_noise(ratio: float) -> str:
    """An error divided by the standard deviation of rounding errors, in words."""
    if ratio >= LARGEST_RATIO:  # of a number that is infinite or NaN
        return "infinitely many times rounding noise"
    return f"{ratio:.3g} times rounding noise"
