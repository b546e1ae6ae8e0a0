"""A function over JAX arrays, judged by a script: python judge_jax_function.py"""

import jax
import jax.numpy as jnp

from lstm_conformance import check
from lstm_conformance.adapters.jax_function import JaxFunction


def lstm(case, arguments):
    """One layer, one direction, with biases. Returns output, h_n and c_n."""
    x, W_ih, W_hh = (arguments[name] for name in ("input", "weight_ih_l0", "weight_hh_l0"))
    zeros = jnp.zeros((1, x.shape[1], case.config.hidden_size), x.dtype)
    b = arguments["bias_ih_l0"] + arguments["bias_hh_l0"]

    def step(states, x_t):
        h, c = states
        i, f, g, o = jnp.split(x_t @ W_ih.T + h @ W_hh.T + b, 4, axis=1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    states = [arguments.get(name, zeros)[0] for name in ("h_0", "c_0")]
    (h, c), output = jax.lax.scan(step, tuple(states), x)
    return output, h[None], c[None]


judged = JaxFunction("my-jax-lstm", "1.0", frozenset({"states", "float32"}), lstm)
results = check(judged, profile="smoke", clauses=["STATE-2", "GRAD-10"], diagnosis=False)
results.raise_for_failures()
