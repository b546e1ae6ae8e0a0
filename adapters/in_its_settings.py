"""An implementation whose import changes global settings is used in the settings that it leaves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..spec.case import Case
from ..spec.contract import Implementation, Observation
from ..spec.global_settings import known_settings

__all__ = ["InItsSettings"]


class InItsSettings:
    """``implementation``, used as those use it who import it.

    An LSTM whose module flushes subnormal numbers to zero, say, flushes them for its users. The
    judge computes with other settings.

    Args:
        implementation: the implementation that is judged.
        settings: name to value of each global setting that importing it has changed.
    """

    def __init__(self, implementation: Implementation, settings: dict[str, Any]) -> None:
        self._implementation = implementation
        self._settings = settings
        self.name = implementation.name
        self.version = implementation.version
        self.capabilities = implementation.capabilities

    def run(self, case: Case) -> Observation:
        """Runs the case as the implementation does."""
        with known_settings(self._settings):
            return self._implementation.run(case)

    def __getattr__(self, name: str) -> Any:  # the optional methods
        method = getattr(self._implementation, name)
        if not callable(method):
            return method

        @contextmanager
        def bench(case: Case) -> Iterator[Any]:
            with known_settings(self._settings), method(case) as bench:
                yield bench

        def call(*arguments: Any) -> Any:
            with known_settings(self._settings):
                return method(*arguments)

        return bench if name == "bench" else call
