"""``torch.nn.LSTM`` whose parameters are computed from other ones, as PyTorch's tools do it.

Documented at docs.pytorch.org: ``torch.nn.utils.parametrize``, ``torch.nn.utils.prune`` and
``torch.nn.utils.parametrizations.weight_norm``. The other parameters are such that the computed
ones are those of the case, and gradients pass through the computation.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.utils import parametrize, prune
from torch.nn.utils.parametrizations import weight_norm

from ..spec.capabilities import ALL
from .torch_module import TorchModule
from .torch_variants import Shell

__all__ = ["torch_parametrized", "torch_pruned", "torch_weight_norm"]

_Tensors = dict[str, torch.Tensor]


class _Reparametrized(Shell):
    def forward(self, input: Any, hx: Any = None) -> Any:
        lstm = self.other_lstm(next(self.parameters()).dtype)
        originals: _Tensors = {}
        for name, parameter in self.named_parameters():
            originals |= self.original(lstm, name, parameter)
        return torch.func.functional_call(lstm, originals, (input, hx))

    def original(self, lstm: torch.nn.LSTM, name: str, parameter: torch.Tensor) -> _Tensors:
        """Makes ``lstm`` compute the parameter ``name``, and returns what it is computed from."""
        raise NotImplementedError


class _Negative(torch.nn.Module):
    def forward(self, original: torch.Tensor) -> torch.Tensor:
        return -original


class _Parametrized(_Reparametrized):
    def original(self, lstm: torch.nn.LSTM, name: str, parameter: torch.Tensor) -> _Tensors:
        parametrize.register_parametrization(lstm, name, _Negative())
        return {f"parametrizations.{name}.original": -parameter}


class _Pruned(_Reparametrized):
    def original(self, lstm: torch.nn.LSTM, name: str, parameter: torch.Tensor) -> _Tensors:
        identity: Any = prune.identity  # this function has no type hints
        identity(lstm, name)
        return {f"{name}_orig": parameter}


class _WeightNorm(_Reparametrized):
    def original(self, lstm: torch.nn.LSTM, name: str, parameter: torch.Tensor) -> _Tensors:
        if parameter.dim() == 1:
            return {name: parameter}
        weight_norm(lstm, name)
        size = parameter.norm(dim=1, keepdim=True)
        prefix = f"parametrizations.{name}.original"
        return {f"{prefix}0": size, f"{prefix}1": parameter}


def torch_parametrized() -> TorchModule:
    """``register_parametrization``: each parameter is minus another one."""
    without = {"module"}
    return TorchModule(
        "torch-parametrized", _Parametrized, torch.__version__, capabilities=ALL - without
    )


def torch_pruned() -> TorchModule:
    """``prune.identity``: each parameter is the product of another one and a mask of ones."""
    without = {"module"}
    return TorchModule("torch-pruned", _Pruned, torch.__version__, capabilities=ALL - without)


def torch_weight_norm() -> TorchModule:
    """``weight_norm`` of all weights: a size of each row times its direction.

    Gradients are not judged. That of a row is split into a part along the row and a part across it,
    so that each of its elements has the rounding errors of all.
    """
    without = {"module", "gradients"}
    return TorchModule(
        "torch-weight-norm", _WeightNorm, torch.__version__, capabilities=ALL - without
    )
