"""Implementations that are served to be judged as programs."""

from __future__ import annotations

import numpy as np

from lstm_conformance.adapters.reference import ReferenceLSTM
from lstm_conformance.spec.case import Case
from lstm_conformance.spec.contract import Observation


class WrongOrder(ReferenceLSTM):
    """Reads the blocks as i, o, g, f."""

    def run(self, case: Case) -> Observation:
        values = case.arguments()
        for name, array in values.items():
            if name.startswith(("weight_ih", "weight_hh", "bias")):
                i, o, g, f = np.split(array, 4)
                values[name] = np.concatenate([i, f, g, o])
        return super().run(case.with_values(values))


class MoreDigits(ReferenceLSTM):
    """Computes in float32 where bfloat16 is asked for, and does not round its results."""

    capabilities = ReferenceLSTM.capabilities | {"bfloat16"}

    def run(self, case: Case) -> Observation:
        computed = case.with_values(case.arguments(), dtype="float32")
        return super().run(computed if case.dtype == "bfloat16" else case)
