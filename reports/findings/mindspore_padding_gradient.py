"""MindSpore 2.10.0 on a CPU, clause PACK-8.

The page "mindspore.nn.LSTM" says that with seq_length padded elements are not used. NaN or an
infinity there leaves all results as they are, but makes gradients NaN, those of the weights and of
the elements that are no padding too: the padded steps are computed and then not selected, and on
the way back zero is multiplied by NaN.
"""

import mindspore
import numpy as np

mindspore.set_seed(0)
lstm = mindspore.nn.LSTM(1, 2)
lengths, x = mindspore.Tensor([1]), np.ones((3, 1, 1), np.float32)
gradient = mindspore.value_and_grad(lambda x: lstm(x, None, lengths)[1][0].sum())
results = []
for padding in (0, np.nan):
    x[1:] = padding  # the row has one step
    value, x_grad = gradient(mindspore.Tensor(x))
    results.append((value.asnumpy().item(), x_grad.asnumpy().flatten()))
    print("padding", padding, "sum of h_n", results[-1][0], "gradient of the input", results[-1][1])
(value, expected), (value_beside_nan, observed) = results
assert value == value_beside_nan
assert (observed == expected).all(), f"{observed} is not {expected}"
