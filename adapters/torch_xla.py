"""``torch.nn.LSTM`` on a device of PyTorch/XLA, for ``--device xla``.

Documented at docs.pytorch.org/xla, "PyTorch on XLA Devices" and "PJRT Runtime": operations are
noted first, and compiled as one program when a result is needed. Each new shape is compiled, and
each step of the loop. Without an accelerator, ``PJRT_DEVICE=CPU`` compiles for the processor.
"""

from __future__ import annotations

import torch
import torch_xla

from ..spec.capabilities import ALL
from .torch_variants import Unrolled

__all__ = ["torch_xla_lstm"]


def torch_xla_lstm() -> Unrolled:
    """The module itself, without packed sequences.

    What ``pack_padded_sequence`` makes there cannot be read. See
    reports/findings/torch_xla_pack_padded_sequence.py.
    """
    return Unrolled(
        "torch-xla", torch.nn.LSTM, torch_xla.__version__, capabilities=ALL - {"packed"}
    )
