"""What defects of large sizes are made of: ``torch.nn.LSTM``, with checks that it lacks."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.utils.rnn import PackedSequence

__all__ = ["CheckedLSTM"]


class CheckedLSTM(torch.nn.LSTM):
    """``torch.nn.LSTM`` that refuses what it has to, and what is recommended: chapter USE."""

    def forward(self, input: Any, hx: Any = None) -> Any:
        parameter = self.weight_ih_l0
        if isinstance(input, PackedSequence):
            states = self.num_layers * (2 if self.bidirectional else 1)
            lead = states, int(input.batch_sizes[0])
            sizes = self.proj_size or self.hidden_size, self.hidden_size
            if input.data.device != parameter.device:
                raise RuntimeError(f"input is on {input.data.device}")
            if input.data.shape[-1] != self.input_size:
                raise RuntimeError(f"input has {input.data.shape[-1]} features")
            for state, size in zip(hx or (), sizes, strict=False):
                if tuple(state.shape) != (*lead, size):
                    raise RuntimeError(f"a state has shape {tuple(state.shape)}")
        if hx is not None and len(hx) != 2:
            raise RuntimeError(f"there are {len(hx)} states")
        for state in hx or ():
            if (state.dtype, state.device) != (parameter.dtype, parameter.device):
                raise RuntimeError(f"a state is {state.dtype} on {state.device}")
        return super().forward(input, hx)
