"""IREE on the CPU: the LSTM operator of ONNX, compiled by LLVM, forward only.

Documented at iree.dev ("ONNX support", "CPU deployment"): ``iree-import-onnx``, then
``iree-compile`` for the target ``llvm-cpu``. Where the implementation of an operator is missing a
case, compilation fails with an error ("Troubleshooting"). Nothing is said against ``sequence_lens``
or ``layout=1`` of the LSTM. ``llvm-cpu`` has broad type support ("Model development"), and f16, f32
and f64 are types of arguments ("Function ABI").

float64 becomes float32 unless an option says otherwise. The default executable format has no tanh
in float64. So the adapter selects the other format, "System library", which needs a linker ``ld``.
"""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import iree.runtime
import onnx
from iree.compiler.tools import CompilerToolError, compile_file
from iree.compiler.tools.import_onnx import __main__ as import_onnx

from ..spec.case import Case
from .function import Arrays, FunctionLSTM, without_padding
from .onnx_model import lstm_model

__all__ = ["iree_lstm"]

_CAPABILITIES = frozenset(
    {"layers", "bidirectional", "no-bias", "two-biases", "batch-first", "packed", "states"}
    | {"float64", "float32", "float16"}
)

_OPTIONS = ["--iree-llvmcpu-target-cpu=host"]
_OPTIONS_FLOAT64 = ["--iree-input-demote-f64-to-f32=false", "--iree-llvmcpu-link-embedded=false"]


def _lstm(case: Case, arguments: Arrays) -> tuple[Any, Any, Any]:
    model = lstm_model(case, arguments)
    options = _OPTIONS + (_OPTIONS_FLOAT64 if case.dtype == "float64" else [])
    with TemporaryDirectory() as folder:
        given, imported = str(Path(folder, "lstm.onnx")), str(Path(folder, "lstm.mlir"))
        onnx.save(model, given)
        import_onnx.main(import_onnx.parse_arguments([given, "-o", imported]))
        compiled = _compiled(imported, options)
    module = iree.runtime.load_vm_flatbuffer(compiled, driver="local-sync")
    results = module[model.graph.name](*(arguments[node.name] for node in model.graph.input))
    output, h_n, c_n = (result.to_host() for result in results)
    return without_padding(case, output), h_n, c_n


def _compiled(file: str, options: list[str]) -> bytes:
    try:
        compiled: bytes = compile_file(file, target_backends=["llvm-cpu"], extra_args=options)
    except CompilerToolError as error:  # its text has the paths of all files
        lines = re.findall("error: .*", str(error)) or re.findall("Error code: .*", str(error))
        raise RuntimeError(lines[0] if lines else "iree-compile failed") from None
    return compiled


def iree_lstm() -> FunctionLSTM:
    """The options of the page "ONNX support", and the single-threaded runtime."""
    return FunctionLSTM("iree", version("iree-base-compiler"), _CAPABILITIES, _lstm)
