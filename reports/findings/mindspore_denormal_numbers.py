"""MindSpore 2.10.0 on a CPU, clause EDGE-11: in two rows, half of a denormal number is zero.

By the equations of "mindspore.nn.LSTM" the cell state is halved at each step, if parameters and
input are zeros. A denormal one, which float32 has down to 1.4e-45, is halved in a single row, and
becomes zero in two.
"""

import mindspore
import numpy as np

lstm = mindspore.nn.LSTM(1, 1)
for parameter in lstm.get_parameters():
    parameter.set_data(mindspore.ops.zeros_like(parameter))
halves = {}
for rows in (1, 2):
    zeros = mindspore.ops.zeros((1, rows, 1), mindspore.float32)
    c_0 = mindspore.Tensor(np.full((1, rows, 1), 1e-39, np.float32))
    halves[rows] = lstm(zeros, (zeros, c_0))[1][1].asnumpy().flatten()
    print(rows, "rows: half of 1e-39 is", halves[rows])
assert (halves[2] == halves[1]).all(), f"{halves[2]} is not {halves[1]}"
