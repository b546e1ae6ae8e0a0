"""A function over JAX arrays. JAX adds gradients, forward mode and double backward.

lstm-conformance check examples/python/jax_function.py:LSTM
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from lstm_conformance.adapters.jax_function import JaxFunction
from lstm_conformance.spec.case import Case

Array = jax.Array


def lstm(case: Case, arguments: dict[str, Array]) -> tuple[Array, Array, Array]:
    """One layer, one direction. Returns output, h_n and c_n."""
    x = arguments["input"]  # (steps, rows, input_size)
    W_ih, W_hh = arguments["weight_ih_l0"], arguments["weight_hh_l0"]
    b = arguments["bias_ih_l0"] + arguments["bias_hh_l0"] if case.config.bias else 0

    def step(states: tuple[Array, Array], x_t: Array) -> tuple[tuple[Array, Array], Array]:
        h, c = states
        i, f, g, o = jnp.split(x_t @ W_ih.T + h @ W_hh.T + b, 4, axis=1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    if case.states:
        states = arguments["h_0"][0], arguments["c_0"][0]
    else:
        zeros = jnp.zeros((x.shape[1], case.config.hidden_size), x.dtype)
        states = zeros, zeros
    (h, c), output = jax.lax.scan(step, states, x)
    return output, h[None], c[None]


LSTM = JaxFunction(
    "my-jax-lstm", "1.0", frozenset({"no-bias", "states", "float64", "float32"}), lstm
)
