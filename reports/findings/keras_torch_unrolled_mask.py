"""Keras 3.15.1 on PyTorch, PACK-3: unrolled and with a mask, ``Bidirectional`` raises an error.

Documentation, keras.io/api/layers/recurrent_layers: ``unroll`` is about speed and memory (lstm),
and masks are supported (rnn, bidirectional). With ``unroll=True`` the reverse direction tries to
flip a tuple of masks as if it were a tensor: AttributeError. Unmasked steps would follow, blanked
as on TensorFlow (keras_tensorflow_unrolled_mask.py).
"""

import os

os.environ["KERAS_BACKEND"] = "torch"
import keras

outputs = []
for unroll in (False, True):
    keras.utils.set_random_seed(0)
    lstm = keras.layers.LSTM(1, return_sequences=True, unroll=unroll)
    x, mask = keras.ops.ones((1, 3, 1)), keras.ops.convert_to_tensor([[True, True, False]])
    try:
        output = keras.layers.Bidirectional(lstm)(x, mask=mask)
        outputs.append([round(float(step), 4) for step in output[0, :, 1].detach()])
    except AttributeError as error:
        outputs.append(str(error).splitlines()[2])
assert outputs[1] == outputs[0], f"unrolled: {outputs[1]}; not unrolled: {outputs[0]}"
