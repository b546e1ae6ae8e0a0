"""``torch.nn.LSTM`` through the compilers of torch.

Pages are of docs.pytorch.org. A program is made for each case, of arguments with another number
of rows, marked as dynamic: that is what the pages promise. The number of steps is not dynamic,
since the compilers unroll the loop over them.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import torch

from ..spec.capabilities import ALL
from .torch_module import TorchModule
from .torch_variants import Shell, enlarged

__all__ = ["torch_compile", "torch_export", "torch_export_decomposed"]


class _Exported(Shell):
    def forward(self, input: Any, hx: Any = None) -> Any:
        batch_axis = 0 if self.batch_first else 1
        rows = torch.export.Dim("rows")
        of_states = None if hx is None else ({1: rows}, {1: rows})
        program = torch.export.export(
            self.inside(),
            enlarged(input, hx, batch_axis, steps=1),
            dynamic_shapes=({batch_axis: rows}, of_states) if input.dim() == 3 else None,
        )
        return self.finished(program).module()(input, hx)

    def finished(self, program: torch.export.ExportedProgram) -> torch.export.ExportedProgram:
        """What is called of a program."""
        return program


class _Decomposed(_Exported):
    def finished(self, program: torch.export.ExportedProgram) -> torch.export.ExportedProgram:
        decomposed: torch.export.ExportedProgram = program.run_decompositions()
        return decomposed


_EXPORTED = ALL - {"module", "packed", "forward-mode"}


def torch_export() -> TorchModule:
    """``torch.export.export``: one operation ``lstm`` in the program."""
    return TorchModule("torch-export", _Exported, torch.__version__, capabilities=_EXPORTED)


def torch_export_decomposed() -> TorchModule:
    """The same after ``run_decompositions``: the operations that an LSTM is made of."""
    return TorchModule(
        "torch-export-decomposed", _Decomposed, torch.__version__, capabilities=_EXPORTED
    )


class _Compiled(Shell):
    def forward(self, input: Any, hx: Any = None) -> Any:
        torch.compiler.reset()  # there is a limit to how often one function is compiled
        batch_axis = 0 if self.batch_first else 1
        compiled = torch.compile(self.inside())
        larger, its_hx = enlarged(input, hx, batch_axis, steps=1)
        if isinstance(larger, torch.Tensor) and larger.dim() == 3:
            torch._dynamo.mark_dynamic(larger, batch_axis)
            for state in its_hx or ():
                torch._dynamo.mark_dynamic(state, 1)
        compiled(larger, its_hx)
        return compiled(input, hx)


def torch_compile() -> TorchModule:
    """``torch.compile`` as it is called by default, but that it would leave an RNN as it is."""

    def rnn_allowed() -> AbstractContextManager[Any]:
        allowed: AbstractContextManager[Any] = torch._dynamo.config.patch(allow_rnn=True)
        return allowed

    without = {"module", "forward-mode"}
    return TorchModule(
        "torch-compile", _Compiled, torch.__version__, rnn_allowed, capabilities=ALL - without
    )
