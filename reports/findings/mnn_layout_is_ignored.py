"""MNN 3.6.1, SHAPE-5: of an LSTM in an ONNX model, ``layout=1`` is ignored.

Documentation, onnx.ai/onnx/operators/onnx__LSTM.html: with ``layout=1`` the rows are the first axis
of X, Y, Y_h and Y_c. MNN converts ONNX models (mnn-docs.readthedocs.io, "about": ONNX is supported
nearly as a whole). It takes this one without a word, and the rows for steps. Where the rest of the
graph counts on the right shapes, it is converted all the same, and gives no results when it is run.

The package onnx is needed to make the model.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import _tools  # what the command mnnconvert calls
import MNN
import numpy as np
from onnx import TensorProto, helper, numpy_helper

x = helper.make_tensor_value_info("X", TensorProto.FLOAT, (2, 3, 1))  # two rows of three steps
y = helper.make_tensor_value_info("Y_h", TensorProto.FLOAT, None)
weights = [numpy_helper.from_array(np.ones((1, 4, 1), np.float32), name) for name in "WR"]
lstm = helper.make_node("LSTM", ["X", "W", "R"], ["Y", "Y_h", "Y_c"], hidden_size=1, layout=1)
graph = helper.make_graph([lstm], "lstm", [x], [y], weights)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=10)
with TemporaryDirectory() as folder:
    onnx, mnn = f"{folder}/lstm.onnx", f"{folder}/lstm.mnn"
    Path(onnx).write_bytes(model.SerializeToString())
    _tools.mnnconvert(["", "-f", "ONNX", "--modelFile", onnx, "--MNNModel", mnn])
    module = MNN.nn.load_module_from_file(mnn, ["X"], ["Y_h"])
given = MNN.expr.const(np.ones((2, 3, 1), np.float32), [2, 3, 1], MNN.expr.NCHW)
shape = tuple(module.forward([given])[0].shape)
assert shape == (2, 1, 1), f"the shape of Y_h is {shape}, not (2, 1, 1)"
