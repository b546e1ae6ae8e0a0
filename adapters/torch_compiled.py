"""``torch.nn.LSTM`` through the compilers of torch.

Documented at docs.pytorch.org (torch.export, torch.compile). Each case is compiled with an example
that has another number of rows. The rows are marked as dynamic, as the pages describe. The number
of steps is not dynamic, because the compilers unroll the loop over the steps.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import torch

from ..spec.capabilities import ALL
from .torch_module import TorchModule
from .torch_variants import Shell, Unrolled, enlarged

__all__ = ["torch_compile", "torch_export", "torch_export_decomposed"]


class _Exported(Shell):
    def forward(self, input: Any, hx: Any = None) -> Any:
        batch_axis = 0 if self.batch_first else 1
        rows = torch.export.Dim("rows")
        state_shapes = None if hx is None else ({1: rows}, {1: rows})
        program = torch.export.export(
            self.plain_lstm(),
            enlarged(input, hx, batch_axis, steps=1),
            dynamic_shapes=({batch_axis: rows}, state_shapes) if input.dim() == 3 else None,
        )
        return self.finished(program).module()(input, hx)

    def finished(self, program: torch.export.ExportedProgram) -> torch.export.ExportedProgram:
        """The program that is called."""
        return program


class _Decomposed(_Exported):
    def finished(self, program: torch.export.ExportedProgram) -> torch.export.ExportedProgram:
        decomposed: torch.export.ExportedProgram = program.run_decompositions()
        return decomposed


_EXPORTED = ALL - {"module", "packed", "forward-mode"}


def torch_export() -> TorchModule:
    """``torch.export.export``: the program has one operation ``lstm``."""
    return TorchModule("torch-export", _Exported, torch.__version__, capabilities=_EXPORTED)


def torch_export_decomposed() -> TorchModule:
    """``torch.export.export`` and ``run_decompositions``: the program has simple operations."""
    return TorchModule(
        "torch-export-decomposed", _Decomposed, torch.__version__, capabilities=_EXPORTED
    )


class _Compiled(Shell):
    def forward(self, input: Any, hx: Any = None) -> Any:
        torch.compiler.reset()  # torch limits how often it compiles one function
        batch_axis = 0 if self.batch_first else 1
        compiled = torch.compile(self.plain_lstm())
        larger, larger_hx = enlarged(input, hx, batch_axis, steps=1)
        if isinstance(larger, torch.Tensor) and larger.dim() == 3:
            torch._dynamo.mark_dynamic(larger, batch_axis)
            for state in larger_hx or ():
                torch._dynamo.mark_dynamic(state, 1)
        compiled(larger, larger_hx)
        return compiled(input, hx)


def torch_compile() -> Unrolled:
    """``torch.compile`` with default options, except ``allow_rnn``: by default it skips RNNs."""

    def rnn_allowed() -> AbstractContextManager[Any]:
        allowed: AbstractContextManager[Any] = torch._dynamo.config.patch(allow_rnn=True)
        return allowed

    without = {"module", "forward-mode"}
    return Unrolled(
        "torch-compile", _Compiled, torch.__version__, rnn_allowed, capabilities=ALL - without
    )
