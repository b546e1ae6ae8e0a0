"""An assertion for tests of one's own: no error is larger than rounding explains."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...spec.precision import PRECISIONS
from ...spec.ratios import times_noise
from ...spec.verdicts import PASS
from ..judging.comparison import THRESHOLD, compare

__all__ = ["assert_close_to_rounding"]


def assert_close_to_rounding(
    actual: Any, expected: Any, noise: Any, *, dtype: str | None = None, name: str = "actual"
) -> None:
    """Asserts that no error exceeds 30 times the rounding noise of its element.

    Args:
        actual: an array, or a tensor of torch, of real numbers.
        expected: array of the same shape, such as ``expect(case).values["output"]``.
        noise: array of the same shape: the standard deviation of the rounding errors of each
            element, such as ``expect(case).noise["output"]``. It counts as at least one rounding
            in ``dtype``.
        dtype: the number format in which ``actual`` was computed (default: its own).
        name: of ``actual``, in the message.

    Raises:
        AssertionError: an error is larger, or the shape is another one.
        ValueError: ``dtype`` is no number format that is judged.
    """
    values = _plain(actual)
    own = dtype or str(getattr(actual, "dtype", values.dtype)).removeprefix("torch.")
    if own not in PRECISIONS:
        raise ValueError(f"{own!r} is not judged: give dtype=, one of {', '.join(PRECISIONS)}")
    found = compare(
        name,
        values.astype(np.float64),
        np.asarray(expected, np.float64),
        np.asarray(noise, np.float64),
        PRECISIONS[own],
    )
    if found.verdict == PASS:
        return
    if found.index is None:
        raise AssertionError(f"{name}: {found.message}")
    what = f"{times_noise(found.ratio or 0.0)}, {THRESHOLD:g} allowed"
    if found.verdict != "fail":
        what += "; the tensor is so ill-conditioned that this proves nothing"
    raise AssertionError(
        f"{name}{list(found.index)} is {found.observed!r}, expected {found.expected!r} "
        f"+- {found.noise:.2g}: {what}"
    )


def _plain(values: Any) -> Any:
    """``values`` as an array; a tensor of torch without its graph, on the cpu."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        if str(values.dtype) == "torch.bfloat16":  # NumPy has no such dtype
            values = values.double()
    return np.asarray(values)
