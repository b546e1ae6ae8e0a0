"""PaddlePaddle 3.3.1 on a CPU, SHAPE-7: an LSTM raises an error for an empty batch.

The page "paddle.nn.LSTM" gives the shape of the input, (batch_size, time_steps, input_size), and
says nothing against a batch_size of 0. A cell, and an LSTM with a projection, return empty results
for it. Other LSTMs use a kernel that raises "Tensor holds no memory. Call Tensor::mutable_data
firstly." (RuntimeError). Without biases the process ends, as for every input.
"""

import paddle

x = paddle.zeros([0, 3, 1])  # no rows of three steps
print("a cell:", paddle.nn.LSTMCell(1, 2)(x[:, 0])[0].shape)
print("with a projection:", paddle.nn.LSTM(1, 2, proj_size=1)(x)[0].shape)
try:
    result = str(paddle.nn.LSTM(1, 2)(x)[0].shape)
except RuntimeError as error:
    result = str(error).strip().splitlines()[0]
assert "[0, 3, 2]" in result, f"no shape [0, 3, 2] but: {result}"
