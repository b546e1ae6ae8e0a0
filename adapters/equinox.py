"""Equinox: ``equinox.nn.LSTMCell``, in a loop.

Documented at docs.kidger.site/equinox/api/nn/rnn: the weights stack the gates i, f, g, o as in
torch; one bias; one row, which ``jax.vmap`` maps over a batch.
"""

from __future__ import annotations

from typing import Any

import equinox
import jax
import jax.numpy as jnp

from .assembly import ASSEMBLED, Weights, both_ways, stacked
from .jax_function import FORMATS, JaxFunction
from .jax_scan import in_scan

__all__ = ["equinox_lstm"]


def _cell(x: Any, states: tuple[Any, Any], weights: Weights) -> tuple[Any, Any]:
    hidden_size, features = weights.weight_hh.shape[1], weights.weight_ih.shape[1]
    new_cell = equinox.nn.LSTMCell(
        features, hidden_size, use_bias=weights.bias is not None, key=jax.random.key(0)
    )
    cell: Any = equinox.tree_at(
        lambda m: (m.weight_ih, m.weight_hh, m.bias),
        new_cell,
        (weights.weight_ih, weights.weight_hh, weights.bias),
        is_leaf=lambda leaf: leaf is None,
    )
    h, c = jax.vmap(cell)(x, states)
    return h, c


def equinox_lstm() -> JaxFunction:
    """The cell. :mod:`.assembly` adds steps, layers and directions."""
    return JaxFunction(
        "equinox",
        equinox.__version__,
        ASSEMBLED | FORMATS | {"no-bias", "states", "unbatched", "packed"},
        stacked(both_ways(in_scan(_cell), jnp), jnp),
    )
