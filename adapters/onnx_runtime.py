"""ONNX Runtime on the CPU, and on other devices by its providers: LSTM of ONNX, forward only.

Documented at onnxruntime.ai/docs, "Execution Providers", and in docs/OperatorKernels.md of its
repository. On the CPU, the LSTM has a kernel for float32 only; for float16 the session adds casts.
It refuses models with ``layout=1``.
"""

from __future__ import annotations

from typing import Any

import onnxruntime

from ..spec.case import OUTPUTS, Case
from ..spec.usage_error import UsageError
from .function import Arrays, FunctionLSTM, without_padding
from .onnx_model import lstm_model

__all__ = ["onnxruntime_directml", "onnxruntime_lstm", "onnxruntime_tensorrt"]

_CAPABILITIES = frozenset(
    {"layers", "bidirectional", "no-bias", "two-biases", "packed", "states", "float32", "float16"}
)

# The newest opset of the providers whose kernels do not have that of bfloat16.
_OLDER_OPSET = 20


def _lstm(name: str, provider: str, **of_model: int) -> FunctionLSTM:
    """By one provider alone: the session must not fall back to the CPU."""
    available = onnxruntime.get_available_providers()
    if provider not in available:
        raise UsageError(
            f"{name} needs a build of onnxruntime with {provider}. The one that is installed has "
            f"{', '.join(available)}."
        )
    options = onnxruntime.SessionOptions()
    if provider != "CPUExecutionProvider":
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")

    def function(case: Case, arguments: Arrays) -> tuple[Any, Any, Any]:
        model = lstm_model(case, arguments, **of_model).SerializeToString()
        session = onnxruntime.InferenceSession(model, options, providers=[provider])
        inputs = {node.name: arguments[node.name] for node in session.get_inputs()}
        output, h_n, c_n = session.run(OUTPUTS, inputs)
        return without_padding(case, output), h_n, c_n

    return FunctionLSTM(name, onnxruntime.__version__, _CAPABILITIES, function)


def onnxruntime_lstm() -> FunctionLSTM:
    """The session with default graph optimisations. Without them the results are the same."""
    return _lstm("onnxruntime", "CPUExecutionProvider")


def onnxruntime_tensorrt() -> FunctionLSTM:
    """NVIDIA's TensorRT."""
    return _lstm("onnxruntime-tensorrt", "TensorrtExecutionProvider", opset=_OLDER_OPSET)


def onnxruntime_directml() -> FunctionLSTM:
    """Microsoft's DirectML."""
    return _lstm("onnxruntime-directml", "DmlExecutionProvider", opset=_OLDER_OPSET)
