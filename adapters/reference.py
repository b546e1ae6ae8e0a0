"""The NumPy reference itself, computed in the precision of the case."""

from __future__ import annotations

import time

import numpy as np

from .. import __version__
from ..reference.oracle import evaluate
from ..spec.case import Case
from ..spec.contract import Observation, ObservedTensor

__all__ = ["ReferenceLSTM"]


class ReferenceLSTM:
    """The reference as an implementation: what runs where no framework is installed."""

    name = "reference"
    version = __version__

    def unsupported(self, case: Case) -> str | None:
        """Everything is supported but formats that NumPy lacks."""
        if case.dtype == "bfloat16":
            return "NumPy has no bfloat16"
        if 0 < case.active_dropout < 1:
            return "the reference draws no dropout masks"
        return None

    def device_missing(self, device: str) -> str | None:
        """NumPy computes on the CPU."""
        return None if device == "cpu" else "NumPy computes on the cpu only"

    def run(self, case: Case) -> Observation:
        """The case in arrays of its own dtype, so that every operation rounds to it."""
        arguments, cotangents = (
            {name: array.astype(case.dtype) for name, array in arrays.items()}
            for arrays in (case.arguments(), case.cotangent_values())
        )
        start = time.perf_counter()
        with np.errstate(all="ignore"):  # numbers that are none are results like others
            results = evaluate(case, arguments, cotangents)
        seconds = time.perf_counter() - start
        tensors = {
            name: ObservedTensor(np.asarray(array, np.float64), str(array.dtype), "cpu")
            for name, array in results.items()
        }
        return Observation(tensors, seconds)
