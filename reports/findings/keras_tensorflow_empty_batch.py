"""Keras 3.15.1 on TensorFlow, SHAPE-7: an LSTM raises an exception for an empty batch.

Documentation, keras.io/api/layers/recurrent_layers/lstm: ``inputs`` is a tensor of the shape
(batch, timesteps, feature), and nothing is said against a batch of 0. In ``keras.ops.add`` a second
tensor of the shape (0, 4 * units) is taken for a bias, which TensorFlow refuses. Keras on JAX and
on PyTorch returns empty results.
"""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
import keras

lstm = keras.layers.LSTM(2)
try:
    seen = tuple(lstm(keras.ops.zeros((0, 3, 1))).shape)
except Exception as error:
    seen = str(error)
assert seen == (0, 2), seen
