"""The NumPy reference as an implementation, in the precision of the case."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from .. import __version__
from ..reference.oracle import evaluate
from ..spec.capabilities import ALL
from ..spec.case import Case
from ..spec.contract import Observation, ObservedTensor
from .changed_arrays import RunsOverArrays

__all__ = ["ReferenceLSTM"]


class ReferenceLSTM(RunsOverArrays):
    """The NumPy reference as an implementation. It needs no framework."""

    name = "reference"
    version = __version__
    # NumPy has no bfloat16, and the reference draws no dropout masks.
    capabilities = ALL - {"bfloat16", "dropout", "double-backward", "forward-mode", "module"}

    def run(self, case: Case) -> Observation:
        """Runs the case in arrays of its dtype, so that every operation rounds to that dtype."""
        arguments, cotangents = self._given(case)
        start = time.perf_counter()
        results = self._results(case, arguments, cotangents)
        seconds = time.perf_counter() - start
        tensors = {
            name: ObservedTensor(np.asarray(array, np.float64), str(array.dtype), "cpu")
            for name, array in results.items()
        }
        return Observation(tensors, seconds)

    def _given(self, case: Case) -> tuple[dict[str, Any], dict[str, Any]]:
        arguments, cotangents = (
            {name: array.astype(case.dtype) for name, array in arrays.items()}
            for arrays in (case.arguments(), case.cotangent_values())
        )
        return arguments, cotangents

    def _results(
        self, case: Case, arguments: dict[str, Any], cotangents: dict[str, Any]
    ) -> dict[str, Any]:
        with np.errstate(all="ignore"):  # NaN and infinity are valid results
            return evaluate(case, arguments, cotangents)
