"""Tells an interrupt by the user from a KeyboardInterrupt that an implementation raises."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = [
    "end_run",
    "handle_interrupts",
    "interrupts_handled",
    "is_interrupt",
    "was_interrupted",
]

# Python drops an exception that a signal handler raises while an object is finalized. A later
# signal is raised again after this time, in seconds.
_LOST_AFTER = 2.0


class _State:
    interrupted_at: float | None = None
    ending = False


def handle_interrupts() -> None:
    """From now on SIGINT raises KeyboardInterrupt once, and is remembered.

    What was remembered of an earlier run is forgotten.
    """
    _State.interrupted_at, _State.ending = None, False
    signal.signal(signal.SIGINT, _on_interrupt)


@contextmanager
def interrupts_handled() -> Iterator[None]:
    """Inside, interrupts are handled as by :func:`handle_interrupts`; afterwards as before.

    Python gives signals to the main thread only, so that nothing is done in another one.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = _State.interrupted_at, _State.ending
    handler = signal.getsignal(signal.SIGINT)
    handle_interrupts()
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if handler is None else handler)
        _State.interrupted_at, _State.ending = before


def _on_interrupt(number: int, frame: FrameType | None) -> None:
    first, now = _State.interrupted_at, time.monotonic()
    if first is None:
        _State.interrupted_at = now
    if first is None or (not _State.ending and now - first > _LOST_AFTER):
        raise KeyboardInterrupt


def end_run() -> None:
    """From now on further interrupts are ignored, so that the results can be written."""
    _State.ending = True


def was_interrupted() -> bool:
    """Whether the user has interrupted the run."""
    return _State.interrupted_at is not None


def is_interrupt(error: BaseException) -> bool:
    """Whether ``error`` is an interrupt by the user, and not raised by the implementation."""
    return isinstance(error, KeyboardInterrupt) and was_interrupted()
