"""``torch.autocast`` on the CPU: ``torch.nn.LSTM`` in float32, whose products are in bfloat16.

Documented at docs.pytorch.org/docs/stable/amp.html. Arguments and parameters are the bfloat16
numbers of the case, in float32. Gradients go back to them, and are bfloat16 again.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.utils.rnn import PackedSequence

from ..spec.capabilities import ALL
from ..spec.precision import PRECISIONS
from .torch_module import TorchModule
from .torch_variants import Shell

__all__ = ["torch_autocast"]


class _Autocast(Shell):
    def forward(self, input: Any, hx: Any = None) -> Any:
        lstm = self.other_lstm()
        parameters = {name: parameter.float() for name, parameter in self.named_parameters()}
        is_packed = isinstance(input, PackedSequence)
        x = input._replace(data=input.data.float()) if is_packed else input.float()
        states = hx if hx is None else tuple(state.float() for state in hx)
        with torch.autocast("cpu", torch.bfloat16):
            return torch.func.functional_call(lstm, parameters, (x, states))


def torch_autocast() -> TorchModule:
    """In bfloat16, the only dtype for which the page has a list of operations on a CPU."""
    without = {"module", "forward-mode", "double-backward", *PRECISIONS} - {"bfloat16"}
    return TorchModule("torch-autocast", _Autocast, torch.__version__, capabilities=ALL - without)
