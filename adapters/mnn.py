"""MNN on the CPU: the LSTM operator of ONNX through its converter, forward only.

Documented at mnn-docs.readthedocs.io. Models are converted from ONNX, most of which is supported
("about"). Of the LSTM, only the quantization is documented ("convert"). High precision stores and
computes in float32, other precisions may not ("python"). float64 has to be converted to float32
("faq"), and no variable is float16 ("Var"). Nothing is said against ``sequence_lens``, which is an
input of that operator, or against ``layout=1``. For ``sequence_lens`` the converter prints that the
result may be wrong, and converts the model.

The command ``mnnconvert`` is a wrapper around ``_tools.mnnconvert``. When the wrapper is imported,
it installs a package with the first pip in the PATH and reports its use. This adapter avoids it.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import _tools
import MNN
import numpy as np

from ..spec.case import OUTPUTS, Case
from ..spec.contract import Nonconformance
from .function import Arrays, FunctionLSTM, without_padding
from .onnx_model import lstm_model

__all__ = ["mnn_lstm"]

_CAPABILITIES = frozenset(
    {"layers", "bidirectional", "no-bias", "two-biases", "batch-first", "packed", "states"}
    | {"float32"}
)


def _lstm(case: Case, arguments: Arrays) -> tuple[Any, Any, Any]:
    model = lstm_model(case, arguments)
    names = [given.name for given in model.graph.input]
    precision = MNN.expr.PrecisionMode.High
    with TemporaryDirectory() as folder:
        onnx, mnn = str(Path(folder, "lstm.onnx")), str(Path(folder, "lstm.mnn"))
        Path(onnx).write_bytes(model.SerializeToString())
        _tools.mnnconvert(["", "-f", "ONNX", "--modelFile", onnx, "--MNNModel", mnn])
        module = MNN.nn.load_module_from_file(mnn, names, list(OUTPUTS), precision_mode=precision)
    arrays = [arguments[name] for name in names]
    given = [MNN.expr.const(array, list(array.shape), MNN.expr.NCHW) for array in arrays]
    results = [np.array(result.read()) for result in module.forward(given)]
    if len(results) != len(OUTPUTS):  # MNN prints errors, but raises no exception
        raise Nonconformance("no results were returned")
    return without_padding(case, results[0]), results[1], results[2]


def mnn_lstm() -> FunctionLSTM:
    """The model with the default optimisations of the converter."""
    return FunctionLSTM("mnn", MNN.version(), _CAPABILITIES, _lstm)
