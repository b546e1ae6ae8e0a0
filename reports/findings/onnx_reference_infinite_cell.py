"""onnx.reference 1.23.2, EDGE-7: the LSTM of ``ReferenceEvaluator`` gives NaN for an infinite cell.

Documentation, onnx.ai/onnx/operators/onnx__LSTM.html: the peepholes ``P`` are optional, and assumed
to be 0 where they are not given; ``Ht = ot (.) h(Ct)``; the tanh of infinity is 1. The evaluator
takes that literally, and multiplies the cell state by zeros: zero times infinity is NaN, in every
gate. An LSTM without peepholes, as other runtimes of ONNX have it, has no such product.
"""

import numpy as np
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

shapes = {"X": (1, 1, 1), "W": (1, 4, 1), "R": (1, 4, 1), "h": (1, 1, 1), "c": (1, 1, 1)}
inputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in shapes.items()]
output = helper.make_tensor_value_info("Y_h", TensorProto.FLOAT, (1, 1, 1))
node = helper.make_node("LSTM", ["X", "W", "R", "", "", "h", "c"], ["", "Y_h"], hidden_size=1)
lstm = ReferenceEvaluator(helper.make_model(helper.make_graph([node], "", inputs, [output])))

values = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
values["c"][:] = np.inf
with np.errstate(invalid="ignore"):
    (h,) = lstm.run(None, values)
assert h == 0.5, f"Y_h is {h.item()}, not 0.5: the output gate is the sigmoid of 0"
