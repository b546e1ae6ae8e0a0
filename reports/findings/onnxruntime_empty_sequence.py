"""ONNX Runtime 1.32.0 on a CPU, USE-25: without steps, the states that an LSTM was given are lost.

Documentation, onnx.ai/onnx/operators/onnx__LSTM.html: X has the shape (seq_length, batch_size,
input_size), and nothing is said against a seq_length of 0; ``initial_h`` and ``initial_c`` are the
states before the first step. Where there is no step, they are also those after the last one, or the
input is refused. ONNX Runtime returns a Y_h of 0, and a Y_c of 0 or NaN, which differs from call to
call. Nothing warns.

Below: no steps of one row, whose states are 0.25 and 0.5.
"""

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

shapes = {"X": (0, 1, 1), "h": (1, 1, 1), "c": (1, 1, 1), "Y_h": (1, 1, 1), "Y_c": (1, 1, 1)}
infos = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in shapes.items()]
weights = [numpy_helper.from_array(np.ones((1, 4, 1), np.float32), name) for name in "WR"]
inputs, outputs = ["X", "W", "R", "", "", "h", "c"], ["", "Y_h", "Y_c"]
lstm = helper.make_node("LSTM", inputs, outputs, hidden_size=1)
graph = helper.make_graph([lstm], "lstm", infos[:3], infos[3:], weights)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
session = onnxruntime.InferenceSession(model.SerializeToString())
given = {"X": 0.0, "h": 0.25, "c": 0.5}
arrays = {name: np.full(shapes[name], value, np.float32) for name, value in given.items()}
Y_h, Y_c = (array.item() for array in session.run(None, arrays))
assert (Y_h, Y_c) == (0.25, 0.5), f"of states 0.25 and 0.5, no steps make {Y_h} and {Y_c}"
