"""``torch.nn.LSTM`` with only tensors as inputs and outputs, as exporters require."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from ..spec.case import Case
from .function import Arrays

__all__ = ["FlatLSTM"]


class FlatLSTM(torch.nn.Module):
    """The LSTM of a case in evaluation mode, without tuples or packed sequences in its call.

    Args:
        case: the case.
        arguments: arrays by name, with all parameters of the case.
        names: the names of the tensors of a call, in order: input, h_0, c_0, lengths.
    """

    def __init__(self, case: Case, arguments: Arrays, names: list[str]) -> None:
        super().__init__()
        self.case, self.names = case, names
        self.lstm = torch.nn.LSTM(**vars(case.config), dtype=getattr(torch, case.dtype))
        parameters = case.config.parameter_shapes()
        self.lstm.load_state_dict({name: torch.from_numpy(arguments[name]) for name in parameters})
        self.eval()

    def forward(self, *tensors: torch.Tensor) -> tuple[Any, Any, Any]:
        given = dict(zip(self.names, tensors, strict=True))
        x: Any = given["input"]
        order = {"batch_first": self.case.config.batch_first}
        if self.case.packed:
            in_order = self.case.layout == "packed_sorted"
            x = pack_padded_sequence(x, given["lengths"], enforce_sorted=in_order, **order)
        states = (given["h_0"], given["c_0"]) if self.case.states else None
        output, (h_n, c_n) = self.lstm(x, states)
        if self.case.packed:
            output, _ = pad_packed_sequence(output, **order)
        return output, h_n, c_n
