"""JAX's own LSTM: ``jax.experimental.rnn.lstm_ref``.

Documented at docs.jax.dev, jax.experimental.rnn, as the LSTM of ``torch.nn.LSTM`` with both biases.
Each direction counts as a layer, forward before reverse. Input is always batch first, and always
has ``seq_lengths``. JAX tests the cuDNN LSTM of the same module, which needs a GPU, against this
function.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.experimental import rnn

from ..spec.case import Case
from .function import Arrays
from .jax_function import FORMATS, JaxFunction

__all__ = ["jax_lstm_ref"]


def _lstm(case: Case, arguments: Arrays) -> tuple[Any, Any, Any]:
    config, shapes = case.config, case.shapes()
    directions = ("", "_reverse")[: config.num_directions]
    suffixes = [f"l{k}{direction}" for k in range(config.num_layers) for direction in directions]
    parameters = [
        {i: arguments[f"{role}_{suffix}"] for i, suffix in enumerate(suffixes)}
        for role in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    ]
    x = arguments["input"] if config.batch_first else arguments["input"].swapaxes(0, 1)
    states = (arguments.get(name, jnp.zeros(shapes[name], x.dtype)) for name in ("h_0", "c_0"))
    lengths = jnp.asarray(case.lengths or (case.seq_len,) * case.batch_size, "int32")
    output, h_n, c_n = rnn.lstm_ref(
        x,
        *states,
        *parameters,
        seq_lengths=lengths,
        input_size=config.input_size,
        hidden_size=config.hidden_size,
        num_layers=config.num_layers,
        dropout=0.0,
        bidirectional=config.bidirectional,
    )
    return (output if config.batch_first else output.swapaxes(0, 1)), h_n, c_n


def jax_lstm_ref() -> JaxFunction:
    """The function itself, with its layers and directions."""
    capabilities = {"layers", "bidirectional", "two-biases", "batch-first", "packed", "states"}
    return JaxFunction("jax-rnn", jax.__version__, FORMATS | capabilities, _lstm)
