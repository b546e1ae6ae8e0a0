"""PaddlePaddle 3.3.1 on a CPU, clause PACK-8.

The page "paddle.nn.LSTM" says that with sequence_length elements behind the end of a row are
treated as padding. NaN or an infinity there makes the final states of that row NaN: the padded
steps are computed too, and their states multiplied by zero.
"""

import numpy as np
import paddle

paddle.seed(0)
lstm = paddle.nn.LSTM(1, 2)
x = np.ones((1, 3, 1), np.float32)
_, (expected, _) = lstm(paddle.to_tensor(x), None, paddle.to_tensor([1]))
x[0, 1:] = np.nan  # padding: the row has one step
_, (observed, _) = lstm(paddle.to_tensor(x), None, paddle.to_tensor([1]))
expected, observed = expected.numpy().flatten(), observed.numpy().flatten()
print("h_n", expected, "with NaN in padding", observed)
assert (expected == observed).all(), f"{observed} is not {expected}"
