"""LiteRT 2.3.0 with TensorFlow 2.21.0 on an x86 CPU, EDGE-8: a huge input of an LSTM gives NaN.

Documentation, developers.google.com/edge/litert/conversion/tensorflow/rnn: LSTMs of Keras (here
3.15.1) are converted. Their gates are sigmoid of a sum, which is 1 for every large number. The
interpreter leaves them to XNNPACK by default, which computes NaN of numbers from 2**91 on, about
2.5e27. Without XNNPACK the result is right. That XNNPACK does so is known:
https://github.com/tensorflow/tensorflow/pull/119354

Below: a step with ones as weights, so that h = tanh(1).
"""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType

x = keras.Input(batch_shape=(1, 1, 1), name="x")
model = keras.Model(x, keras.layers.LSTM(1, use_bias=False, kernel_initializer="ones")(x))
converted, h = tf.lite.TFLiteConverter.from_keras_model(model).convert(), []
for resolver in (OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES, OpResolverType.AUTO):
    interpreter = Interpreter(model_content=converted, experimental_op_resolver_type=resolver)
    [result] = interpreter.get_signature_runner()(x=np.float32([[[1e30]]])).values()
    h.append(result.item())
assert h[0] == h[1], f"h is {h[1]}, and {h[0]:.4f} without XNNPACK"
