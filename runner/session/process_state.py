"""The state of a process that an implementation might change, and later cases depend on."""

from __future__ import annotations

import os
import signal
import sys

import numpy as np

__all__ = ["changed", "process_state"]


def process_state() -> dict[str, object]:
    """Name of each part of the state to its value; without torch, if that was not imported."""
    state: dict[str, object] = {
        "the working directory": _working_directory(),
        "numpy.seterr": np.geterr(),
        "sys.stdout": (id(sys.stdout), sys.stdout.closed),
        "the handlers of signals": tuple(
            signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
        ),
        "the recursion limit": sys.getrecursionlimit(),
    }
    torch = sys.modules.get("torch")
    if torch is not None:
        state |= {
            "torch's default dtype": torch.get_default_dtype(),
            "torch's number of threads": torch.get_num_threads(),
            "torch's gradient mode": torch.is_grad_enabled(),
            "torch's default device": torch.get_default_device(),
        }
    return state


def _working_directory() -> str:
    try:
        return os.getcwd()
    except OSError:
        return "none: it was removed"


def changed(before: dict[str, object], after: dict[str, object]) -> list[str]:
    """Names of the parts of the state that have changed."""
    return [name for name, value in before.items() if after[name] != value]
