"""Which arrays a run changes, of those that it got and of those that an earlier run returned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..spec.case import Case

__all__ = ["RunsOverArrays"]


class RunsOverArrays:
    """The base of implementations whose runs get and return arrays in this process.

    A subclass has the methods that raise NotImplementedError here.
    """

    def changed_arguments(self, case: Case) -> list[str]:
        """Names of arguments, and ``cotangent of output``, ..., that a run of ``case`` changes."""
        arguments, cotangents = self._given(case)
        given = {**arguments, **{f"cotangent of {name}": c for name, c in cotangents.items()}}
        return self._changed(given, lambda: self._results(case, arguments, cotangents))

    def changed_results(self, case: Case, later: Case) -> list[str]:
        """Names of results of ``case`` that a later run of another case changes."""
        results, given = self._results(case, *self._given(case)), self._given(later)
        return self._changed(results, lambda: self._results(later, *given))

    def _given(self, case: Case) -> tuple[dict[str, Any], dict[str, Any]]:
        """New arrays: the arguments, and the cotangents."""
        raise NotImplementedError

    def _results(
        self, case: Case, arguments: dict[str, Any], cotangents: dict[str, Any]
    ) -> dict[str, Any]:
        """The outputs, and the gradients if there are cotangents."""
        raise NotImplementedError

    def _numpy(self, array: Any) -> Any:
        """``array`` as a NumPy array."""
        return array

    def _changed(self, arrays: Mapping[str, Any], run: Callable[[], Any]) -> list[str]:
        before = self._bits(arrays)
        run()
        after = self._bits(arrays)
        return [name for name, bits in before.items() if after[name] != bits]

    def _bits(self, arrays: Mapping[str, Any]) -> dict[str, bytes]:
        return {name: np.asarray(self._numpy(array)).tobytes() for name, array in arrays.items()}
