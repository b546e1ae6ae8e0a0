"""JAX 0.10.2, jax.experimental.rnn.lstm_ref, PACK-8: NaN behind the end of a row spoils gradients.

Documentation, the docstrings of jax.experimental.rnn: ``lstm_ref`` is a reference for the LSTM
that ``torch.nn.LSTM`` documents, and takes ``seq_lengths``, a length for each row. The final state
is that of the steps before it alone, and the output behind it is zero. All gradients are NaN, those
of the weights too: padding goes through the equations as other steps do, and its derivatives are
multiplied by the zero that comes back from there.
"""

import jax
import jax.numpy as jnp
from jax.experimental import rnn

W, b, zeros = {0: jnp.full((4, 1), 0.5)}, {0: jnp.zeros(4)}, jnp.zeros((1, 1, 1))


def final_h(W: dict, padding: float) -> jax.Array:
    x, lengths = jnp.array([[[1.0], [padding]]]), jnp.array([1], "int32")
    _, h_n, _ = rnn.lstm_ref(x, zeros, zeros, W, W, b, b, lengths, 1, 1, 1, 0.0, False)
    return h_n.sum()


gradients = [jax.grad(final_h)(W, padding)[0][0].item() for padding in (0.0, jnp.nan)]
assert gradients[1] == gradients[0], f"{gradients[1]}, with a zero instead of NaN {gradients[0]}"
