"""Haiku: ``haiku.LSTM``, unrolled by ``haiku.dynamic_unroll``.

Documented at dm-haiku.readthedocs.io/en/latest/api.html, "Recurrent": gates i, g, f, o of x and h
side by side, one bias, that cannot be left out; 1 is added in the forget gate, whose bias is that
of torch less 1; a row alone, or rows on the second or first axis (``time_major``); ``reverse``
scans steps in the reversed order. It knows no lengths: rows that have ended keep their state by a
function around the core.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import haiku
import jax.numpy as jnp

from ..spec.case import Case
from .assembly import ASSEMBLED, Weights, both_ways, in_layers
from .function import Arrays
from .jax_function import FORMATS, JaxFunction

__all__ = ["haiku_lstm"]


def _parameters(weights: Weights) -> dict[str, dict[str, Any]]:
    def reordered(whole: Any) -> Any:
        i, f, g, o = jnp.split(whole, 4)
        return jnp.concatenate([i, g, f, o])

    of_x_and_h = jnp.concatenate([weights.weight_ih, weights.weight_hh], axis=1)
    added = jnp.repeat(jnp.array([0, 1, 0, 0], of_x_and_h.dtype), weights.weight_hh.shape[1])
    return {"lstm/linear": {"w": reordered(of_x_and_h).T, "b": reordered(weights.bias - added)}}


def _one_way(
    case: Case, x: Any, states: Any, weights: Weights, lengths: Sequence[int] | None, reverse: bool
) -> tuple[Any, Any, Any]:
    time_major = case.layout == "unbatched" or not case.config.batch_first
    exists = None
    if lengths is not None:
        exists = jnp.arange(case.seq_len) < jnp.asarray(lengths)[:, None]  # (N, L)
        exists = (exists.T if time_major else exists)[..., None]
        x = jnp.where(exists, x, 0)  # else NaN behind the end of a row makes gradients NaN

    def run(x: Any) -> tuple[Any, Any]:
        lstm = haiku.LSTM(weights.weight_hh.shape[1])

        def core(x_and_exists: tuple[Any, Any], before: Any) -> tuple[Any, Any]:
            x, exists = x_and_exists
            output, after = lstm(x, before)
            if exists is None:
                return output, after
            kept = (jnp.where(exists, new, old) for new, old in zip(after, before, strict=True))
            return jnp.where(exists, output, 0), haiku.LSTMState(*kept)

        if states is None:
            initial = lstm.initial_state(None if case.layout == "unbatched" else case.batch_size)
            initial = haiku.LSTMState(*(state.astype(x.dtype) for state in initial))
        else:
            initial = haiku.LSTMState(*states)
        unrolled: tuple[Any, Any] = haiku.dynamic_unroll(
            core, (x, exists), initial, time_major, reverse
        )
        return unrolled

    apply = haiku.without_apply_rng(haiku.transform(run)).apply
    output, final = apply(_parameters(weights), x)
    return output, final.hidden, final.cell


def _lstm(case: Case, arguments: Arrays) -> tuple[Any, Any, Any]:
    return in_layers(both_ways(partial(_one_way, case), jnp), jnp)(case, arguments)


def haiku_lstm() -> JaxFunction:
    """The core in time, stepped through layers and directions by :mod:`.assembly`."""
    own = {"batch-first", "unbatched", "states", "packed"}
    return JaxFunction("haiku", haiku.__version__, ASSEMBLED | FORMATS | own, _lstm)
