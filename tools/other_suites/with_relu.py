"""A wrong LSTM with ReLU in place of its activations.

Most Web Platform Tests ask for ReLU, which ``torch.nn.LSTM`` does not have. The gates of a wrong
LSTM are wrong with any activation, so that these tests can see them, too.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from lstm_conformance.adapters.torch_module import TorchModule
from lstm_conformance.defects.readable import ReadableLSTM

__all__ = ["with_relu"]

_ACTIVATIONS = {torch.sigmoid, torch.tanh, torch.Tensor.sigmoid, torch.Tensor.tanh}


class _ReLU(TorchFunctionMode):
    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        return torch.relu(args[0]) if func in _ACTIVATIONS else func(*args, **(kwargs or {}))


def with_relu(cls: Any) -> TorchModule | None:
    """The LSTM, or None if its activations cannot be replaced."""
    if not (isinstance(cls, type) and issubclass(cls, ReadableLSTM)):
        return None
    relu = staticmethod(torch.relu)
    # A defect of an activation is none of ReLU: the methods are replaced with all that is in them.
    variant = type(cls.__name__, (cls,), {"sigmoid": relu, "tanh": relu})
    return TorchModule(cls.__name__, variant, torch.__version__, _ReLU, moved=True)
