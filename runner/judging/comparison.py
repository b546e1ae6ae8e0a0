"""Compares observed values with expected ones, to within rounding."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...spec.global_settings import known_arithmetic
from ...spec.precision import PRECISIONS, Precision
from ...spec.verdicts import FAIL, INCONCLUSIVE, PASS, Verdict

__all__ = [
    "THRESHOLD",
    "Finding",
    "allowed_error",
    "compare",
    "error_ratios",
    "holds",
    "shape_message",
]

Array = NDArray[np.float64]

# Largest error of a correct implementation, in standard deviations of rounding noise. LAPACK's
# test programs use the same number. Correct implementations stay below 12 in all formats and
# sizes: see reports/published/calibration.md and calibration_sizes.md.
THRESHOLD = 30.0

# If noise reaches this fraction of a tensor's largest value, rounding errors multiply instead of
# adding up, and their spread says little about the next one. An error above the threshold proves
# nothing then. Among 6,500 cases in bfloat16, all with such an error had a fraction of at least
# 0.18.
ILL_CONDITIONED = 0.1


@dataclass(frozen=True)
class Finding:
    """The verdict on one tensor, and the element that decides it.

    Attributes:
        tensor: its name.
        verdict: ``PASS``, ``FAIL`` or ``INCONCLUSIVE``.
        ratio: largest error over noise; None where no noise is involved.
        index: of the element with the largest ratio.
        observed: what the implementation returned there.
        expected: what the reference has there.
        noise: the standard deviation of rounding errors there.
        message: what is wrong, if the numbers do not say it.
    """

    tensor: str
    verdict: Verdict
    ratio: float | None = None
    index: tuple[int, ...] | None = None
    observed: float | None = None
    expected: float | None = None
    noise: float | None = None
    message: str = ""

    def noted(self, note: str) -> Finding:
        """This finding with ``note`` before its message."""
        if not note:
            return self
        return replace(self, message=f"{note}: {self.message}" if self.message else note)


def holds(what: str, condition: bool, message: str) -> Finding:
    """A finding without numbers: a pass if ``condition`` is true, otherwise a fail.

    Args:
        what: name of the tensor, argument or property that it is about.
        condition: whether that is right.
        message: what is wrong if it is not.
    """
    return Finding(what, PASS) if condition else Finding(what, FAIL, message=message)


@known_arithmetic()
def compare(
    tensor: str, observed: Array, expected: Array, noise: Array, precision: Precision | str
) -> Finding:
    """Compares one tensor: no error may exceed ``THRESHOLD`` times the noise of its element.

    The noise counts as at least one rounding of the expected value, and as
    ``precision.least_error``. A NaN is right only where a NaN is expected.

    Args:
        tensor: its name, for the finding.
        observed: float64, any shape; it fails if its shape is not that of ``expected``.
        expected: float64.
        noise: standard deviation of rounding errors, in the shape of ``expected``.
        precision: the format in which ``observed`` was computed, or its name in torch.

    Raises:
        KeyError: there is no format of that name.
    """
    if isinstance(precision, str):
        precision = PRECISIONS[precision]
    if observed.shape != expected.shape:
        return Finding(tensor, FAIL, message=shape_message(observed.shape, expected.shape))
    allowed = allowed_error(expected, noise, precision)
    ratios = error_ratios(observed, expected, allowed)
    if not ratios.size:
        return Finding(tensor, PASS)
    index = np.unravel_index(int(ratios.argmax()), ratios.shape)
    worst = float(ratios[index])
    verdict: Verdict = PASS
    if worst > THRESHOLD:
        verdict = INCONCLUSIVE if _ill_conditioned(expected, noise) else FAIL
    return Finding(
        tensor,
        verdict,
        worst,
        tuple(int(k) for k in index),
        float(observed[index]),
        float(expected[index]),
        float(allowed[index]),
    )


def _ill_conditioned(expected: Array, noise: Array) -> bool:
    finite = np.isfinite(expected)
    largest = np.abs(expected).max(where=finite, initial=0.0)
    # Not the same as `>`: noise is NaN if samples overflowed, and that exceeds every limit.
    return not noise.max(where=finite, initial=0.0) <= ILL_CONDITIONED * largest


def allowed_error(expected: Array, noise: Array, precision: Precision) -> Array:
    """The standard deviation of the error of each element; at least one rounding."""
    allowed = np.maximum(noise, precision.unit_roundoff * np.abs(expected))
    return np.maximum(allowed, precision.least_error)


def error_ratios(observed: Array, expected: Array, allowed: Array) -> Array:
    """Errors divided by ``allowed``, element by element; infinite where an error is NaN."""
    with np.errstate(invalid="ignore", over="ignore"):
        ratios: Array = np.abs(observed - expected) / allowed
    if np.isfinite(ratios).all():
        return ratios
    same = (observed == expected) | (np.isnan(observed) & np.isnan(expected))
    ratios = np.where(same, 0.0, ratios)
    return np.where(np.isnan(ratios), np.inf, ratios)


def shape_message(observed: tuple[int, ...], expected: tuple[int, ...]) -> str:
    """The message of a finding on a wrong shape."""
    return f"shape is {observed}, not {expected}"
