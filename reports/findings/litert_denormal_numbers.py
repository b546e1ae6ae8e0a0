"""LiteRT 2.3.0 with TensorFlow 2.21.0 on an x86 CPU, EDGE-11: half of a denormal number is zero.

Documentation, developers.google.com/edge/litert: most operations are for float32, and nothing is
said against denormal numbers, which IEEE 754 has down to 1.4e-45. The interpreter leaves operations
to XNNPACK by default, which takes denormal numbers for zeros, and so in an LSTM. If parameters and
input of that are zeros, each gate is sigmoid(0): the cell state is halved at each step. Without
XNNPACK the result is right.

Below: the product of such a step, sigmoid(0) * c.
"""

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType

step = tf.function(lambda f, c: {"c": tf.sigmoid(f) * c})
concrete = step.get_concrete_function(*[tf.TensorSpec([1], tf.float32, name) for name in "fc"])
converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], tf.Module())
converted, c = converter.convert(), []
for resolver in (OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES, OpResolverType.AUTO):
    interpreter = Interpreter(model_content=converted, experimental_op_resolver_type=resolver)
    given = {"f": np.zeros(1, np.float32), "c": np.float32([1e-39])}
    c.append(interpreter.get_signature_runner()(**given)["c"].item())
assert c[0] == c[1], f"half of 1e-39 is {c[1]}, and {c[0]} without XNNPACK"
