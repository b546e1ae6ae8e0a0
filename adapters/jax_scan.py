"""JAX: an LSTM written from the documented equations with ``jax.lax.scan``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from .assembly import ASSEMBLED, Cell, OneWay, States, Weights, both_ways, stacked
from .jax_function import FORMATS, JaxFunction

__all__ = ["in_scan", "jax_lstm"]


def in_scan(cell: Cell) -> OneWay:
    """As :func:`.assembly.in_time`, but with ``jax.lax.scan``, which compiles the cell once."""

    def one_way(
        x: Any,
        states: States | None,
        weights: Weights,
        lengths: Sequence[int] | None,
        reverse: bool,
    ) -> tuple[Any, Any, Any]:
        L, N = x.shape[:2]
        R, H = weights.weight_hh.shape[1], weights.weight_hh.shape[0] // 4
        active = None
        if lengths is not None:
            active = jnp.arange(L)[:, None, None] < jnp.asarray(lengths)[:, None]
            x = jnp.where(active, x, 0)  # NaN in the padding must not reach gradients

        def step(states: States, x_and_active: tuple[Any, Any]) -> tuple[States, Any]:
            x, active = x_and_active
            h, c = cell(x, states, weights)
            if active is None:
                return (h, c), h
            kept = jnp.where(active, h, states[0]), jnp.where(active, c, states[1])
            return kept, jnp.where(active, h, 0)

        if states is None:
            states = jnp.zeros((N, R), x.dtype), jnp.zeros((N, H), x.dtype)
        (h_n, c_n), output = jax.lax.scan(step, states, (x, active), reverse=reverse)
        return output, h_n, c_n

    return one_way


def _cell(x: Any, states: States, weights: Weights) -> States:
    h, c = states
    gates = x @ weights.weight_ih.T + h @ weights.weight_hh.T
    if weights.bias_ih is not None:
        gates = gates + weights.bias_ih + weights.bias_hh
    i, f, g, o = jnp.split(gates, 4, axis=-1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    h = jax.nn.sigmoid(o) * jnp.tanh(c)
    return (h if weights.weight_hr is None else h @ weights.weight_hr.T), c


def jax_lstm() -> JaxFunction:
    """All capabilities of an LSTM except random dropout."""
    return JaxFunction(
        "jax",
        jax.__version__,
        ASSEMBLED
        | FORMATS
        | {"projection", "no-bias", "two-biases", "batch-first", "unbatched", "packed", "states"},
        stacked(both_ways(in_scan(_cell), jnp), jnp),
    )
