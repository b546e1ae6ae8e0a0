"""Arrays in a file, between this process and the one that runs isolated cases."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ..processes.regular_file import read_regular_file

__all__ = ["read_tensors", "write_tensors"]

# In bytes. Cases are small.
_LARGEST = 1 << 28


def write_tensors(path: Path, arrays: Iterable[Any]) -> None:
    """Writes arrays one after the other, each in the format of ``numpy.save``.

    Raises:
        ValueError: one of them holds objects.
    """
    with path.open("wb") as file:
        for array in arrays:
            plain = np.array(array, copy=True, subok=False)
            npy.write_array(file, plain, allow_pickle=False)


def read_tensors(path: Path, number: int) -> list[NDArray[Any]]:
    """The arrays that :func:`write_tensors` wrote. Nothing in the file is executed.

    Raises:
        OSError: it is no regular file, or is too large.
        ValueError: it does not hold this number of arrays.
        MemoryError: an array claims to be larger than the memory.
    """
    file = io.BytesIO(read_regular_file(path, _LARGEST))
    return [npy.read_array(file, allow_pickle=False) for _ in range(number)]
