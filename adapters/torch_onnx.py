"""``torch.nn.LSTM`` through ``torch.onnx.export``, run by ONNX Runtime; forward only.

Documented at docs.pytorch.org/docs/stable/onnx_export.html: axes named as dynamic may have any size
when the model runs. So each case is exported with other sizes than it runs with. Both exporters get
another number of rows; the TorchScript exporter also gets another number of steps. The exporter
through torch.export accepts dynamic steps but does not support them. The TorchScript exporter
refuses projections. The other one accepts them, but its model does not run. ``reports/findings``
has programs for both.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import onnxruntime
import torch

from ..spec.case import OUTPUTS, Case
from .function import Arrays, FunctionLSTM
from .torch_bench import undisturbed
from .torch_flat import FlatLSTM

__all__ = ["torch_onnx", "torch_onnx_torchscript"]

_CAPABILITIES = frozenset(
    {"layers", "bidirectional", "no-bias", "two-biases", "batch-first", "unbatched", "states"}
    | {"float32"}
)


def _axes(case: Case, names: list[str], steps: bool) -> dict[str, dict[int, str]]:
    """The dynamic axes of each tensor."""
    order = ["steps"] if case.layout == "unbatched" else ["steps", "rows"]
    if case.config.batch_first:
        order.reverse()
    input_axes = {k: axis for k, axis in enumerate(order) if axis == "rows" or steps}
    state_axes = {1: "rows"} if "rows" in order else {}
    axes = {"input": input_axes, "h_0": state_axes, "c_0": state_axes, "lengths": {0: "rows"}}
    return {name: axes[name] for name in names}


def _example(array: Any, axes: dict[int, str]) -> torch.Tensor:
    """``array`` with one more row or step. Lengths increase by one; the new length is 1."""
    larger = np.zeros([size + (k in axes) for k, size in enumerate(array.shape)], array.dtype)
    larger[tuple(slice(size) for size in array.shape)] = array
    return torch.from_numpy(larger + (array.ndim == 1))


def _export(case: Case, arguments: Arrays, given: Arrays, dynamo: bool) -> bytes:
    names, file = list(given), io.BytesIO()
    axes = _axes(case, names, steps=not dynamo)
    options: dict[str, Any] = {"input_names": names, "output_names": list(OUTPUTS), "f": file}
    if dynamo:
        rows = torch.export.Dim("rows")
        # All tensors are one argument of forward, a tuple.
        shapes = (tuple(dict.fromkeys(axes[name], rows) for name in names),)
        options.update(dynamic_shapes=shapes, verbose=False)
    else:
        options.update(dynamic_axes=axes)
    examples = tuple(_example(array, axes[name]) for name, array in given.items())
    torch.onnx.export(FlatLSTM(case, arguments, names), examples, dynamo=dynamo, **options)
    return file.getvalue()


def _lstm(name: str, dynamo: bool, capabilities: frozenset[str]) -> FunctionLSTM:
    def function(case: Case, arguments: Arrays) -> tuple[Any, Any, Any]:
        parameters = case.config.parameter_shapes()
        given = {name: array for name, array in arguments.items() if name not in parameters}
        if case.packed:
            given["lengths"] = np.array(case.lengths)
        with undisturbed(case.seed):
            model = _export(case, arguments, given, dynamo)
        session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        output, h_n, c_n = session.run(OUTPUTS, given)
        return output, h_n, c_n

    version = f"{torch.__version__} with onnxruntime {onnxruntime.__version__}"
    return FunctionLSTM(name, version, capabilities, function)


def torch_onnx() -> FunctionLSTM:
    """The default exporter, through torch.export. It refuses packed sequences."""
    return _lstm("torch-onnx", True, _CAPABILITIES)


def torch_onnx_torchscript() -> FunctionLSTM:
    """The exporter through TorchScript."""
    return _lstm("torch-onnx-torchscript", False, _CAPABILITIES | {"packed"})
