"""Dynamic quantization of ``torch.nn.LSTM`` to float16: its weights are kept in float16.

Documented at docs.pytorch.org, ``torch.ao.quantization.quantize_dynamic``. The inputs, states and
results are float32, so that it needs ``--working-precision float16``.
"""

from __future__ import annotations

from typing import Any

import torch

from ..spec.capabilities import ALL
from .torch_module import TorchModule
from .torch_variants import Shell

__all__ = ["torch_dynamic_float16"]


class _Quantized(Shell):
    def forward(self, input: Any, hx: Any = None) -> Any:
        model = torch.nn.ModuleList([self.plain_lstm()])
        quantize: Any = torch.ao.quantization.quantize_dynamic  # this function has no type hints
        (lstm,) = quantize(model, {torch.nn.LSTM}, dtype=torch.float16)
        return lstm(input, hx)


def torch_dynamic_float16() -> TorchModule:
    """For inference, in float32. It refuses projections, ``bias=False`` and unbatched input."""
    without = {"module", "gradients", "double-backward", "forward-mode", "dropout", "full-dropout"}
    without |= {"float64", "bfloat16", "float16", "projection", "no-bias", "unbatched"}
    return TorchModule(
        "torch-dynamic-float16", _Quantized, torch.__version__, capabilities=ALL - without
    )
