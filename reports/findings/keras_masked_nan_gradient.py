"""Keras 3.15.1 on any backend, PACK-8: NaN in a masked step makes all gradients NaN.

Documentation, keras.io/api/layers/recurrent_layers: a step with False in the mask is ignored.
The output is that of the other steps alone. The gradients are NaN, those of the weights too: the
masked step is computed, and what it gives away is left out by ``where``, whose gradient for what
is left out is zero, times NaN. With and without ``unroll``; here on PyTorch.
"""

import os

os.environ["KERAS_BACKEND"] = "torch"
import keras

gradients = []
for padding in (0.0, float("nan")):
    keras.utils.set_random_seed(0)
    lstm = keras.layers.LSTM(1)
    x = keras.ops.convert_to_tensor([[[1.0], [padding]]])
    lstm(x, mask=keras.ops.convert_to_tensor([[True, False]])).sum().backward()
    gradients.append(lstm.trainable_variables[0].value.grad[0].tolist())
assert gradients[1] == gradients[0], f"{gradients[1]}, with a zero instead of NaN {gradients[0]}"
