"""ONNX Runtime on the CPU: the LSTM operator of ONNX, forward only.

Documented at onnxruntime.ai/docs and in docs/OperatorKernels.md of its repository. The LSTM has a
kernel for float32 only; for float16 the session adds casts. It refuses models with ``layout=1``.
"""

from __future__ import annotations

from typing import Any

import onnxruntime

from ..spec.case import OUTPUTS, Case
from .function import Arrays, FunctionLSTM, without_padding
from .onnx_model import lstm_model

__all__ = ["onnxruntime_lstm"]

_CAPABILITIES = frozenset(
    {"layers", "bidirectional", "no-bias", "two-biases", "packed", "states", "float32", "float16"}
)


def _lstm(case: Case, arguments: Arrays) -> tuple[Any, Any, Any]:
    session = onnxruntime.InferenceSession(
        lstm_model(case, arguments).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    inputs = {node.name: arguments[node.name] for node in session.get_inputs()}
    output, h_n, c_n = session.run(OUTPUTS, inputs)
    return without_padding(case, output), h_n, c_n


def onnxruntime_lstm() -> FunctionLSTM:
    """The session with default graph optimisations. Without them the results are the same."""
    version = onnxruntime.__version__
    return FunctionLSTM("onnxruntime", version, _CAPABILITIES, _lstm)
