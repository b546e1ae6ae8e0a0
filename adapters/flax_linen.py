"""Flax, its older API: ``flax.linen.RNN`` of an LSTM cell, and ``flax.linen.Bidirectional``.

Documented at flax.readthedocs.io, api_reference/flax.linen/layers.html, "Recurrent". The equations
are those of torch, with one bias that cannot be left out. Steps are the first axis, or the axis
after those of the batch; there may be no batch. ``seq_lengths`` has the steps of each row, and the
final state is the one after its last step. The reverse direction reverses each row within its
length, and ``keep_order`` reverses its output back.
"""

from __future__ import annotations

from typing import Any

import flax
import jax.numpy as jnp
from flax import linen

from ..spec.case import Case
from .assembly import Weights, in_layers
from .function import Arrays
from .jax_function import FORMATS, JaxFunction

__all__ = ["flax_linen_lstm", "flax_linen_optimized_lstm", "flax_lstm", "gates"]

_CAPABILITIES = FORMATS | frozenset(
    {"layers", "bidirectional", "batch-first", "unbatched", "packed", "states"}
)


def flax_lstm(name: str, call: Any) -> JaxFunction:
    """All layers. ``call(weights, x, **options)`` returns the carry and the output of a layer."""

    def lstm(case: Case, arguments: Arrays) -> tuple[Any, Any, Any]:
        time_major = not case.config.batch_first

        def layer(x: Any, states: Any, weights: list[Weights], lengths: Any) -> Any:
            options: dict[str, object] = {"time_major": time_major, "return_carry": True}
            both = len(weights) == 2
            if states is not None:
                carries = [(c, h) for h, c in zip(*states, strict=True)]
                options["initial_carry"] = carries if both else carries[0]
            if lengths is not None:
                options["seq_lengths"] = jnp.asarray(lengths)
            carry, output = call(weights, x, **options)
            if lengths is not None:  # the page says that padding is not zeroed
                output = jnp.where(case.padding(), 0, output)
            c_n, h_n = zip(*(carry if both else (carry,)), strict=True)
            return output, jnp.stack(h_n), jnp.stack(c_n)

        return in_layers(layer, jnp)(case, arguments)

    return JaxFunction(name, flax.__version__, _CAPABILITIES, lstm)


def gates(weights: Weights) -> dict[str, Arrays]:
    """Parameters by flax's names: for gate i, ``ii`` has the kernel for x, ``hi`` the one for h."""
    stacked = weights.weight_ih, weights.weight_hh, weights.bias
    parameters = {}
    for gate, W_i, W_h, b in zip("ifgo", *(jnp.split(array, 4) for array in stacked), strict=True):
        parameters[f"i{gate}"] = {"kernel": W_i.T}
        parameters[f"h{gate}"] = {"kernel": W_h.T, "bias": b}
    return parameters


def _caller(cell: Any) -> Any:
    def call(weights: list[Weights], x: Any, **options: Any) -> Any:
        hidden_size = weights[0].weight_hh.shape[1]
        rnns = [linen.RNN(cell(hidden_size, param_dtype=x.dtype)) for _ in weights]
        parameters: Any = [{"cell": gates(direction_weights)} for direction_weights in weights]
        if len(weights) == 1:
            return rnns[0].apply({"params": parameters[0]}, x, **options)
        both = {"forward_rnn": parameters[0], "backward_rnn": parameters[1]}
        return linen.Bidirectional(*rnns).apply({"params": both}, x, **options)

    return call


def flax_linen_lstm() -> JaxFunction:
    """``RNN`` of ``LSTMCell``."""
    return flax_lstm("flax-linen", _caller(linen.LSTMCell))


def flax_linen_optimized_lstm() -> JaxFunction:
    """``RNN`` of ``OptimizedLSTMCell``, which multiplies by the kernels of all gates at once."""
    return flax_lstm("flax-linen-optimized", _caller(linen.OptimizedLSTMCell))
