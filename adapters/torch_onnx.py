"""``torch.nn.LSTM`` through ``torch.onnx.export``, run by ONNX Runtime; forward only.

Documented at docs.pytorch.org/docs/stable/onnx_export.html: axes named as dynamic may have any size
when the model is run. So the export is made with other sizes than the run: of the rows, and by the
TorchScript exporter of the steps. The one through torch.export takes a request for free steps too,
and does not fulfil it; projections the TorchScript exporter refuses, and the other one takes, for a
model that cannot be run. ``reports/findings`` has programs for both.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import onnxruntime
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from ..spec.case import OUTPUTS, Case
from .function import FunctionLSTM
from .torch_bench import undisturbed

__all__ = ["torch_onnx", "torch_onnx_torchscript"]

_CAPABILITIES = frozenset(
    {"layers", "bidirectional", "no-bias", "two-biases", "batch-first", "unbatched", "states"}
    | {"float32"}
)


class _Flat(torch.nn.Module):
    """The LSTM of a case, with tensors alone: no tuples, no packed sequences."""

    def __init__(self, case: Case, names: list[str], lstm: torch.nn.LSTM) -> None:
        super().__init__()
        self.case, self.names, self.lstm = case, names, lstm

    def forward(self, *tensors: torch.Tensor) -> tuple[Any, Any, Any]:
        given = dict(zip(self.names, tensors, strict=True))
        x: Any = given["input"]
        order = {"batch_first": self.case.config.batch_first}
        if self.case.packed:
            in_order = self.case.layout == "packed_sorted"
            x = pack_padded_sequence(x, given["lengths"], enforce_sorted=in_order, **order)
        states = (given["h_0"], given["c_0"]) if self.case.states else None
        output, (h_n, c_n) = self.lstm(x, states)
        if self.case.packed:
            output, _ = pad_packed_sequence(output, **order)
        return output, h_n, c_n


def _axes(case: Case, names: list[str], steps: bool) -> dict[str, dict[int, str]]:
    """The axes that are left open."""
    order = ["steps"] if case.layout == "unbatched" else ["steps", "rows"]
    if case.config.batch_first:
        order.reverse()
    of_input = {k: axis for k, axis in enumerate(order) if axis == "rows" or steps}
    of_states = {1: "rows"} if "rows" in order else {}
    axes = {"input": of_input, "h_0": of_states, "c_0": of_states, "lengths": {0: "rows"}}
    return {name: axes[name] for name in names}


def _example(array: Any, axes: dict[int, str]) -> torch.Tensor:
    """One more row, or step: lengths go up by one, the new one is 1."""
    larger = np.zeros([size + (k in axes) for k, size in enumerate(array.shape)], array.dtype)
    larger[tuple(slice(size) for size in array.shape)] = array
    return torch.from_numpy(larger + (array.ndim == 1))


def _export(case: Case, arguments: dict[str, Any], given: dict[str, Any], dynamo: bool) -> bytes:
    names, file = list(given), io.BytesIO()
    axes = _axes(case, names, steps=not dynamo)
    lstm = torch.nn.LSTM(**vars(case.config)).eval()
    parameters = case.config.parameter_shapes()
    lstm.load_state_dict({name: torch.from_numpy(arguments[name]) for name in parameters})
    options: dict[str, Any] = {"input_names": names, "output_names": list(OUTPUTS), "f": file}
    if dynamo:
        rows = torch.export.Dim("rows")
        # The tensors are one argument, a tuple.
        shapes = (tuple(dict.fromkeys(axes[name], rows) for name in names),)
        options.update(dynamic_shapes=shapes, verbose=False)
    else:
        options.update(dynamic_axes=axes)
    examples = tuple(_example(array, axes[name]) for name, array in given.items())
    torch.onnx.export(_Flat(case, names, lstm), examples, dynamo=dynamo, **options)
    return file.getvalue()


def _lstm(name: str, dynamo: bool, capabilities: frozenset[str]) -> FunctionLSTM:
    def function(case: Case, arguments: dict[str, Any]) -> tuple[Any, Any, Any]:
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
    """The exporter through torch.export, the default one; packed sequences it refuses."""
    return _lstm("torch-onnx", True, _CAPABILITIES)


def torch_onnx_torchscript() -> FunctionLSTM:
    """The exporter through TorchScript."""
    return _lstm("torch-onnx-torchscript", False, _CAPABILITIES | {"packed"})
