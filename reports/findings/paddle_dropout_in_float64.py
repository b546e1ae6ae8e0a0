"""PaddlePaddle 3.3.1 on a CPU, clause DROP-5; DROP-6 builds on it.

The page "paddle.nn.LSTM" promises dropout with a probability p between layers, and that of
paddle.nn.Dropout says that what is kept is divided by 1 - p. The LSTM has p in float32 whatever
its own dtype: in float64 results are wrong from the 9th digit on. Below all parameters are 1, so
that the one unit of the second layer can be computed for both choices, dropped or kept.
"""

import numpy as np
import paddle


def layer(x: float) -> float:
    gate = 1 / (1 + np.exp(-x - 2))
    return gate * np.tanh(gate * np.tanh(x + 2))


paddle.seed(0)
paddle.set_default_dtype("float64")
lstm = paddle.nn.LSTM(1, 1, 2, dropout=0.1)
for parameter in lstm.parameters():
    parameter.set_value(paddle.ones(parameter.shape))
observed = lstm(paddle.ones([1, 1, 1]))[0].item()
dropped, kept = layer(0.0), layer(layer(1.0) / (1 - 0.1))
print("observed", observed, "if dropped", dropped, "if kept", kept)
assert np.isclose([dropped, kept], observed, rtol=1e-13, atol=0).any(), f"{observed} is not {kept}"
