"""OpenVINO 2026.4.1 on a CPU, PACK-1: with dynamic shapes, ``LSTMSequence`` ignores the lengths.

Documentation, docs.openvino.ai, LSTMSequence-5: the input ``sequence_lengths`` has the real length
of each row; ``Ho`` is the last value of the hidden state. Where the shapes are static, it is. With
a batch or a time axis that is left open, every row is read to the end of the padding, whether the
lengths are an input or a constant. Nothing warns.
"""

import numpy as np
import openvino
import openvino.opset15 as ops

results = []
for batch in (1, -1):
    x = ops.parameter([batch, 3, 1], np.float32)
    states = [ops.parameter([batch, 1, 1], np.float32) for _ in range(2)]
    lengths = ops.parameter([batch], np.int32)
    weights = [ops.constant(np.ones(shape, np.float32)) for shape in ((1, 4, 1), (1, 4, 1), (1, 4))]
    lstm = ops.lstm_sequence(x, *states, lengths, *weights, 1, "forward")
    model = openvino.Model([lstm.output(1)], [x, *states, lengths])
    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    zeros = np.zeros((1, 1, 1), np.float32)
    outputs = compiled([np.ones((1, 3, 1), np.float32), zeros, zeros, np.array([2], np.int32)])
    results.append(outputs[0].item())
static, dynamic = results
assert abs(dynamic - static) < 1e-6, f"Ho is {dynamic:.4f}, with static shapes {static:.4f}"
