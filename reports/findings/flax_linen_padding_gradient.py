"""Flax 0.12.8, linen, PACK-8: NaN behind the end of a row makes all gradients NaN.

Documentation, flax.readthedocs.io, flax.linen.RNN: with ``seq_lengths``, what stands behind the
length of a row is padding, and is ignored. The final state is that of the steps before it alone.
Its gradients are NaN, those of the weights too: padding goes through the cell as other steps do,
and its derivatives are multiplied by the zero that comes back from there. ``OptimizedLSTMCell``
does the same, and so does ``flax.nnx``.
"""

import jax
import jax.numpy as jnp
from flax import linen

rnn = linen.RNN(linen.LSTMCell(1), return_carry=True)
parameters = rnn.init(jax.random.key(0), jnp.ones((1, 2, 1)))


def final_h(parameters: dict, padding: float) -> jax.Array:
    (_, h), _ = rnn.apply(parameters, jnp.array([[[1.0], [padding]]]), seq_lengths=jnp.array([1]))
    return h.sum()


gradients = [
    jax.grad(final_h)(parameters, padding)["params"]["cell"]["ii"]["kernel"].item()
    for padding in (0.0, jnp.nan)
]
assert gradients[1] == gradients[0], f"{gradients[1]}, with a zero instead of NaN {gradients[0]}"
