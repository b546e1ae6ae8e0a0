"""MindSpore 2.10.0 on a CPU, clause DTYPE-5.

The page "mindspore.nn.LSTM" allows input and states of float16, "mindspore.value_and_grad" promises
gradients of a cell. In float16, without lengths, results are right, but gradients are zeros, or, at
some calls, other numbers. Below, if it is right, the gradient of the input is that of float32 but
for rounding.
"""

import mindspore
import numpy as np

mindspore.set_seed(0)
lstm = mindspore.nn.LSTM(3, 4)
x = np.random.uniform(-1, 1, (5, 2, 3))
gradient = mindspore.value_and_grad(lambda x: lstm(x)[0].sum())
results = {}
for dtype in (np.float32, np.float16, np.float16):
    value, x_grad = gradient(mindspore.Tensor(x.astype(dtype)))
    results[dtype] = value.asnumpy().item(), x_grad.asnumpy()
    print(dtype.__name__, "sum", results[dtype][0], "gradient", results[dtype][1][0, 0])
(expected_sum, expected), (observed_sum, observed) = results.values()
assert np.isclose(observed_sum, expected_sum, atol=0.02)
assert np.allclose(observed, expected, atol=0.02), f"{observed[0, 0]} is not {expected[0, 0]}"
