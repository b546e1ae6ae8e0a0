"""An implementation without some of its capabilities, for the option ``--without``."""

from __future__ import annotations

from typing import Any

from ..spec.case import Case
from ..spec.contract import Implementation, Observation

__all__ = ["Without"]


class Without:
    """``implementation``, with fewer capabilities.

    Args:
        implementation: the implementation that is judged.
        names: the capabilities to remove.
    """

    def __init__(self, implementation: Implementation, names: frozenset[str]) -> None:
        self._implementation = implementation
        self.name = implementation.name
        self.version = implementation.version
        self.capabilities = implementation.capabilities - names

    def run(self, case: Case) -> Observation:
        """Runs the case as the implementation does."""
        return self._implementation.run(case)

    def __getattr__(self, name: str) -> Any:  # the optional methods
        return getattr(self._implementation, name)
