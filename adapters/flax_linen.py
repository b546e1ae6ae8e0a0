"""Flax, its older API: ``flax.linen.RNN`` of an LSTM cell, and ``flax.linen.Bidirectional``.

Documented at flax.readthedocs.io, api_reference/flax.linen/layers.html, "Recurrent": torch's
equations with one bias, that cannot be left out; time on the first axis or behind those of the
batch, of which there may be none; ``seq_lengths`` tells the steps of each row, and the final state
is that of the last one; the reverse direction turns each row around within its own length, and
``keep_order`` turns its output back.
"""

from __future__ import annotations

from typing import Any

import flax
import jax.numpy as jnp
from flax import linen

from ..spec.case import Case
from .assembly import Weights, in_layers
from .function import Arrays, padding
from .jax_function import FORMATS, JaxFunction

__all__ = ["flax_linen_lstm", "flax_linen_optimized_lstm", "flax_lstm", "gates"]

_CAPABILITIES = FORMATS | frozenset(
    {"layers", "bidirectional", "batch-first", "unbatched", "packed", "states"}
)


def flax_lstm(name: str, call: Any) -> JaxFunction:
    """Layers of flax: ``call(weights, x, **options)`` gives the carry and the output of one."""

    def lstm(case: Case, arguments: Arrays) -> tuple[Any, Any, Any]:
        time_major = not case.config.batch_first

        def layer(x: Any, states: Any, weights: list[Weights], lengths: Any) -> Any:
            options: dict[str, Any] = {"time_major": time_major, "return_carry": True}
            both = len(weights) == 2
            if states is not None:
                carries = [(c, h) for h, c in zip(*states, strict=True)]
                options["initial_carry"] = carries if both else carries[0]
            if lengths is not None:
                options["seq_lengths"] = jnp.asarray(lengths)
            carry, output = call(weights, x, **options)
            if lengths is not None:  # documented as not zeroed
                output = jnp.where(padding(case), 0, output)
            c_n, h_n = zip(*(carry if both else (carry,)), strict=True)
            return output, jnp.stack(h_n), jnp.stack(c_n)

        return in_layers(layer, jnp)(case, arguments)

    return JaxFunction(name, flax.__version__, _CAPABILITIES, lstm)


def gates(weights: Weights) -> dict[str, dict[str, Any]]:
    """Parameters by flax's names: of gate i, ``ii`` has the kernel for x, ``hi`` that for h."""
    wholes = weights.weight_ih, weights.weight_hh, weights.bias
    parameters = {}
    for gate, W_i, W_h, b in zip("ifgo", *(jnp.split(whole, 4) for whole in wholes), strict=True):
        parameters[f"i{gate}"] = {"kernel": W_i.T}
        parameters[f"h{gate}"] = {"kernel": W_h.T, "bias": b}
    return parameters


def _caller(cell: Any) -> Any:
    def call(weights: list[Weights], x: Any, **options: Any) -> Any:
        hidden_size = weights[0].weight_hh.shape[1]
        rnns = [linen.RNN(cell(hidden_size, param_dtype=x.dtype)) for _ in weights]
        own: Any = [{"cell": gates(of_direction)} for of_direction in weights]
        if len(weights) == 1:
            return rnns[0].apply({"params": own[0]}, x, **options)
        parameters = {"forward_rnn": own[0], "backward_rnn": own[1]}
        return linen.Bidirectional(*rnns).apply({"params": parameters}, x, **options)

    return call


def flax_linen_lstm() -> JaxFunction:
    """With ``LSTMCell``."""
    return flax_lstm("flax-linen", _caller(linen.LSTMCell))


def flax_linen_optimized_lstm() -> JaxFunction:
    """With ``OptimizedLSTMCell``, which multiplies by the kernels of all gates at once."""
    return flax_lstm("flax-linen-optimized", _caller(linen.OptimizedLSTMCell))
