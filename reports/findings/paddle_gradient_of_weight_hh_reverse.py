"""PaddlePaddle 3.3.1 on a CPU, clause PACK-10; PACK-6, PACK-7, EDGE-12 and EDGE-14 come upon it.

The page "paddle.nn.LSTM" promises rows of unequal length by sequence_length, both directions, and
initial states. All three together give right results, but a wrong gradient of weight_hh of the
reverse direction: in a row that is followed by padding, the step that starts from h_0 is counted
without it. Below, a row of two steps is given as it is, and with two steps of padding: h_n is the
same, the gradient is not. Finite differences agree to the one without padding.
"""

import numpy as np
import paddle

paddle.seed(0)
paddle.set_default_dtype("float64")
lstm = paddle.nn.LSTM(1, 1, direction="bidirect", time_major=True)
weight = lstm[0].cell_bw.weight_hh
x, h_0, c_0 = (paddle.randn(shape) for shape in ([4, 1, 1], [2, 1, 1], [2, 1, 1]))
x.stop_gradient = h_0.stop_gradient = c_0.stop_gradient = False
results = []
for steps in (2, 4):
    lstm.clear_gradients()
    _, (h_n, c_n) = lstm(x[:steps], (h_0, c_0), paddle.to_tensor([2]))
    h_n.sum().backward()
    results.append((h_n.numpy().flatten(), weight.grad.numpy().flatten()))
(h_n, expected), (h_n_padded, observed) = results
print("h_n", h_n, "with padding", h_n_padded)
print("gradient", expected, "with padding", observed)
assert np.allclose(h_n, h_n_padded, rtol=1e-12)
assert np.allclose(expected, observed, rtol=1e-9), f"{observed} is not {expected}"
