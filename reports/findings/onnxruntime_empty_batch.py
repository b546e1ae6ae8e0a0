"""ONNX Runtime 1.32.0 on a CPU, SHAPE-7: an LSTM ends the process on an empty batch.

Documentation, onnx.ai/onnx/operators/onnx__LSTM.html: X has the shape (seq_length, batch_size,
input_size), and nothing is said against a batch_size of 0. A batch may be empty where rows are
selected first, such as objects that were detected. With no rows the LSTM calls std::terminate
(SIGABRT, "terminate called without an active exception"), also with a single thread. No exception
can be caught.

Below: two steps of one row, and of no rows.
"""

import multiprocessing

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

x = helper.make_tensor_value_info("X", TensorProto.FLOAT, (2, "rows", 1))
h = helper.make_tensor_value_info("Y_h", TensorProto.FLOAT, (1, "rows", 1))
weights = [numpy_helper.from_array(np.ones((1, 4, 1), np.float32), name) for name in "WR"]
lstm = helper.make_node("LSTM", ["X", "W", "R"], ["", "Y_h"], hidden_size=1)
graph = helper.make_graph([lstm], "lstm", [x], [h], weights)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)


def run(rows: int) -> None:
    session = onnxruntime.InferenceSession(model.SerializeToString())
    print(rows, "rows:", session.run(None, {"X": np.ones((2, rows, 1), np.float32)})[0].shape)


statuses = []
for rows in (1, 0):
    process = multiprocessing.get_context("fork").Process(target=run, args=(rows,))
    process.start()
    process.join()
    statuses.append(process.exitcode)
assert statuses == [0, 0], f"exit statuses of one row and of no rows are {statuses}, not 0"
