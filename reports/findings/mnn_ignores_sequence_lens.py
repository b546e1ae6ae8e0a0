"""MNN 3.6.1 on x86, PACK-1: the LSTM of an ONNX model reads every row to its end.

Documentation, onnx.ai/onnx/operators/onnx__LSTM.html: the optional input ``sequence_lens`` has the
length of each sequence of the batch; ``Y_h`` and ``Y_c`` are the last output and the last cell
state. MNN converts ONNX models (mnn-docs.readthedocs.io, "about": ONNX is supported nearly as a
whole), and its documentation says nothing against this input. The converter prints that it is not
supported and that the result may be wrong, goes on, and reports success: the final states of a row
of two steps are those after all three, computed on through the padding. That it is not supported
is known: https://github.com/alibaba/MNN/issues/2731

The package onnx is needed to make the model.
"""

from tempfile import TemporaryDirectory

import _tools  # what the command mnnconvert calls
import MNN
import numpy as np
import onnx.parser

MODEL = """<ir_version: 10, opset_import: ["": 14]>
lstm (float[steps, rows, 1] X) => (float[1, rows, 1] Y_h)
<float[1, 4, 1] W = {1, 1, 1, 1}, float[1, 4, 1] R = {1, 1, 1, 1}, int32[1] lengths = {2}>
{ Y, Y_h, Y_c = LSTM <hidden_size = 1> (X, W, R, "", lengths) }"""

with TemporaryDirectory() as folder:
    onnx.save(onnx.parser.parse_model(MODEL), f"{folder}/lstm.onnx")
    files = ["--modelFile", f"{folder}/lstm.onnx", "--MNNModel", f"{folder}/lstm.mnn"]
    _tools.mnnconvert(["", "-f", "ONNX", *files])
    module = MNN.nn.load_module_from_file(f"{folder}/lstm.mnn", ["X"], ["Y_h"])
rows = [np.ones((steps, 1, 1), np.float32) for steps in (2, 3)]
given = [MNN.expr.const(row, list(row.shape), MNN.expr.NCHW) for row in rows]
of_two, padded = (np.array(module.forward([row])[0].read()).item() for row in given)
assert padded == of_two, f"Y_h is {padded:.4f}, of the two steps alone {of_two:.4f}"
