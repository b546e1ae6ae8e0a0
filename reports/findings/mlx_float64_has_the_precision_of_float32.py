"""MLX 0.32.4 on a CPU, clause DTYPE-3.

The page "Data Types" of MLX lists float64 as a double of 8 bytes, for the CPU. mx.exp and
mx.sigmoid give float64 arrays, but compute them with an approximation made for float32: they are
right to 7 digits, and exp(100) is infinite. Every gate of nn.LSTM in float64 is wrong in the 8th
digit. Known: https://github.com/ml-explore/mlx/issues/3047
"""

import mlx.core as mx
import mlx.nn as nn
import numpy as np

lstm = nn.LSTM(1, 1)
lstm.Wx, lstm.Wh = mx.ones((4, 1), mx.float64), mx.ones((4, 1), mx.float64)
lstm.bias = mx.zeros((4,), mx.float64)
h, c = lstm(mx.ones((1, 1), mx.float64))
sigmoid = 1 / (1 + np.exp(-1.0))
expected = sigmoid * np.tanh(1.0)
observed = np.asarray(c).item()
print("c_1", observed, "expected", expected)
print("exp(100)", mx.exp(mx.array(100.0, mx.float64)).item(), "expected", np.exp(100.0))
assert c.dtype == mx.float64
assert abs(observed - expected) < 1e-14, f"{observed} is not {expected}"
