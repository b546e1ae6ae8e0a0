"""MLX: ``mlx.nn.LSTM``, one layer and one direction.

Documented at ml-explore.github.io/mlx, "nn.LSTM". The weights stack the gates i, f, g, o as in
torch. There is one bias. Input is (N, L, features) or (L, features), states are (N, H) or (H,). The
layer returns h and c of every step. The reverse direction gets the reversed sequence.

float64 has its own adapter. Its gates have the precision of float32, so nearly every clause is
broken there. See reports/findings/mlx_float64_has_the_precision_of_float32.py.
"""

from __future__ import annotations

from functools import partial
from importlib.metadata import version
from typing import Any

import ml_dtypes  # adds bfloat16 to NumPy
import mlx.core as mx
import mlx.nn as nn
import numpy as np

from ..spec.case import Case
from .assembly import ASSEMBLED, Weights, both_ways, stacked
from .function import Arrays, FunctionLSTM

__all__ = ["mlx_lstm", "mlx_lstm_float64"]

_CAPABILITIES = {"no-bias", "batch-first", "unbatched", "states", "gradients"}


def _one_way(
    x: Any, states: Any, weights: Weights, _: object, reverse: bool, *, unbatched: bool
) -> tuple[Any, Any, Any]:
    layer = nn.LSTM(x.shape[-1], weights.weight_hh.shape[1], bias=weights.bias is not None)
    layer.Wx, layer.Wh, layer.bias = weights.weight_ih, weights.weight_hh, weights.bias
    x, states = mx.swapaxes(x[::-1] if reverse else x, 0, 1), states or ()
    if unbatched:
        h, c = (state[None] for state in layer(x[0], *(state[0] for state in states)))
    else:
        h, c = layer(x, *states)
    output = mx.swapaxes(h, 0, 1)
    return output[::-1] if reverse else output, h[:, -1], c[:, -1]


def _lstm(case: Case, arguments: Arrays) -> tuple[Any, Any, Any]:
    directions = both_ways(partial(_one_way, unbatched=case.layout == "unbatched"), mx)

    def layer(x: Any, states: Any, weights: list[Weights], _: object) -> tuple[Any, Any, Any]:
        if states is not None:
            # Not states[0][d]: without rows, the gradient of this index ends the process.
            parts = (mx.split(state, len(weights)) for state in states)
            states = tuple([mx.squeeze(part, 0) for part in given] for given in parts)
        return directions(x, states, weights, None)

    return stacked(layer, mx)(case, arguments)


def _differentiate(call: Any, arguments: Arrays, cotangents: Arrays) -> tuple[Arrays, Arrays]:
    def product(arguments: Arrays) -> tuple[Any, Arrays]:
        outputs = call(arguments)
        return sum((outputs[name] * c).sum() for name, c in cotangents.items()), outputs

    (_, outputs), gradients = mx.value_and_grad(product)(arguments)
    return outputs, gradients


def _numpy(array: Any) -> Any:
    if array.dtype == mx.bfloat16:
        return np.asarray(array.astype(mx.float32)).astype(ml_dtypes.bfloat16)
    return np.asarray(array)


def _mlx(name: str, *dtypes: str) -> FunctionLSTM:
    return FunctionLSTM(
        name,
        version("mlx"),
        ASSEMBLED.union(_CAPABILITIES, dtypes),
        _lstm,
        array=lambda values: mx.array(values, dtype=getattr(mx, str(values.dtype))),
        numpy=_numpy,
        differentiate=_differentiate,
    )


def mlx_lstm() -> FunctionLSTM:
    """The layer. :mod:`.assembly` adds layers and directions."""
    return _mlx("mlx", "float32", "bfloat16", "float16")


def mlx_lstm_float64() -> FunctionLSTM:
    """The layer in float64. :mod:`.assembly` adds layers and directions."""
    return _mlx("mlx-float64", "float64")
