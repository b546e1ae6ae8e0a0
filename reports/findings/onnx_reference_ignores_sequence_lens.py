"""onnx.reference 1.23.2, PACK-1: the LSTM of ``ReferenceEvaluator`` reads every row to its end.

Documentation, onnx.ai/onnx/operators/onnx__LSTM.html: the optional input ``sequence_lens`` has the
length of each sequence of the batch; ``Y_h`` and ``Y_c`` are the last output and the last cell
state. The evaluator takes the input and does not use it: the final states of a row of two steps are
those after all three, computed on through the padding.
"""

import numpy as np
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

shapes = {"X": (3, 1, 1), "W": (1, 4, 1), "R": (1, 4, 1), "lengths": (1,)}
inputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in shapes.items()]
inputs[-1] = helper.make_tensor_value_info("lengths", TensorProto.INT32, (1,))
output = helper.make_tensor_value_info("Y_h", TensorProto.FLOAT, (1, 1, 1))
node = helper.make_node("LSTM", ["X", "W", "R", "", "lengths"], ["", "Y_h"], hidden_size=1)
lstm = ReferenceEvaluator(helper.make_model(helper.make_graph([node], "", inputs, [output])))

ones = {name: np.ones(shapes[name], np.float32) for name in "XWR"}
(of_two,) = lstm.run(None, {**ones, "X": ones["X"][:2], "lengths": np.array([2], np.int32)})
(padded,) = lstm.run(None, {**ones, "lengths": np.array([2], np.int32)})
assert padded == of_two, f"Y_h is {padded.item():.4f}, of the two steps alone {of_two.item():.4f}"
