"""Signals that ask this process for an end, while another one does the work."""

from __future__ import annotations

import signal
import time
from typing import Any, cast

__all__ = ["Interrupts"]

# Some tools send a signal several times. One that comes later than this, in seconds, is urgent.
_URGENT_SECONDS = 3.0


class Interrupts:
    """Remembers signals that ask for an end, instead of acting on them.

    After :meth:`act`, the first signal, and an urgent one, raise KeyboardInterrupt. On exit, the
    signals have their former meaning.
    """

    _SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self) -> None:
        self._received: list[float] = []
        self._before: dict[int, object] = {}
        self._acts = False

    def __enter__(self) -> Interrupts:
        for number in self._SIGNALS:
            self._before[number] = signal.signal(number, self._receive)
        return self

    def __exit__(self, *of_error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, cast(Any, handler))

    def act(self) -> None:
        """Nothing is left to be waited for but files, which may be pipes that nobody reads."""
        self._acts = True

    def _receive(self, number: int, frame: object) -> None:
        self._received.append(time.monotonic())
        if self._acts and (len(self._received) == 1 or self.is_urgent):
            raise KeyboardInterrupt

    @property
    def seconds(self) -> float | None:
        """Seconds since the first signal; None without any."""
        return time.monotonic() - self._received[0] if self._received else None

    @property
    def is_urgent(self) -> bool:
        """Whether there was another signal, later than one that is sent several times."""
        return bool(self._received) and self._received[-1] - self._received[0] > _URGENT_SECONDS
