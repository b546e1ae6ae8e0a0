"""Which arrays something changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

__all__ = ["changed_arrays"]


def changed_arrays(
    arrays: Mapping[str, Any],
    run: Callable[[], Any],
    numpy: Callable[[Any], Any] = np.asarray,
) -> list[str]:
    """Names of the arrays of which ``run`` changes a bit.

    Args:
        arrays: of NumPy or of a framework, by name.
        run: what is looked at.
        numpy: converts an array of the framework to a NumPy array.
    """
    before = _bits(arrays, numpy)
    run()
    after = _bits(arrays, numpy)
    return [name for name, bits in before.items() if after[name] != bits]


def _bits(arrays: Mapping[str, Any], numpy: Callable[[Any], Any]) -> dict[str, bytes]:
    return {name: np.asarray(numpy(array)).tobytes() for name, array in arrays.items()}
