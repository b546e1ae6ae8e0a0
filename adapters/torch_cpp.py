"""``torch::nn::LSTM`` of PyTorch's C++ frontend, built by the compiler of this machine."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch.nn.utils.rnn import PackedSequence
from torch.utils import cpp_extension

from ..spec.capabilities import ALL
from ..spec.usage_error import UsageError
from .torch_module import TorchModule

__all__ = ["torch_cpp"]


@cache
def _extension() -> Any:
    """The built extension. Building it takes a minute; torch keeps it for the next time.

    Raises:
        UsageError: it cannot be built.
    """
    source = Path(__file__).with_suffix(".cpp")
    try:
        return cpp_extension.load("lstm_conformance_torch_cpp", [str(source)])
    except (ImportError, OSError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        raise UsageError(
            f"torch-cpp needs ninja and a compiler for C++ on the PATH: {reason}"
        ) from None


class _CppLSTM(torch.nn.Module):
    """Passes calls on, and takes packed sequences apart, since C++ has a class of its own."""

    def __init__(self, *sizes: int, **arguments: Any) -> None:
        super().__init__()
        self.cpp = _extension().LSTM(*sizes, *arguments.values())

    def forward(self, input: Any, hx: Any = None) -> Any:
        if not isinstance(input, PackedSequence):
            return self.cpp.forward(input, hx)
        data, states = self.cpp.forward_packed(*input, hx)
        return input._replace(data=data), states

    def named_parameters(self, *args: Any, **options: Any) -> Any:
        return self.cpp.named_parameters(*args, **options)


def torch_cpp() -> TorchModule:
    """The module itself, with parameters that are named as in Python.

    Its page refers to ``torch.nn.LSTM`` for its exact behaviour. The options have no device and no
    dtype, and modules of C++ have no forward mode through ``functional_call``.
    """
    _extension()  # rather than in the first case, whose failure it would be
    without = {"module", "forward-mode"}
    return TorchModule(
        "torch-cpp", _CppLSTM, torch.__version__, capabilities=ALL - without, moved=True
    )
