"""The sizes of one call of an LSTM."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

__all__ = ["Call", "call_of"]


class Call(NamedTuple):
    """What an LSTM sees of its sizes; ``packed_total`` is the sum of the packed lengths."""

    steps: int
    rows: int
    features: int
    hidden: int
    projection: int
    layers: int
    is_bidirectional: bool
    is_packed: bool
    dtype: torch.dtype
    has_gradients: bool
    packed_total: int
    has_biases: bool
    batch_first: bool
    has_states: bool


def call_of(lstm: torch.nn.LSTM, input: Any, hx: Any = None) -> Call:
    """The sizes of a call of ``lstm`` with ``input`` and the states ``hx``."""
    is_packed = isinstance(input, PackedSequence)
    values: Tensor = input.data if is_packed else input
    if is_packed:
        steps, rows = len(input.batch_sizes), int(input.batch_sizes[0])
    elif input.dim() == 2:
        steps, rows = len(input), 1
    else:
        steps, rows = input.shape[1::-1] if lstm.batch_first else input.shape[:2]
    return Call(
        steps,
        rows,
        lstm.input_size,
        lstm.hidden_size,
        lstm.proj_size,
        lstm.num_layers,
        lstm.bidirectional,
        is_packed,
        values.dtype,
        values.requires_grad,
        len(values) if is_packed else 0,
        lstm.bias,
        lstm.batch_first,
        hx is not None,
    )
