"""MindSpore 2.10.0 on a CPU, clause PACK-1; others that are judged with lengths come upon it.

The page "mindspore.nn.LSTM" has the hyperbolic tangent in its equations, and lengths by
seq_length. With lengths the layer is composed of operators, of which mindspore.ops.Tanh is a
quotient of two polynomials up to 5, and 1 from there on: in float32 it is wrong by up to 1e-4, more
than 800 times its spacing, decreases at 5, and exceeds 1. Without lengths another kernel is used,
which is right. Below, all weights are 10, and the one row is as long as its length says. Known:
https://github.com/mindspore-ai/mindspore/issues/348
"""

import mindspore
import numpy as np

lstm = mindspore.nn.LSTM(1, 1, has_bias=False)
for parameter in lstm.get_parameters():
    parameter.set_data(mindspore.ops.full_like(parameter, 10.0))
x = mindspore.Tensor(np.full((1, 1, 1), 0.49, np.float32))
gate = 1 / (1 + np.exp(-10 * np.float64(x.asnumpy().item())))
expected = gate * np.tanh(10 * np.float64(x.asnumpy().item()))
without = lstm(x)[1][1].asnumpy().item()
observed = lstm(x, None, mindspore.Tensor([1]))[1][1].asnumpy().item()
print("c_n", without, "with lengths", observed, "by the equations", expected)
print("tanh of 4.99", mindspore.ops.Tanh()(mindspore.Tensor(np.full(8, 4.99, np.float32)))[0])
assert np.isclose(without, expected, rtol=1e-6)
assert np.isclose(observed, expected, rtol=1e-6), f"{observed} is not {expected}"
