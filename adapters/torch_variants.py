"""``torch.nn.LSTM`` in inference mode, without cuDNN, and by ``functional_call``.

Documented at docs.pytorch.org, as are the other variants of ``torch.nn.LSTM``, which use the tools
of this file.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import fields
from typing import Any

import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from ..spec.capabilities import ALL
from ..spec.case import Case
from ..spec.config import LSTMConfig
from .function import too_long_to_unroll
from .torch_module import TorchModule

__all__ = [
    "Shell",
    "Unrolled",
    "enlarged",
    "torch_functional",
    "torch_inference",
    "torch_lstm_without_cudnn",
]


class Shell(torch.nn.LSTM):
    """A ``torch.nn.LSTM`` for subclasses that replace ``forward``."""

    def plain_lstm(self) -> torch.nn.LSTM:
        """A ``torch.nn.LSTM``, not a subclass, that shares the parameters of this module."""
        # A call of torch.nn.LSTM does this for itself, where parameters are computed or replaced.
        self._flat_weights = [getattr(self, name, None) for name in self._flat_weights_names]
        lstm = torch.nn.LSTM.__new__(torch.nn.LSTM)
        # A call of this module runs its hooks, and compilers cannot read all of them.
        without_hooks = {k: v for k, v in vars(torch.nn.Module()).items() if "hook" in k}
        lstm.__dict__.update({**vars(self), **without_hooks})
        return lstm

    def other_lstm(self, dtype: torch.dtype | None = None) -> torch.nn.LSTM:
        """A ``torch.nn.LSTM`` of the same configuration and mode, with other weights."""
        config = [getattr(self, field.name) for field in fields(LSTMConfig)]
        return torch.nn.LSTM(*config, dtype=dtype).train(self.training)


class Unrolled(TorchModule):
    """A module whose compiler unrolls the loop over the steps."""

    def unsupported(self, case: Case) -> str | None:
        return too_long_to_unroll(case) or super().unsupported(case)


def enlarged(x: Any, hx: Any, batch_axis: int, steps: int = 2) -> tuple[Any, Any]:
    """Larger arguments: each row occurs twice, and each step ``steps`` times."""
    if isinstance(x, PackedSequence):
        padded, lengths = pad_packed_sequence(x)
        x = pack_padded_sequence(
            padded.repeat_interleave(2, 1).repeat_interleave(steps, 0),
            steps * lengths.repeat_interleave(2),
            enforce_sorted=x.sorted_indices is None,
        )
    elif x.dim() == 3:
        x = x.repeat_interleave(2, batch_axis).repeat_interleave(steps, 1 - batch_axis)
    else:  # without a batch the states have no rows to repeat
        return x.repeat_interleave(steps, 0), hx
    return x, hx if hx is None else tuple(state.repeat_interleave(2, 1) for state in hx)


def torch_inference() -> TorchModule:
    """In ``torch.inference_mode`` (torch.autograd.grad_mode.inference_mode), without gradients."""
    without = {"gradients", "double-backward", "forward-mode"}
    return TorchModule(
        "torch-inference", torch.nn.LSTM, torch.__version__, torch.inference_mode, ALL - without
    )


def torch_lstm_without_cudnn() -> TorchModule:
    """Without cuDNN, for ``--device cuda``: torch's own kernels."""

    def cudnn_off() -> AbstractContextManager[Any]:
        off: AbstractContextManager[Any] = torch.backends.cudnn.flags(enabled=False)
        return off

    return TorchModule("torch-cudnn-off", torch.nn.LSTM, torch.__version__, cudnn_off)


class _Functional(Shell):
    def forward(self, input: Any, hx: Any = None) -> Any:
        parameters: dict[str, torch.Tensor] = dict(self.named_parameters())
        return torch.func.functional_call(self.other_lstm(), parameters, (input, hx))


def torch_functional() -> TorchModule:
    """``torch.func.functional_call`` with the weights of the case, on a module with others."""
    without = {"module"}
    return TorchModule(
        "torch-functional", _Functional, torch.__version__, capabilities=ALL - without
    )
