"""Flax 0.12.8, nnx, PACK-8: NaN behind the end of a row makes all gradients NaN.

Documentation, flax.readthedocs.io: flax.nnx.RNN has the ``seq_lengths`` of ``flax.linen.RNN``,
where what stands behind the length of a row is padding, and is ignored. The final state is that
of the steps before it alone. Its gradients are NaN, those of the weights too: padding goes through
the cell as other steps do, and its derivatives are multiplied by the zero that comes back from
there. ``OptimizedLSTMCell`` does the same, and so does ``flax.linen``.
"""

import jax
import jax.numpy as jnp
from flax import nnx

rnn = nnx.RNN(nnx.LSTMCell(1, 1, rngs=nnx.Rngs(0)), return_carry=True)


def final_h(rnn: nnx.RNN, padding: float) -> jax.Array:
    (_, h), _ = rnn(jnp.array([[[1.0], [padding]]]), seq_lengths=jnp.array([1]))
    return h.sum()


gradients = [
    nnx.grad(final_h)(rnn, padding)["cell"]["ii"]["kernel"][...].item()
    for padding in (0.0, jnp.nan)
]
assert gradients[1] == gradients[0], f"{gradients[1]}, with a zero instead of NaN {gradients[0]}"
