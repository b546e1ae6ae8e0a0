"""OpenVINO 2026.4.1 on an x86 CPU, USE-25: without steps, LSTMSequence returns unset memory.

Documentation, docs.openvino.ai, operation set LSTMSequence-5: X has the shape [batch_size,
seq_length, input_size], and nothing is said against a seq_length of 0; ``initial_hidden_state`` and
``initial_cell_state`` are the states before the first step. Where there is no step, they are also
those after the last one, or the input is refused. With static shapes, it is. With dynamic shapes,
Ho and Co are what was in memory before, and they differ from call to call. Nothing warns.

Below: no steps of one row, whose states are 0.25 and 0.5.
"""

import numpy as np
import openvino
import openvino.opset15 as ops

given = [ops.parameter(shape, np.float32) for shape in ((-1, -1, 1), (-1, 1, 1), (-1, 1, 1))]
given.append(ops.parameter([-1], np.int32))
weights = [ops.constant(np.ones(shape, np.float32)) for shape in ((1, 4, 1), (1, 4, 1), (1, 4))]
lstm = ops.lstm_sequence(*given, *weights, 1, "forward")
model = openvino.Model([lstm.output(1), lstm.output(2)], given)
call = openvino.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
ones = np.ones((1, 1, 1), np.float32)
results = call([np.zeros((1, 0, 1), np.float32), 0.25 * ones, 0.5 * ones, np.zeros(1, np.int32)])
Ho, Co = (results[k].item() for k in range(2))
assert (Ho, Co) == (0.25, 0.5), f"of states 0.25 and 0.5, no steps make {Ho} and {Co}"
