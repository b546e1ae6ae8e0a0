"""``torch.nn.LSTMCell``, in a loop over steps, directions and layers.

Documented at docs.pytorch.org/docs/stable/generated/torch.nn.LSTMCell.html: the same equations and
parameters as ``torch.nn.LSTM``, for one step of a batch or of one row.
"""

from __future__ import annotations

from typing import Any

import torch

from ..spec.capabilities import ALL
from .torch_module import TorchModule
from .torch_variants import Shell

__all__ = ["torch_cell"]

_ROLES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


class _Cells(Shell):
    def forward(self, input: Any, hx: Any = None) -> Any:
        batched = input.dim() == 3
        x = input.transpose(0, 1) if self.batch_first and batched else input
        if hx is None:
            directions = 2 if self.bidirectional else 1
            zeros = x.new_zeros(self.num_layers * directions, *x.shape[1:-1], self.hidden_size)
            hx = zeros, zeros
        h, c = map(list, hx)
        for layer in range(self.num_layers):
            outputs: list[torch.Tensor] = []
            for suffix in ("", "_reverse") if self.bidirectional else ("",):
                k = layer * (2 if self.bidirectional else 1) + len(outputs)
                steps = []
                for x_t in x.flip(0) if suffix else x:
                    h[k], c[k] = self.cell(f"_l{layer}{suffix}", x_t, (h[k], c[k]))
                    steps.append(h[k])
                outputs.append(torch.stack(steps[::-1] if suffix else steps))
            x = torch.cat(outputs, -1)
        x = x.transpose(0, 1) if self.batch_first and batched else x
        return x, (torch.stack(h), torch.stack(c))

    def cell(self, suffix: str, x_t: torch.Tensor, states: Any) -> Any:
        """One step, with the parameters whose names end with ``suffix``."""
        cell = torch.nn.LSTMCell(x_t.shape[-1], self.hidden_size, self.bias)  # other weights
        parameters = {
            role: getattr(self, role + suffix) for role in _ROLES[: 4 if self.bias else 2]
        }
        return torch.func.functional_call(cell, parameters, (x_t, states))


def torch_cell() -> TorchModule:
    """The cell, called by ``torch.func.functional_call`` with the parameters of the case."""
    without = {"module", "packed", "projection", "dropout", "full-dropout"}
    return TorchModule("torch-cell", _Cells, torch.__version__, capabilities=ALL - without)
