"""MNN 3.6.1 on x86, USE-25: the LSTM of an ONNX model ends the process on an input without steps.

Documentation, onnx.ai/onnx/operators/onnx__LSTM.html: X has the shape (seq_length, batch_size,
input_size), and nothing is said against a seq_length of 0. MNN converts ONNX models
(mnn-docs.readthedocs.io, "about": shapes of inputs may change). With no steps, a segmentation fault
ends the process, so that no exception can be caught. With one step it works.

The package onnx is needed to make the model.
"""

import multiprocessing
from tempfile import TemporaryDirectory

import _tools  # what the command mnnconvert calls
import MNN
import onnx.parser

MODEL = """<ir_version: 10, opset_import: ["": 14]>
lstm (float[steps, rows, 1] X) => (float[1, rows, 1] Y_h)
<float[1, 4, 1] W = {1, 1, 1, 1}, float[1, 4, 1] R = {1, 1, 1, 1}>
{ Y, Y_h, Y_c = LSTM <hidden_size = 1> (X, W, R) }"""


def run() -> None:
    with TemporaryDirectory() as folder:
        onnx.save(onnx.parser.parse_model(MODEL), f"{folder}/lstm.onnx")
        files = ["--modelFile", f"{folder}/lstm.onnx", "--MNNModel", f"{folder}/lstm.mnn"]
        _tools.mnnconvert(["", "-f", "ONNX", *files])
        module = MNN.nn.load_module_from_file(f"{folder}/lstm.mnn", ["X"], ["Y_h"])
    module.forward([MNN.expr.const([], [0, 1, 1], MNN.expr.NCHW)])[0].read()


process = multiprocessing.get_context("fork").Process(target=run)
process.start()
process.join()
assert process.exitcode in (0, 1), f"a signal ended the process: {process.exitcode}"
