"""``torch.ao.nn.quantizable.LSTM``: what becomes of ``torch.nn.LSTM`` before it is quantized."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.ao.nn import quantizable

from ..spec.capabilities import ALL
from ..spec.case import Case
from .torch_module import TorchModule

__all__ = ["torch_quantizable"]

_WAYS = {"layer_fw": "", "layer_bw": "_reverse"}
_GATES = {"igates": "ih", "hgates": "hh"}


class _Quantizable(torch.nn.Module):
    """Made of a ``torch.nn.LSTM``, as ``prepare`` does; with names of parameters as there."""

    def __init__(self, *sizes: int, proj_size: int, **arguments: Any) -> None:
        super().__init__()
        lstm: Any = torch.nn.LSTM(*sizes, **arguments).eval()
        lstm.qconfig = torch.ao.quantization.default_qconfig
        prepare: Any = quantizable.LSTM.from_float  # a function without types
        self.observed = prepare(lstm)

    def forward(self, input: Any, hx: Any = None) -> Any:
        return self.observed(input, hx)

    def named_parameters(self, *args: Any, **options: Any) -> Iterator[tuple[str, Any]]:
        for name, parameter in self.observed.named_parameters():
            _, layer, way, _, gates, role = name.split(".")
            yield f"{role}_{_GATES[gates]}_l{layer}{_WAYS[way]}", parameter


class _OfQuantizable(TorchModule):
    def unsupported(self, case: Case) -> str | None:
        if case.dtype == "float64" and not case.states:
            return "states that are not given are zeros in float32"
        return super().unsupported(case)


def torch_quantizable() -> TorchModule:
    """Made by ``from_float``, in evaluation mode: it computes in floating point, observed.

    Its page refers to ``torch.nn.LSTM`` for the description and the arguments. It does not take
    a projection, and warns that it ignores dropout in training. Input without a batch axis it
    takes for something else.
    """
    without = {"module", "packed", "unbatched", "projection", "dropout", "full-dropout"}
    # Forward mode is asked for by the names of parameters, which are others here.
    without.add("forward-mode")
    return _OfQuantizable(
        "torch-quantizable", _Quantizable, torch.__version__, capabilities=ALL - without
    )
