"""MNN 3.6.1 on x86, EDGE-4: an LSTM makes numbers of NaN.

Documentation, onnx.ai/onnx/operators/onnx__LSTM.html, models of which MNN converts: each gate is a
function of the sum of products with the input and the state before; with NaN in it the sum is NaN,
and so is its sigmoid or tanh. MNN multiplies by a convolution, whose results are kept between the
smallest and the largest number of float32: NaN becomes one of these. It would not survive the next
operation either: of NaN, sigmoid and tanh of MNN are 1.

Below: three steps, the second of which is NaN: h_2 is 0, h_3 what the first of a sequence gives.
The package onnx is needed to make the model.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import _tools  # what the command mnnconvert calls
import MNN
import numpy as np
from onnx import TensorProto, helper, numpy_helper

x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in "XY")
weights = [numpy_helper.from_array(np.ones((1, 4, 1), np.float32), name) for name in "WR"]
lstm = helper.make_node("LSTM", ["X", "W", "R"], ["Y", "Y_h", "Y_c"], hidden_size=1)
graph = helper.make_graph([lstm], "lstm", [x], [y], weights)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=10)
with TemporaryDirectory() as folder:
    onnx, mnn = f"{folder}/lstm.onnx", f"{folder}/lstm.mnn"
    Path(onnx).write_bytes(model.SerializeToString())
    _tools.mnnconvert(["", "-f", "ONNX", "--modelFile", onnx, "--MNNModel", mnn])
    precision = MNN.expr.PrecisionMode.High
    module = MNN.nn.load_module_from_file(mnn, ["X"], ["Y"], precision_mode=precision)
given = MNN.expr.const(np.array([1, np.nan, 1], np.float32), [3, 1, 1], MNN.expr.NCHW)
output = np.array(module.forward([given])[0].read()).ravel()
assert np.isnan(output[1:]).all(), f"after NaN in the second of three steps, Y is {output}"
