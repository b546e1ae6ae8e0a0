"""``onnx.reference.ReferenceEvaluator``: the LSTM operator of ONNX in NumPy, forward only.

Documented at onnx.ai/onnx/operators/onnx__LSTM.html, with four number formats.
"""

from __future__ import annotations

from typing import Any

import onnx
from onnx.reference import ReferenceEvaluator

from ..spec.case import OUTPUTS, Case
from .function import Arrays, FunctionLSTM, without_padding
from .onnx_model import lstm_model

__all__ = ["onnx_reference_lstm"]

_CAPABILITIES = frozenset(
    {"layers", "bidirectional", "no-bias", "two-biases", "batch-first", "packed", "states"}
    | {"float64", "float32", "bfloat16", "float16"}
)


def _lstm(case: Case, arguments: Arrays) -> tuple[Any, Any, Any]:
    evaluator = ReferenceEvaluator(lstm_model(case, arguments))
    inputs = {name: arguments[name] for name in evaluator.input_names}
    output, h_n, c_n = evaluator.run(list(OUTPUTS), inputs)
    return without_padding(case, output), h_n, c_n


def onnx_reference_lstm() -> FunctionLSTM:
    """The evaluator with its own operators."""
    return FunctionLSTM("onnx-reference", onnx.__version__, _CAPABILITIES, _lstm)
