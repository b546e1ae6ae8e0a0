"""A replacement for torch.nn.LSTM: one layer, one direction, no packed sequences.

    lstm-conformance check examples/python/drop_in.py:OneLayerLSTM \
        --without layers --without bidirectional --without packed --without projection
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class OneLayerLSTM(torch.nn.Module):
    """An LSTM with the constructor, parameters and call of ``torch.nn.LSTM``."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if num_layers != 1 or bidirectional or proj_size or dropout:
            raise NotImplementedError("one layer, one direction, no projection, no dropout")
        self.hidden_size, self.batch_first = hidden_size, batch_first

        def parameter(*shape: int) -> torch.nn.Parameter:
            values = torch.empty(shape, device=device, dtype=dtype)
            return torch.nn.Parameter(values.uniform_(-1, 1) / hidden_size**0.5)

        self.weight_ih_l0 = parameter(4 * hidden_size, input_size)
        self.weight_hh_l0 = parameter(4 * hidden_size, hidden_size)
        self.bias_ih_l0 = parameter(4 * hidden_size) if bias else None
        self.bias_hh_l0 = parameter(4 * hidden_size) if bias else None

    def forward(
        self, x: Tensor, states: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        unbatched = x.dim() == 2
        if unbatched:
            x = x[:, None]
        elif self.batch_first:
            x = x.transpose(0, 1)
        if states is None:
            h = c = x.new_zeros(x.shape[1], self.hidden_size)
        else:
            h, c = (s if unbatched else s[0] for s in states)
        outputs = []
        for x_t in x:
            gates = torch.nn.functional.linear(x_t, self.weight_ih_l0, self.bias_ih_l0)
            gates = gates + torch.nn.functional.linear(h, self.weight_hh_l0, self.bias_hh_l0)
            i, f, g, o = gates.chunk(4, dim=1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            outputs.append(h)
        output = torch.stack(outputs)
        if unbatched:
            return output[:, 0], (h, c)
        if self.batch_first:
            output = output.transpose(0, 1)
        return output, (h[None], c[None])
