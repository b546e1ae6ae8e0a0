"""Tells an exception that says that memory was not enough, and frees what can be freed."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from .clean_text import clean_text

__all__ = ["OUT_OF_MEMORY", "free_memory", "is_out_of_memory", "lacked_memory"]

# How the reason begins for which such a case is not tested.
OUT_OF_MEMORY = "out of memory"

# In the type or the message of exceptions: of Python and NumPy, of torch's allocators, of cuDNN and
# cuBLAS, and of XLA. Exceptions of other processes arrive as text.
_SIGNS = (
    "MemoryError",  # also OutOfMemoryError
    "out of memory",
    "can't allocate memory",
    "ALLOC_FAILED",
    "RESOURCE_EXHAUSTED",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether ``error`` says that the memory of the machine, or of a device, was not enough."""
    if not isinstance(error, Exception):
        return False
    text = f"{type(error).__name__}: {clean_text(error)}".lower()
    return any(sign.lower() in text for sign in _SIGNS)


def lacked_memory(reasons: Iterable[str]) -> bool:
    """Whether one of these reasons is that memory was not enough."""
    return any(reason.startswith(OUT_OF_MEMORY) for reason in reasons)


def free_memory() -> None:
    """Frees objects that refer to each other, and memory of a device that torch keeps for later."""
    gc.collect()
    torch: Any = sys.modules.get("torch")
    with suppress(Exception):  # torch before 2.9 has no such function, a machine no such device
        torch.accelerator.empty_cache()
