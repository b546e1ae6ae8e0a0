"""The state of a process that an implementation might change, and later cases depend on."""

from __future__ import annotations

import os
import signal
import sys

from ...spec.global_settings import changed_settings, read_settings

__all__ = ["changed", "process_state"]


def process_state() -> dict[str, object]:
    """Name of each part of the state to its value; without torch, if that was not imported."""
    return {
        "the working directory": _working_directory(),
        "sys.stdout": (id(sys.stdout), sys.stdout.closed),
        "the handlers of signals": tuple(
            signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
        ),
        "the recursion limit": sys.getrecursionlimit(),
        **read_settings(),
    }


def _working_directory() -> str:
    try:
        return os.getcwd()
    except OSError:
        return "none: it was removed"


def changed(before: dict[str, object]) -> list[str]:
    """Names of the parts of the state that have changed since ``before``."""
    after = process_state()
    parts = [name for name, value in before.items() if after[name] != value]
    return [*parts, *(name for name in changed_settings(before) if name not in before)]
