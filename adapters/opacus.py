"""Opacus: ``DPLSTM``, which knows the gradients of each row, in place of ``torch.nn.LSTM``."""

from __future__ import annotations

import opacus
from opacus.layers import DPLSTM

from ..spec.capabilities import ALL
from .torch_module import TorchModule

__all__ = ["opacus_lstm"]


def opacus_lstm() -> TorchModule:
    """``opacus.layers.DPLSTM``, as it is.

    Its page calls it a drop-in replacement of ``torch.nn.LSTM``, which accepts packed sequences. It
    raises if a projection is asked for, takes no ``device`` and no ``dtype``, and does not mention
    input without a batch axis.
    """
    without = {"projection", "unbatched"}
    return TorchModule("opacus", DPLSTM, opacus.__version__, capabilities=ALL - without, moved=True)
