"""Flax, its newer API: ``flax.nnx.RNN`` of an LSTM cell, and ``flax.nnx.Bidirectional``.

Documented at flax.readthedocs.io, api_reference/flax.nnx/nn/recurrent.html, in the same way as
:mod:`.flax_linen`. Only ``OptimizedLSTMCell`` is different: it has one kernel for all gates.
"""

from __future__ import annotations

from typing import Any

from flax import nnx

from .assembly import Weights
from .flax_linen import flax_lstm, gates
from .function import Arrays
from .jax_function import JaxFunction

__all__ = ["flax_nnx_lstm", "flax_nnx_optimized_lstm"]


def _parameters(cell: Any, weights: Weights) -> dict[str, Arrays]:
    if isinstance(cell, nnx.OptimizedLSTMCell):
        dense_h = {"kernel": weights.weight_hh.T, "bias": weights.bias}
        return {"dense_i": {"kernel": weights.weight_ih.T}, "dense_h": dense_h}
    return {"if_" if name == "if" else name: gate for name, gate in gates(weights).items()}


def _caller(kind: Any) -> Any:
    def call(weights: list[Weights], x: Any, **options: Any) -> Any:
        rnns = []
        for direction_weights in weights:
            zeros = nnx.initializers.zeros_init()
            cell = kind(
                x.shape[-1],
                direction_weights.weight_hh.shape[1],
                kernel_init=zeros,
                recurrent_kernel_init=zeros,
                param_dtype=x.dtype,
                rngs=nnx.Rngs(0),
            )
            for linear, values in _parameters(cell, direction_weights).items():
                for name, value in values.items():
                    setattr(getattr(cell, linear), name, nnx.Param(value))
            rnns.append(nnx.RNN(cell))
        module = rnns[0] if len(rnns) == 1 else nnx.Bidirectional(*rnns)
        return module(x, **options)

    return call


def flax_nnx_lstm() -> JaxFunction:
    """``RNN`` of ``LSTMCell``."""
    return flax_lstm("flax-nnx", _caller(nnx.LSTMCell))


def flax_nnx_optimized_lstm() -> JaxFunction:
    """``RNN`` of ``OptimizedLSTMCell``."""
    return flax_lstm("flax-nnx-optimized", _caller(nnx.OptimizedLSTMCell))
