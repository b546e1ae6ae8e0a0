"""A right LSTM that hands its arguments to NumPy, which refuses some of torch's views."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

__all__ = ["NumPyInside"]


class NumPyInside(torch.nn.LSTM):
    """``torch.nn.LSTM``, after ``Tensor.numpy()`` of everything that it reads."""

    def forward(self, input: Any, hx: tuple[Tensor, Tensor] | None = None) -> Any:
        x = input.data if isinstance(input, PackedSequence) else input
        for tensor in (x, *(hx or ()), *self.parameters()):
            if tensor.device.type == "cpu" and tensor.dtype != torch.bfloat16:
                tensor.detach().numpy()
        return super().forward(input, hx)
