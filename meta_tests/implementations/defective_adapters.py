"""Implementations with one defect each that no torch module has: torch refuses such tensors.

``BREAKS`` says which clause each of them breaks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from lstm_conformance.adapters.reference import ReferenceLSTM
from lstm_conformance.spec.case import Case
from lstm_conformance.spec.contract import Observation, ObservedTensor

# Class to the clause that it breaks.
BREAKS = {
    "GradientsOfBiasesAreMatrices": "SHAPE-4",
    "GradientsOfStatesTransposed": "SHAPE-4",
    "GradientsInFloat32": "DTYPE-1",
    "FinalHiddenOnAnotherDevice": "DTYPE-2",
    "GradientsOnAnotherDevice": "DTYPE-2",
    "OutputGoesOnBehindRows": "PACK-1",
    "GradientOfWhatLiesBehindRows": "GRAD-11",
}


def changed(
    observation: Observation, change: Callable[[ObservedTensor], ObservedTensor], *names: str
) -> Observation:
    """The observation with a change to the tensors whose names begin or end in one of ``names``."""
    return replace(
        observation,
        tensors={
            name: change(tensor) if name.startswith(names) or name.endswith(names) else tensor
            for name, tensor in observation.tensors.items()
        },
    )


def filled_behind_rows(case: Case, tensor: ObservedTensor) -> ObservedTensor:
    """The tensor with ones where rows are over."""
    lengths = case.lengths or (case.seq_len,) * case.batch_size
    over = np.arange(case.seq_len)[:, None] >= np.array(lengths)  # (T, N)
    if case.layout == "unbatched":
        over = over[:, 0]
    elif case.config.batch_first:
        over = over.T
    return replace(tensor, values=np.where(over[..., None], 1.0, tensor.values))


class GradientsOfBiasesAreMatrices(ReferenceLSTM):
    """Gradients of biases have an axis in front."""

    def run(self, case: Case) -> Observation:
        return changed(super().run(case), lambda t: replace(t, values=t.values[None]), "bias")


class GradientsOfStatesTransposed(ReferenceLSTM):
    """The first two axes of the gradients of h_0 and c_0, not those of h_0 and c_0, are swapped."""

    def run(self, case: Case) -> Observation:
        names = ("h_0.grad", "c_0.grad")
        return changed(
            super().run(case), lambda t: replace(t, values=t.values.swapaxes(0, 1)), *names
        )


class GradientsInFloat32(ReferenceLSTM):
    """Gradients are in float32, whatever the dtype."""

    def run(self, case: Case) -> Observation:
        return changed(super().run(case), lambda t: replace(t, dtype="float32"), ".grad")


class FinalHiddenOnAnotherDevice(ReferenceLSTM):
    """h_n is on another device than the input."""

    def run(self, case: Case) -> Observation:
        return changed(super().run(case), lambda t: replace(t, device="cuda"), "h_n")


class GradientsOnAnotherDevice(ReferenceLSTM):
    """Gradients are on another device than the input."""

    def run(self, case: Case) -> Observation:
        return changed(super().run(case), lambda t: replace(t, device="cuda"), ".grad")


class OutputGoesOnBehindRows(ReferenceLSTM):
    """output has other numbers than zeros behind the end of a packed row."""

    def run(self, case: Case) -> Observation:
        return changed(super().run(case), lambda t: filled_behind_rows(case, t), "output")


class GradientOfWhatLiesBehindRows(ReferenceLSTM):
    """What lies behind the end of a packed row has a gradient."""

    def run(self, case: Case) -> Observation:
        return changed(super().run(case), lambda t: filled_behind_rows(case, t), "input.grad")
