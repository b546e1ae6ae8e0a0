"""tinygrad: ``tinygrad.nn.LSTMCell``, in a loop.

Documented at docs.tinygrad.org/nn, "LSTMCell". Parameters and their names are those of torch, with
both biases. clang compiles the kernels. Without clang, the environment variable ``DEV=PYTHON``
makes tinygrad interpret them. In both ways a case with gradients takes seconds.
"""

from __future__ import annotations

from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

from tinygrad import Tensor
from tinygrad.nn import LSTMCell

from .assembly import ASSEMBLED, Weights, both_ways, in_time, stacked
from .function import Arrays, FunctionLSTM, too_long_to_unroll

__all__ = ["tinygrad_lstm"]

_CAPABILITIES = {"no-bias", "two-biases", "states", "gradients", "float64", "float32"}

# The functions of NumPy that the assembly needs.
_xp = SimpleNamespace(
    asarray=Tensor,
    zeros=Tensor.zeros,
    where=lambda condition, x, y: condition.where(x, y),
    stack=lambda arrays: Tensor.stack(*arrays),
    concatenate=lambda arrays, axis=0: Tensor.cat(*arrays, dim=axis),
    swapaxes=lambda x, a, b: x.transpose(a, b),
)


def _cell(x: Any, states: tuple[Any, Any], weights: Weights) -> tuple[Any, Any]:
    rows, features = weights.weight_ih.shape
    cell = LSTMCell(features, rows // 4, bias=weights.bias_ih is not None)
    cell.weight_ih, cell.weight_hh = weights.weight_ih, weights.weight_hh
    cell.bias_ih, cell.bias_hh = weights.bias_ih, weights.bias_hh
    h, c = cell(x, states)
    # Separates the steps, so that all steps share kernels, which are compiled once.
    return h.contiguous().contiguous_backward(), c.contiguous().contiguous_backward()


def _differentiate(call: Any, arguments: Arrays, cotangents: Arrays) -> tuple[Arrays, Arrays]:
    outputs = call(arguments)
    product = sum((outputs[name] * cotangent).sum() for name, cotangent in cotangents.items())
    gradients = product.gradient(*arguments.values())
    Tensor.realize(*outputs.values(), *gradients)  # all at once is three times as fast
    return outputs, dict(zip(arguments, gradients, strict=True))


def tinygrad_lstm() -> FunctionLSTM:
    """The cell. :mod:`.assembly` adds steps, layers and directions."""
    return FunctionLSTM(
        "tinygrad",
        version("tinygrad"),
        ASSEMBLED | _CAPABILITIES | {"packed"},
        stacked(both_ways(in_time(_cell, _xp), _xp), _xp),
        array=Tensor,
        numpy=lambda tensor: tensor.numpy(),
        differentiate=_differentiate,
        unsupported=too_long_to_unroll,
    )
