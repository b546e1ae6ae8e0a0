"""Keras 3.15.1 on PyTorch, PACK-1: with a mask, a float64 LSTM multiplies matrices in float32.

Documentation, keras.io/api/layers/base_layer: ``dtype`` is that of the layer's computations and
weights. Without a mask it is so. With one, the layer goes through ``keras.ops.matmul``, which
rounds arguments of float64 to float32, and gives the product back as float64. Nothing warns.

Below: one step from zero states; only the gates i and o, and the candidate, have an effect.
"""

import os

os.environ["KERAS_BACKEND"] = "torch"
import keras
import numpy as np

lstm = keras.layers.LSTM(1, dtype="float64", kernel_initializer="ones")
x = np.full((1, 1, 1), 0.1)
gate = 1 / (1 + np.exp(-0.1))
expected = gate * np.tanh(gate * np.tanh(0.1))
masked, plain = (lstm(x, mask=mask).item() for mask in (np.full((1, 1), True), None))
assert abs(masked - expected) < 1e-15, f"{masked} with a mask of True, {plain} without one"
