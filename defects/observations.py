"""Implementations with one defect each that no torch module has: torch refuses such tensors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..adapters.reference import ReferenceLSTM
from ..spec.case import Case
from ..spec.contract import Observation, ObservedTensor
from .catalogue import FORWARD, GRADIENT, INTERFACE, defect


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


@defect("SHAPE-4", INTERFACE, "gradients, bias=True")
class GradientsOfBiasesAreMatrices(ReferenceLSTM):
    """Gradients of biases have an axis in front."""

    def run(self, case: Case) -> Observation:
        return changed(super().run(case), lambda t: replace(t, values=t.values[None]), "bias")


@defect("SHAPE-4", INTERFACE, "gradients, states given")
class GradientsOfStatesTransposed(ReferenceLSTM):
    """The first two axes of the gradients of h_0 and c_0, not those of h_0 and c_0, are swapped."""

    def run(self, case: Case) -> Observation:
        names = ("h_0.grad", "c_0.grad")
        return changed(
            super().run(case), lambda t: replace(t, values=t.values.swapaxes(0, 1)), *names
        )


@defect("DTYPE-1", INTERFACE, "gradients, any dtype but float32")
class GradientsInFloat32(ReferenceLSTM):
    """Gradients are in float32, whatever the dtype."""

    def run(self, case: Case) -> Observation:
        return changed(super().run(case), lambda t: replace(t, dtype="float32"), ".grad")


@defect("DTYPE-2", INTERFACE, "every case")
class FinalHiddenOnAnotherDevice(ReferenceLSTM):
    """h_n is on another device than the input."""

    def run(self, case: Case) -> Observation:
        return changed(super().run(case), lambda t: replace(t, device="cuda"), "h_n")


@defect("DTYPE-2", INTERFACE, "gradients")
class GradientsOnAnotherDevice(ReferenceLSTM):
    """Gradients are on another device than the input."""

    def run(self, case: Case) -> Observation:
        return changed(super().run(case), lambda t: replace(t, device="cuda"), ".grad")


@defect("PACK-1", FORWARD, "packed with unequal lengths")
class OutputGoesOnBehindRows(ReferenceLSTM):
    """output has other numbers than zeros behind the end of a packed row."""

    def run(self, case: Case) -> Observation:
        return changed(super().run(case), lambda t: filled_behind_rows(case, t), "output")


@defect("GRAD-11", GRADIENT, "gradients, packed with unequal lengths")
class GradientOfWhatLiesBehindRows(ReferenceLSTM):
    """What lies behind the end of a packed row has a gradient."""

    def run(self, case: Case) -> Observation:
        return changed(super().run(case), lambda t: filled_behind_rows(case, t), "input.grad")
