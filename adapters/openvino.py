"""OpenVINO on the CPU: ``LSTMSequence``, one for each layer, forward only.

Documented at docs.openvino.ai (operation sets, LSTMSequence-5). X is (N, L, features), states are
(N, D, H), Y is (N, D, L, H). The first axis of the weights is the direction, the second stacks the
gates f, i, c, o. There is one bias, and a length for each row. The values of Y in the padding are
not documented. By default the CPU device computes in bfloat16 if the processor has it, as its page
says. With the precision hint float32 it computes in float32, in float16 models too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import openvino
import openvino.opset15 as ops

from ..spec.case import OUTPUTS, Case
from .function import Arrays, FunctionLSTM, without_padding

__all__ = ["openvino_lstm", "openvino_lstm_dynamic"]

_CAPABILITIES = frozenset(
    {"layers", "bidirectional", "no-bias", "batch-first", "packed", "states", "float32", "float16"}
)


# The axes N and L of each input, which a dynamic model leaves open.
_DYNAMIC_AXES = {"input": (0, 1), "h_0": (0,), "c_0": (0,), "lengths": (0,)}


def _model(case: Case, arguments: Arrays, inputs: Arrays, lengths: Any) -> Any:
    """The model. Its shapes are dynamic if ``inputs`` has lengths; otherwise these are constant."""
    config, D, H = case.config, case.config.num_directions, case.config.hidden_size
    given = {}
    for name, array in inputs.items():
        dynamic = _DYNAMIC_AXES[name] if "lengths" in inputs else ()
        sizes = [-1 if axis in dynamic else size for axis, size in enumerate(array.shape)]
        given[name] = ops.parameter(sizes, array.dtype)
    states = [ops.split(given[name], 1, config.num_layers) for name in ("h_0", "c_0")]
    x, h_n, c_n = given["input"], [], []
    for k in range(config.num_layers):
        suffixes = [f"_l{k}", f"_l{k}_reverse"][:D]
        bias = [
            arguments["bias_ih" + w] + arguments["bias_hh" + w] for w in suffixes if config.bias
        ]
        sequence = ops.lstm_sequence(
            x,
            *(state.output(k) for state in states),
            given.get("lengths", lengths),
            *(
                _fico([arguments[role + w] for w in suffixes])
                for role in ("weight_ih", "weight_hh")
            ),
            _fico(bias or [np.zeros(4 * H, case.dtype)] * D),
            H,
            "bidirectional" if config.bidirectional else "forward",
        )
        side_by_side = ops.transpose(sequence.output(0), [0, 2, 1, 3])  # (N, L, D, H)
        x = ops.reshape(side_by_side, [0, 0, D * H], special_zero=True)
        h_n.append(sequence.output(1))
        c_n.append(sequence.output(2))
    return openvino.Model([x, ops.concat(h_n, 1), ops.concat(c_n, 1)], list(given.values()))


def _fico(directions: list[Any]) -> Any:
    """Reorders the gates i, f, g, o of torch for OpenVINO, where g is called c."""
    split = (np.split(parameter, 4) for parameter in directions)
    return ops.constant(np.stack([np.concatenate([f, i, g, o]) for i, f, g, o in split]))


def _swapped(array: Any) -> Any:
    return np.ascontiguousarray(array.swapaxes(0, 1))


def _lstm(name: str, dynamic: bool) -> FunctionLSTM:
    core = openvino.Core()

    def function(case: Case, arguments: Arrays) -> tuple[Any, Any, Any]:
        shapes, batch_first = case.shapes(), case.config.batch_first
        # Rows come first. NumPy transposes, since a model transposes (1, 0, 1) to (1, 1, 1).
        inputs = {"input": arguments["input"] if batch_first else _swapped(arguments["input"])}
        for name in ("h_0", "c_0"):
            inputs[name] = _swapped(arguments.get(name, np.zeros(shapes[name], case.dtype)))
        lengths = np.array(case.lengths or [case.seq_len] * case.batch_size, np.int32)
        if dynamic:
            inputs["lengths"] = lengths
        model = _model(case, arguments, inputs, lengths)
        compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        results = compiled(list(inputs.values()))
        output, h_n, c_n = (np.array(results[k]) for k, _ in enumerate(OUTPUTS))
        output = output if batch_first else _swapped(output)
        return without_padding(case, output), _swapped(h_n), _swapped(c_n)

    version = openvino.__version__.split("-")[0]
    return FunctionLSTM(name, version, _CAPABILITIES, function)


def openvino_lstm() -> FunctionLSTM:
    """Models with static shapes."""
    return _lstm("openvino", dynamic=False)


def openvino_lstm_dynamic() -> FunctionLSTM:
    """Models with dynamic numbers of rows and steps."""
    return _lstm("openvino-dynamic", dynamic=True)
