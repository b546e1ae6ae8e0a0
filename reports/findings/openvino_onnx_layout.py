"""OpenVINO 2026.4.1, SHAPE-5: of an LSTM in an ONNX model, ``layout=1`` is ignored.

Documentation, onnx.ai/onnx/operators/onnx__LSTM.html: with ``layout=1`` the rows are the first axis
of X, Y, Y_h and Y_c. OpenVINO reads ONNX models (docs.openvino.ai, "Convert from ONNX"). It takes
this one without a word, and the rows for steps. Where the rest of the graph counts on the right
shapes, the process may end: double free. https://github.com/openvinotoolkit/openvino/issues/37820

The package onnx is needed to make the model.
"""

import numpy as np
import openvino
from onnx import TensorProto, helper, numpy_helper

x = helper.make_tensor_value_info("X", TensorProto.FLOAT, (2, 3, 1))  # two rows of three steps
y = helper.make_tensor_value_info("Y_h", TensorProto.FLOAT, None)
weights = [numpy_helper.from_array(np.ones((1, 4, 1), np.float32), name) for name in "WR"]
lstm = helper.make_node("LSTM", ["X", "W", "R"], ["", "Y_h"], hidden_size=1, layout=1)
opset = helper.make_opsetid("", 14)
model = helper.make_model(
    helper.make_graph([lstm], "lstm", [x], [y], weights), opset_imports=[opset]
)

compiled = openvino.compile_model(openvino.Core().read_model(model.SerializeToString()), "CPU")
(shape,) = (result.shape for result in compiled(np.ones((2, 3, 1), np.float32)).values())
assert shape == (2, 1, 1), f"the shape of Y_h is {shape}, not (2, 1, 1)"
