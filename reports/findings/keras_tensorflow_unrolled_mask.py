"""Keras 3.15.1 on TensorFlow, PACK-3: unrolled, ``Bidirectional`` blanks steps that are not masked.

Documentation, keras.io/api/layers/recurrent_layers: ``unroll`` is about speed and memory (lstm);
a step with True in the mask is used; ``Bidirectional`` makes the output of masked steps zero.
With ``unroll=True`` the reverse output, which still runs backwards, is blanked by the mask that
runs forwards: zeros in steps that are used, numbers in steps that are masked.
"""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
import keras

outputs = []
for unroll in (False, True):
    keras.utils.set_random_seed(0)
    lstm = keras.layers.LSTM(1, return_sequences=True, unroll=unroll)
    x, mask = keras.ops.ones((1, 3, 1)), keras.ops.convert_to_tensor([[True, True, False]])
    output = keras.layers.Bidirectional(lstm)(x, mask=mask)
    outputs.append([round(float(step), 4) for step in output[0, :, 1]])
assert outputs[1] == outputs[0], f"reverse output {outputs[1]}, not unrolled {outputs[0]}"
