"""An implementation some of whose capabilities are taken away, as ``--without`` asks."""

from __future__ import annotations

from typing import Any

from ..spec.case import Case
from ..spec.contract import Implementation, Observation

__all__ = ["Without"]


class Without:
    """``implementation``, but for what it declares.

    Args:
        implementation: what is judged.
        names: of capabilities that it shall not have.
    """

    def __init__(self, implementation: Implementation, names: frozenset[str]) -> None:
        self._implementation = implementation
        self.name = implementation.name
        self.version = implementation.version
        self.capabilities = implementation.capabilities - names

    def run(self, case: Case) -> Observation:
        """As the implementation does."""
        return self._implementation.run(case)

    def __getattr__(self, name: str) -> Any:  # the optional methods
        return getattr(self._implementation, name)
