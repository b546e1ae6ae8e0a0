"""Keras 3.15.1 on JAX, PACK-1: unrolled, ``Bidirectional`` gives numbers for masked steps.

Documentation, keras.io/api/layers/recurrent_layers: with sequences returned, ``Bidirectional``
makes the output of masked steps zero (bidirectional), as ``zero_output_for_mask`` does in any
layer (rnn); ``unroll`` is about speed and memory (lstm). With ``unroll=True`` this flag has no
effect: masked steps repeat the output before.
"""

import os

os.environ["KERAS_BACKEND"] = "jax"
import keras

outputs = []
for unroll in (False, True):
    keras.utils.set_random_seed(0)
    lstm = keras.layers.LSTM(1, return_sequences=True, unroll=unroll)
    x, mask = keras.ops.ones((1, 3, 1)), keras.ops.convert_to_tensor([[True, True, False]])
    output = keras.layers.Bidirectional(lstm)(x, mask=mask)
    outputs.append([round(float(step), 4) for step in output[0, :, 0]])
assert outputs[1] == outputs[0], f"unrolled {outputs[1]}, not unrolled {outputs[0]}"
