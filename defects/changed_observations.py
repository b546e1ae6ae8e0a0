"""Changes to what the reference returns, for defects that no torch module has.

torch refuses the tensors that they return.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..spec.case import Case
from ..spec.contract import Observation, ObservedTensor

__all__ = ["changed", "filled_behind_rows"]


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
