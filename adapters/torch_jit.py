"""TorchScript: programs made of ``torch.nn.LSTM``, by ``torch.jit.script`` and ``torch.jit.trace``.

A program is first run with, or made of, arguments of other sizes than those that are judged.
"""

from __future__ import annotations

import builtins
import re
from typing import Any

import torch
from torch.nn.utils.rnn import PackedSequence

from ..spec.capabilities import ALL
from .torch_module import TorchModule
from .torch_variants import Shell, enlarged

__all__ = ["torch_script", "torch_trace"]

States = tuple[torch.Tensor, torch.Tensor]


class _Wrapper(torch.nn.Module):
    """A script has one type for each argument: there is one for each type of input."""

    def __init__(self, lstm: torch.nn.LSTM) -> None:
        super().__init__()
        self.lstm = lstm


class _OfTensor(_Wrapper):
    def forward(self, input: torch.Tensor, hx: States | None = None) -> tuple[torch.Tensor, States]:
        result: tuple[torch.Tensor, States] = self.lstm(input, hx)
        return result


class _OfPacked(_Wrapper):
    def forward(
        self, input: PackedSequence, hx: States | None = None
    ) -> tuple[PackedSequence, States]:
        result: tuple[PackedSequence, States] = self.lstm(input, hx)
        return result


class _Scripted(Shell):
    def forward(self, input: Any, hx: Any = None) -> Any:
        wrapper = _OfPacked if isinstance(input, PackedSequence) else _OfTensor
        script = torch.jit.script(wrapper(self.inside()))
        try:
            for _ in range(2):  # the first run is recorded, the second is compiled for what it saw
                script(*enlarged(input, hx, 0 if self.batch_first else 1))
            output, states = script(input, hx)
        except torch.jit.Error as error:
            raise _raised_inside(error) from None
        # A script returns named tuples of a type of its own, with the same fields.
        return PackedSequence(*output) if isinstance(input, PackedSequence) else output, states


def _raised_inside(error: Exception) -> Exception:
    """A script raises one class of its own. Its last line has the exception that the module raised,
    as in "builtins.ValueError: message"."""
    found = re.fullmatch(r".*\bbuiltins\.(\w+): (.*)", str(error), re.DOTALL)
    if found is None:
        return RuntimeError(str(error))
    raised: Exception = getattr(builtins, found[1])(found[2])
    return raised


def torch_script() -> TorchModule:
    """``torch.jit.script`` of a module that calls a ``torch.nn.LSTM`` (torch.jit.script)."""
    return TorchModule(
        "torch-script", _Scripted, torch.__version__, capabilities=ALL - {"forward-mode"}
    )


class _OfParts(_Wrapper):
    """A trace takes tensors, and tuples of tensors."""

    def forward(self, parts: Any, hx: Any = None) -> Any:
        output, states = self.lstm(PackedSequence(*parts), hx)
        return output.data, states


class _Traced(Shell):
    def forward(self, input: Any, hx: Any = None) -> Any:
        example, its_hx = enlarged(input, hx, 0 if self.batch_first else 1)
        states = () if hx is None else (hx,)
        its_states = () if hx is None else (its_hx,)
        trace: Any = torch.jit.trace  # a function without types
        if not isinstance(input, PackedSequence):
            program = trace(self.inside(), (example, *its_states), check_trace=False)
            return program(input, *states)
        example, parts = (tuple(p for p in x if p is not None) for x in (example, input))
        program = trace(_OfParts(self.inside()), (example, *its_states), check_trace=False)
        data, states = program(parts, *states)
        return input._replace(data=data), states


def torch_trace() -> TorchModule:
    """``torch.jit.trace``, whose page allows other shapes than those of the example.

    Of a packed sequence, the tensors that it is made of are traced.
    """
    without = {"module", "forward-mode"}
    return TorchModule("torch-trace", _Traced, torch.__version__, capabilities=ALL - without)
