"""Builds an ONNX model for a case: one LSTM operator for each layer, with its weights.

Documented at onnx.ai/onnx/operators/onnx__LSTM.html. The first axis of the weights is the
direction. The second stacks the gates i, o, f, c, and both biases. ``sequence_lens`` has the steps
of each row. Y is (L, D, N, H), states are (D, N, H). With ``layout=1`` the rows are the first axis
of all of them. The values of Y in the padding are not documented.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from ..spec.case import OUTPUTS, Case
from .function import Arrays

__all__ = ["lstm_model"]

_IR_VERSION = 10  # of opset 22


def lstm_model(case: Case, arguments: Arrays, opset: int = 22) -> onnx.ModelProto:
    """The model of a case. Its inputs are ``input``, and ``h_0`` and ``c_0`` if there are states.

    ``batch_first=True`` becomes ``layout=1``. Opset 22 is the first with LSTM in bfloat16.
    """
    config, layers = case.config, range(case.config.num_layers)
    layout = int(config.batch_first)
    states = [name for name in ("h_0", "c_0") if name in arguments]
    constants = _constants(case, arguments)
    nodes = []

    def node(kind: str, inputs: list[str], outputs: list[str], **attributes: Any) -> None:
        nodes.append(helper.make_node(kind, inputs, outputs, **attributes))

    def rows_first(given: str, made: str) -> None:
        """Transposes (D, N, H) to (N, D, H) or back if ``layout=1``."""
        node("Transpose", [given], [made], perm=[1, 0, 2] if layout else [0, 1, 2])

    for s in states:
        node("Split", [s], [f"{s} of {k}" for k in layers], num_outputs=config.num_layers)
    x = "input"
    for k in layers:
        for s in states:
            rows_first(f"{s} of {k}", f"{s} {k}")
        optional = [name if name in constants else "" for name in (f"B {k}", "lengths")]
        node(
            "LSTM",
            [x, f"W {k}", f"R {k}", *optional, *(f"{s} {k}" for s in states)],
            [f"Y {k}", f"Y_h {k}", f"Y_c {k}"],
            hidden_size=config.hidden_size,
            direction="bidirectional" if config.bidirectional else "forward",
            layout=layout,
        )
        rows_first(f"Y_h {k}", f"h_n {k}")
        rows_first(f"Y_c {k}", f"c_n {k}")
        # (L, D, N, H) to (L, N, D, H). With layout=1 it is already (N, L, D, H).
        node("Transpose", [f"Y {k}"], [f"y {k}"], perm=[0, 1, 2, 3] if layout else [0, 2, 1, 3])
        x = "output" if k == layers[-1] else f"output {k}"
        node("Reshape", [f"y {k}", "side by side"], [x])
    for name in ("h_n", "c_n"):
        node("Concat", [f"{name} {k}" for k in layers], [name], axis=0)

    kind, shapes = helper.np_dtype_to_tensor_dtype(arguments["input"].dtype), case.shapes()
    graph = helper.make_graph(
        nodes,
        "lstm",
        [helper.make_tensor_value_info(n, kind, shapes[n]) for n in ("input", *states)],
        [helper.make_tensor_value_info(n, kind, shapes[n]) for n in OUTPUTS],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)


def _constants(case: Case, arguments: Arrays) -> Arrays:
    config = case.config
    constants = {"side by side": np.array([0, 0, config.num_directions * config.hidden_size])}
    if case.packed:
        constants["lengths"] = np.array(case.lengths, np.int32)
    roles = {"W": ["weight_ih"], "R": ["weight_hh"], "B": ["bias_ih", "bias_hh"]}
    for letter in roles if config.bias else "WR":
        for k in range(config.num_layers):
            directions = [
                np.concatenate([_iofc(arguments[f"{role}_l{k}{way}"]) for role in roles[letter]])
                for way in ("", "_reverse")[: config.num_directions]
            ]
            constants[f"{letter} {k}"] = np.stack(directions)
    return constants


def _iofc(parameter: Any) -> Any:
    """Reorders the gates i, f, g, o of torch for ONNX, where g is called c."""
    i, f, g, o = np.split(parameter, 4)
    return np.concatenate([i, o, f, g])
