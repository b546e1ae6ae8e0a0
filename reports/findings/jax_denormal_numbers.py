"""JAX 0.10.2 on a CPU, clause EDGE-11: half of a denormal number is zero.

By the equations of an LSTM the cell state is halved at each step, if parameters and input are
zeros: the forget gate is sigmoid(0). IEEE 754 has numbers down to 5e-324 in float64 and 1.4e-45 in
float32. JAX stores them and returns them, but XLA lets the processor take them for zeros in each
operation. Therefore it happens in every LSTM that JAX computes: those of Flax, Haiku, Equinox and
Keras as well. float16 has all its numbers, since its operations are those of float32.

JAX intends it: https://github.com/jax-ml/jax/issues/16200
"""

import jax
import numpy as np

jax.config.update("jax_enable_x64", True)
halves = {}
for c_0 in (np.float32(1e-39), np.float64(1e-310)):
    halves[c_0 / 2] = jax.jit(lambda c: jax.nn.sigmoid(0 * c) * c)(c_0).item()
    print("half of", c_0, "in", c_0.dtype, "is", halves[c_0 / 2])
assert all(half == right for right, half in halves.items()), halves
