"""PaddlePaddle 3.3.1 on a CPU, clause EDGE-7; EDGE-6 breaks by the same multiplication.

By the equations of "paddle.nn.LSTM" an infinite c_0 stays infinite. It does without lengths. If
any row is shorter than another, all rows become NaN, those too that have no padding: new and old
states are blended by multiplication with 1 and 0, and infinity times 0 is NaN.
"""

import numpy as np
import paddle

paddle.seed(0)
lstm = paddle.nn.LSTM(1, 2)
x, h_0, c_0 = paddle.ones([2, 3, 1]), paddle.zeros([1, 2, 2]), paddle.full([1, 2, 2], np.inf)
_, (_, expected) = lstm(x, (h_0, c_0))
_, (_, observed) = lstm(x, (h_0, c_0), paddle.to_tensor([3, 1]))
expected, observed = expected.numpy()[0], observed.numpy()[0]
print("c_n\n", expected, "\nwith lengths 3 and 1\n", observed)
assert np.array_equal(expected, observed), f"{observed[0]} is not {expected[0]}"
