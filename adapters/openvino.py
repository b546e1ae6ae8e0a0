"""OpenVINO on the CPU: ``LSTMSequence``, one for each layer, forward only.

Documented at docs.openvino.ai (operation sets, LSTMSequence-5): X of shape (N, L, features), states
(N, D, H), Y (N, D, L, H); weights of the directions stacked, of the gates f, i, c, o one below the
other; one bias; the real length of each row. What Y has at padded steps is not documented. Without
a precision hint the CPU device computes in bfloat16 where the processor has it, as its page says;
with one of float32, float16 models too are computed in float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import openvino
import openvino.opset15 as ops

from ..spec.case import OUTPUTS, Case
from .function import FunctionLSTM, without_padding

__all__ = ["openvino_lstm", "openvino_lstm_dynamic"]

_CAPABILITIES = frozenset(
    {"layers", "bidirectional", "no-bias", "batch-first", "packed", "states", "float32", "float16"}
)


# Axes of L and N.
_OPEN = {"input": (0, 1), "h_0": (1,), "c_0": (1,), "lengths": (0,)}


def _model(case: Case, arguments: dict[str, Any], inputs: dict[str, Any], lengths: Any) -> Any:
    """A model of ``inputs``; with dynamic shapes if ``lengths`` is one of them, else a constant."""
    config, D, H = case.config, case.config.num_directions, case.config.hidden_size
    given = {}
    for name, array in inputs.items():
        dynamic = _OPEN[name] if "lengths" in inputs else ()
        sizes = [-1 if axis in dynamic else size for axis, size in enumerate(array.shape)]
        given[name] = ops.parameter(sizes, array.dtype)
    x = given["input"] if config.batch_first else ops.transpose(given["input"], [1, 0, 2])
    states = [
        ops.split(ops.transpose(given[name], [1, 0, 2]), 1, config.num_layers)
        for name in ("h_0", "c_0")
    ]
    h_n, c_n = [], []
    for k in range(config.num_layers):
        ways = [f"_l{k}", f"_l{k}_reverse"][:D]
        bias = [arguments["bias_ih" + w] + arguments["bias_hh" + w] for w in ways if config.bias]
        sequence = ops.lstm_sequence(
            x,
            *(state.output(k) for state in states),
            given.get("lengths", lengths),
            *(_fico([arguments[role + w] for w in ways]) for role in ("weight_ih", "weight_hh")),
            _fico(bias or [np.zeros(4 * H, case.dtype)] * D),
            H,
            "bidirectional" if config.bidirectional else "forward",
        )
        beside = ops.transpose(sequence.output(0), [0, 2, 1, 3])  # (N, L, D, H)
        x = ops.reshape(beside, [0, 0, D * H], special_zero=True)
        h_n.append(sequence.output(1))
        c_n.append(sequence.output(2))
    finals = [ops.transpose(ops.concat(state, 1), [1, 0, 2]) for state in (h_n, c_n)]
    output = x if config.batch_first else ops.transpose(x, [1, 0, 2])
    return openvino.Model([output, *finals], list(given.values()))


def _fico(directions: list[Any]) -> Any:
    """The gates i, f, g, o of torch in the order of OpenVINO, where g is c."""
    split = (np.split(parameter, 4) for parameter in directions)
    return ops.constant(np.stack([np.concatenate([f, i, g, o]) for i, f, g, o in split]))


def _lstm(name: str, dynamic: bool) -> FunctionLSTM:
    core = openvino.Core()

    def function(case: Case, arguments: dict[str, Any]) -> tuple[Any, Any, Any]:
        shapes = case.shapes()
        inputs = {"input": arguments["input"]}
        for name in ("h_0", "c_0"):
            inputs[name] = arguments.get(name, np.zeros(shapes[name], case.dtype))
        lengths = np.array(case.lengths or [case.seq_len] * case.batch_size, np.int32)
        if dynamic:
            inputs["lengths"] = lengths
        model = _model(case, arguments, inputs, lengths)
        compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        results = compiled(list(inputs.values()))
        output, h_n, c_n = (np.array(results[k]) for k, _ in enumerate(OUTPUTS))
        return without_padding(case, output), h_n, c_n

    version = openvino.__version__.split("-")[0]
    return FunctionLSTM(name, version, _CAPABILITIES, function)


def openvino_lstm() -> FunctionLSTM:
    """With static shapes."""
    return _lstm("openvino", dynamic=False)


def openvino_lstm_dynamic() -> FunctionLSTM:
    """With the number of rows and of steps left open."""
    return _lstm("openvino-dynamic", dynamic=True)
