"""``torch.ao.nn.quantizable.LSTM``: the form of ``torch.nn.LSTM`` before quantization."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.ao.nn import quantizable

from ..spec.capabilities import ALL
from ..spec.case import Case
from .torch_module import TorchModule

__all__ = ["torch_quantizable"]

_DIRECTIONS = {"layer_fw": "", "layer_bw": "_reverse"}
_GATES = {"igates": "ih", "hgates": "hh"}


class _Quantizable(torch.nn.Module):
    """Converts a ``torch.nn.LSTM``, as ``prepare`` does, and names the parameters like it."""

    def __init__(self, *sizes: int, proj_size: int, **arguments: Any) -> None:
        super().__init__()
        lstm: Any = torch.nn.LSTM(*sizes, **arguments).eval()
        lstm.qconfig = torch.ao.quantization.default_qconfig
        prepare: Any = quantizable.LSTM.from_float  # this function has no type hints
        self.observed = prepare(lstm)

    def forward(self, input: Any, hx: Any = None) -> Any:
        return self.observed(input, hx)

    def named_parameters(self, *args: Any, **options: Any) -> Iterator[tuple[str, Any]]:
        for name, parameter in self.observed.named_parameters():
            _, layer, direction, _, gates, role = name.split(".")
            yield f"{role}_{_GATES[gates]}_l{layer}{_DIRECTIONS[direction]}", parameter


class _QuantizableModule(TorchModule):
    def unsupported(self, case: Case) -> str | None:
        if case.dtype == "float64" and not case.states:
            return "default states are zeros in float32"
        return super().unsupported(case)


def torch_quantizable() -> TorchModule:
    """The result of ``from_float``, in evaluation mode. It computes in floating point.

    Its page refers to ``torch.nn.LSTM`` for the description and the arguments. It does not accept
    a projection, and warns that it ignores dropout in training. It misreads input without a
    batch axis.
    """
    without = {"module", "packed", "unbatched", "projection", "dropout", "full-dropout"}
    # Forward mode needs the parameter names of torch.nn.LSTM, and the names here are different.
    without.add("forward-mode")
    return _QuantizableModule(
        "torch-quantizable", _Quantizable, torch.__version__, capabilities=ALL - without
    )
