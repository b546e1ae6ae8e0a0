"""TorchScript: ``torch.nn.LSTM`` through ``torch.jit.script``, ``freeze`` and ``trace``.

A program is first run, or traced, with arguments of other sizes than those of the case.
"""

from __future__ import annotations

import builtins
import re
import threading
from typing import Any

import torch
from torch.nn.utils.rnn import PackedSequence

from ..spec.capabilities import ALL
from .torch_module import TorchModule
from .torch_variants import Shell, enlarged

__all__ = ["torch_frozen", "torch_script", "torch_trace"]

States = tuple[torch.Tensor, torch.Tensor]

# Python 3.11 cannot always parse source code in two threads at once.
_COMPILING = threading.Lock()


class _Wrapper(torch.nn.Module):
    """A script has one type for each argument, so each type of input has its own subclass."""

    def __init__(self, lstm: torch.nn.LSTM) -> None:
        super().__init__()
        self.lstm = lstm


class _TensorWrapper(_Wrapper):
    def forward(self, input: torch.Tensor, hx: States | None = None) -> tuple[torch.Tensor, States]:
        result: tuple[torch.Tensor, States] = self.lstm(input, hx)
        return result


class _PackedWrapper(_Wrapper):
    def forward(
        self, input: PackedSequence, hx: States | None = None
    ) -> tuple[PackedSequence, States]:
        result: tuple[PackedSequence, States] = self.lstm(input, hx)
        return result


class _Scripted(Shell):
    def forward(self, input: Any, hx: Any = None) -> Any:
        wrapper = _PackedWrapper if isinstance(input, PackedSequence) else _TensorWrapper
        with _COMPILING:
            script = self.finished(torch.jit.script(wrapper(self.plain_lstm())))
        try:
            for _ in range(2):  # the first run records shapes, the second compiles for them
                script(*enlarged(input, hx, 0 if self.batch_first else 1))
            output, states = script(input, hx)
        except torch.jit.Error as error:
            raise _raised_inside(error) from None
        # A script returns its own type of named tuple, with the fields of PackedSequence.
        return PackedSequence(*output) if isinstance(input, PackedSequence) else output, states

    def finished(self, script: Any) -> Any:
        """The program that is called."""
        return script


class _Frozen(_Scripted):
    def finished(self, script: Any) -> Any:
        return torch.jit.freeze(script.eval())


def _raised_inside(error: Exception) -> Exception:
    """The exception that the module raised inside a script.

    A script always raises torch.jit.Error. The last line of its message has the exception of the
    module, such as "builtins.ValueError: message".
    """
    found = re.fullmatch(r".*\bbuiltins\.(\w+): (.*)", str(error), re.DOTALL)
    if found is None:
        return RuntimeError(str(error))
    raised: Exception = getattr(builtins, found[1])(found[2])
    return raised


def torch_script() -> TorchModule:
    """``torch.jit.script`` of a module that calls a ``torch.nn.LSTM``."""
    return TorchModule(
        "torch-script", _Scripted, torch.__version__, capabilities=ALL - {"forward-mode"}
    )


def torch_frozen() -> TorchModule:
    """``torch.jit.freeze`` of a script in evaluation mode, where parameters become constants."""
    without = {"module", "gradients", "double-backward", "forward-mode", "dropout", "full-dropout"}
    return TorchModule("torch-frozen", _Frozen, torch.__version__, capabilities=ALL - without)


class _PartsWrapper(_Wrapper):
    """A trace takes only tensors and tuples of tensors."""

    def forward(self, parts: Any, hx: Any = None) -> Any:
        output, states = self.lstm(PackedSequence(*parts), hx)
        return output.data, states


class _Traced(Shell):
    def forward(self, input: Any, hx: Any = None) -> Any:
        example, example_hx = enlarged(input, hx, 0 if self.batch_first else 1)
        states = () if hx is None else (hx,)
        example_states = () if hx is None else (example_hx,)
        trace: Any = torch.jit.trace  # this function has no type hints
        if not isinstance(input, PackedSequence):
            program = trace(self.plain_lstm(), (example, *example_states), check_trace=False)
            return program(input, *states)
        example, parts = (tuple(p for p in x if p is not None) for x in (example, input))
        program = trace(
            _PartsWrapper(self.plain_lstm()), (example, *example_states), check_trace=False
        )
        data, states = program(parts, *states)
        return input._replace(data=data), states


def torch_trace() -> TorchModule:
    """``torch.jit.trace``. Its page allows other shapes than those of the example.

    For a packed sequence, the tensors inside it are traced.
    """
    without = {"module", "forward-mode"}
    return TorchModule("torch-trace", _Traced, torch.__version__, capabilities=ALL - without)
