"""``torch.nn.LSTM`` through Apache TVM, compiled for the CPU by LLVM; forward only.

Documented at tvm.apache.org/docs (tutorial "Importing Models from ML Frameworks"). The tutorial
recommends the importer of ``torch.export`` programs, which torch decomposes by default. This
importer computes products of matrices in float32. In other formats it refuses LSTMs with biases,
and computes LSTMs without biases in float32, as ``reports/findings`` shows. The ONNX importer has
no LSTM.
"""

from __future__ import annotations

from typing import Any

import torch
import tvm
from tvm import relax
from tvm.relax.frontend.torch import from_exported_program

from ..spec.case import Case
from .function import Arrays, FunctionLSTM
from .torch_bench import undisturbed
from .torch_flat import FlatLSTM

__all__ = ["tvm_lstm"]

_CAPABILITIES = frozenset(
    {"layers", "bidirectional", "projection", "no-bias", "two-biases", "batch-first", "unbatched"}
    | {"states", "float32"}
)


def _lstm(case: Case, arguments: Arrays) -> tuple[Any, Any, Any]:
    given = {name: arguments[name] for name in ("input", "h_0", "c_0") if name in arguments}
    with undisturbed(case.seed), torch.no_grad():
        examples = tuple(torch.zeros(array.shape) for array in given.values())
        lstm = FlatLSTM(case, arguments, list(given))
        program = from_exported_program(torch.export.export(lstm, examples))
    machine = relax.VirtualMachine(tvm.compile(program, target="llvm"), tvm.cpu())
    results = machine["main"](*(tvm.runtime.tensor(array) for array in given.values()))
    output, h_n, c_n = (result.numpy() for result in results)
    return output, h_n, c_n


def tvm_lstm() -> FunctionLSTM:
    """``tvm.compile`` with default options."""
    version = f"{tvm.__version__} with torch {torch.__version__}"
    return FunctionLSTM("tvm", version, _CAPABILITIES, _lstm)
