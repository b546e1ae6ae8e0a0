"""A case as an ONNX model: one LSTM operator for each layer, its weights inside.

Documented at onnx.ai/onnx/operators/onnx__LSTM.html: weights of the directions stacked, of the
gates i, o, f, c one below the other; both biases, one after the other; ``sequence_lens`` has the
steps of each row; Y of shape (L, D, N, H), states (D, N, H); with ``layout=1`` the rows are the
first axis of all of them. What Y has at padded steps is not documented.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from ..spec.case import OUTPUTS, Case

__all__ = ["lstm_model"]

_OPSET, _IR_VERSION = 22, 10  # the first with LSTM in bfloat16


def lstm_model(case: Case, arguments: dict[str, Any]) -> onnx.ModelProto:
    """The model: what it takes are ``input``, ``h_0`` and ``c_0``, as far as they are given.

    ``batch_first`` is ``layout=1``.
    """
    config, layers = case.config, range(case.config.num_layers)
    layout = int(config.batch_first)
    states = [name for name in ("h_0", "c_0") if name in arguments]
    constants = _constants(case, arguments)
    nodes = []

    def node(kind: str, inputs: list[str], outputs: list[str], **attributes: Any) -> None:
        nodes.append(helper.make_node(kind, inputs, outputs, **attributes))

    def rows_first(given: str, made: str) -> None:
        """(D, N, H) to (N, D, H) and back, where the layout asks for it."""
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
        # (L, D, N, H) to (L, N, D, H); with layout 1 it is (N, L, D, H) already.
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
    opset = helper.make_opsetid("", _OPSET)
    return helper.make_model(graph, opset_imports=[opset], ir_version=_IR_VERSION)


def _constants(case: Case, arguments: dict[str, Any]) -> dict[str, Any]:
    config = case.config
    constants = {"side by side": np.array([0, 0, config.num_directions * config.hidden_size])}
    if case.packed:
        constants["lengths"] = np.array(case.lengths, np.int32)
    of_letter = {"W": ["weight_ih"], "R": ["weight_hh"], "B": ["bias_ih", "bias_hh"]}
    for letter in of_letter if config.bias else "WR":
        for k in range(config.num_layers):
            directions = [
                np.concatenate(
                    [_iofc(arguments[f"{role}_l{k}{way}"]) for role in of_letter[letter]]
                )
                for way in ("", "_reverse")[: config.num_directions]
            ]
            constants[f"{letter} {k}"] = np.stack(directions)
    return constants


def _iofc(parameter: Any) -> Any:
    """The gates i, f, g, o of torch in the order of ONNX, where g is c."""
    i, f, g, o = np.split(parameter, 4)
    return np.concatenate([i, o, f, g])
