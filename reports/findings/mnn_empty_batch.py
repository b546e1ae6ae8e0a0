"""MNN 3.6.1 on x86, SHAPE-7: results of an LSTM for an empty batch cannot be read.

Documentation, onnx.ai/onnx/operators/onnx__LSTM.html: X has the shape (seq_length, batch_size,
input_size), and nothing is said against a batch_size of 0. MNN converts ONNX models
(mnn-docs.readthedocs.io, "about": shapes of inputs may change). The shape of Y_h is right, but to
read it raises a SystemError, as for every variable of MNN without elements.

The package onnx is needed to make the model.
"""

from tempfile import TemporaryDirectory

import _tools  # what the command mnnconvert calls
import MNN
import numpy as np
import onnx.parser

MODEL = """<ir_version: 10, opset_import: ["": 14]>
lstm (float[steps, rows, 1] X) => (float[1, rows, 1] Y_h)
<float[1, 4, 1] W = {1, 1, 1, 1}, float[1, 4, 1] R = {1, 1, 1, 1}>
{ Y, Y_h, Y_c = LSTM <hidden_size = 1> (X, W, R) }"""

with TemporaryDirectory() as folder:
    onnx.save(onnx.parser.parse_model(MODEL), f"{folder}/lstm.onnx")
    files = ["--modelFile", f"{folder}/lstm.onnx", "--MNNModel", f"{folder}/lstm.mnn"]
    _tools.mnnconvert(["", "-f", "ONNX", *files])
    module = MNN.nn.load_module_from_file(f"{folder}/lstm.mnn", ["X"], ["Y_h"])
x = MNN.expr.const(np.ones((2, 0, 1), np.float32), [2, 0, 1], MNN.expr.NCHW)
try:
    read = str(np.array(module.forward([x])[0].read()).shape)
except SystemError as error:
    read = f"{error}, {error.__cause__}"
assert read == "(1, 0, 1)", f"no shape (1, 0, 1) but: {read}"
