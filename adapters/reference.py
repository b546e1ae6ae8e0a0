"""The NumPy reference itself, computed in the precision of the case."""

from __future__ import annotations

import time

import numpy as np

from .. import __version__
from ..reference.oracle import evaluate
from ..spec.capabilities import ALL
from ..spec.case import Case
from ..spec.contract import Observation, ObservedTensor

__all__ = ["ReferenceLSTM"]


class ReferenceLSTM:
    """The reference as an implementation: what runs where no framework is installed."""

    name = "reference"
    version = __version__
    # NumPy has no bfloat16, and the reference draws no dropout masks.
    capabilities = ALL - {"bfloat16", "dropout", "double-backward", "forward-mode", "module"}

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
