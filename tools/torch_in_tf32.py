"""``torch.nn.LSTM`` without cuDNN, with products of float32 in TF32 where the device has it.

A target for ``tools.judge_on_gpu``. torch documents the switch at
docs.pytorch.org/docs/stable/generated/torch.set_float32_matmul_precision.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from lstm_conformance.adapters.torch_module import TorchModule

__all__ = ["torch_in_tf32"]


@contextmanager
def _allowed() -> Iterator[None]:
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    try:
        with torch.backends.cudnn.flags(enabled=False):
            yield
    finally:
        torch.set_float32_matmul_precision(before)


torch_in_tf32 = TorchModule("torch-cudnn-off-tf32", torch.nn.LSTM, torch.__version__, _allowed)
