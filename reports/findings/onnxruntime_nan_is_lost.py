"""ONNX Runtime 1.32.0 on a CPU, EDGE-4: an LSTM with biases makes numbers of NaN.

Documentation, onnx.ai/onnx/operators/onnx__LSTM.html: each gate is a function of the sum of a bias
and of products with the input and the state before; with NaN in it the sum is NaN, and so is its
sigmoid or tanh. ONNX Runtime gives what it gives for a very large input. Without biases NaN stays.

Below: one step whose input is NaN, without biases, and with biases of zero.
"""

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

results = []
for names in ("WR", "WRB"):
    x = helper.make_tensor_value_info("X", TensorProto.FLOAT, (1, 1, 1))
    h = helper.make_tensor_value_info("Y_h", TensorProto.FLOAT, (1, 1, 1))
    values = {"W": np.ones((1, 4, 1)), "R": np.ones((1, 4, 1)), "B": np.zeros((1, 8))}
    weights = [numpy_helper.from_array(values[n].astype(np.float32), n) for n in names]
    lstm = helper.make_node("LSTM", ["X", *names], ["", "Y_h"], hidden_size=1)
    graph = helper.make_graph([lstm], "lstm", [x], [h], weights)
    opset = helper.make_opsetid("", 22)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    (output,) = session.run(None, {"X": np.full((1, 1, 1), np.nan, np.float32)})
    results.append(output.item())
assert np.isnan(results).all(), f"Y_h is {results[0]} without biases, {results[1]:.4f} with them"
