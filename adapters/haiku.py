"""Haiku: ``haiku.LSTM``, unrolled by ``haiku.dynamic_unroll``.

Documented at dm-haiku.readthedocs.io/en/latest/api.html, "Recurrent". One weight for x and h holds
the gates i, g, f, o. There is one bias, which cannot be left out. Haiku adds 1 in the forget gate,
so its bias there is the bias of torch minus 1. Input is one row, or a batch with rows on the second
or first axis (``time_major``). ``reverse`` scans the steps in reverse order. Haiku has no lengths:
a function around the core keeps the state of rows that have ended.
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


def _parameters(weights: Weights) -> dict[str, Arrays]:
    def reordered(parameter: Any) -> Any:
        i, f, g, o = jnp.split(parameter, 4)
        return jnp.concatenate([i, g, f, o])

    weight = jnp.concatenate([weights.weight_ih, weights.weight_hh], axis=1)
    added = jnp.repeat(jnp.array([0, 1, 0, 0], weight.dtype), weights.weight_hh.shape[1])
    return {"lstm/linear": {"w": reordered(weight).T, "b": reordered(weights.bias - added)}}


def _one_way(
    case: Case, x: Any, states: Any, weights: Weights, lengths: Sequence[int] | None, reverse: bool
) -> tuple[Any, Any, Any]:
    time_major = case.layout == "unbatched" or not case.config.batch_first
    active = None
    if lengths is not None:
        active = jnp.arange(case.seq_len) < jnp.asarray(lengths)[:, None]  # (N, L)
        active = (active.T if time_major else active)[..., None]
        x = jnp.where(active, x, 0)  # NaN in the padding must not reach gradients

    def run(x: Any) -> tuple[Any, Any]:
        lstm = haiku.LSTM(weights.weight_hh.shape[1])

        def core(x_and_active: tuple[Any, Any], before: Any) -> tuple[Any, Any]:
            x, active = x_and_active
            output, after = lstm(x, before)
            if active is None:
                return output, after
            kept = (jnp.where(active, new, old) for new, old in zip(after, before, strict=True))
            return jnp.where(active, output, 0), haiku.LSTMState(*kept)

        if states is None:
            initial = lstm.initial_state(None if case.layout == "unbatched" else case.batch_size)
            initial = haiku.LSTMState(*(state.astype(x.dtype) for state in initial))
        else:
            initial = haiku.LSTMState(*states)
        unrolled: tuple[Any, Any] = haiku.dynamic_unroll(
            core, (x, active), initial, time_major, reverse
        )
        return unrolled

    apply = haiku.without_apply_rng(haiku.transform(run)).apply
    output, final = apply(_parameters(weights), x)
    return output, final.hidden, final.cell


def _lstm(case: Case, arguments: Arrays) -> tuple[Any, Any, Any]:
    return in_layers(both_ways(partial(_one_way, case), jnp), jnp)(case, arguments)


def haiku_lstm() -> JaxFunction:
    """The core, unrolled over steps. :mod:`.assembly` adds layers and directions."""
    capabilities = ASSEMBLED | FORMATS | {"batch-first", "unbatched", "states", "packed"}
    return JaxFunction("haiku", haiku.__version__, capabilities, _lstm)
