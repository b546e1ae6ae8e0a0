"""MindSpore: ``mindspore.nn.LSTM`` of version 2.10, operation by operation (PyNative mode).

Documented at mindspore.cn/docs, "mindspore.nn.LSTM" and "mindspore.value_and_grad". The layer has
the equations of torch, two biases or none, layers, both directions, ``batch_first``, states, rows
of unequal length by ``seq_length``, dropout in the range [0, 1), float32 and float16. Input always
has a batch axis. The page does not say that names and shapes of the parameters are those of torch.
"""

from __future__ import annotations

from typing import Any

import mindspore as ms

from ..spec.capabilities import ALL
from ..spec.case import OUTPUTS, Case
from .function import Arrays, FunctionLSTM

__all__ = ["mindspore_lstm"]

_LACKING = {"projection", "unbatched", "full-dropout", "double-backward", "forward-mode", "module"}
_LACKING |= {"float64", "bfloat16"}


def _lstm(case: Case, arguments: Arrays) -> tuple[Any, Any, Any]:
    config = case.config
    ms.set_seed(case.seed)
    layer = ms.nn.LSTM(
        config.input_size,
        config.hidden_size,
        config.num_layers,
        has_bias=config.bias,
        batch_first=config.batch_first,
        dropout=config.dropout,
        bidirectional=config.bidirectional,
    )
    layer.set_train(case.training)
    # value_and_grad needs the parameters before this layer exists, so the layer gets them here.
    for role in ("w_ih_list", "w_hh_list", "b_ih_list", "b_hh_list"):
        values = [arguments[parameter.name] for parameter in getattr(layer, role)]
        setattr(layer, role, ms.ParameterTuple(values))
    states = (arguments["h_0"], arguments["c_0"]) if case.states else None
    lengths = ms.Tensor(case.lengths) if case.packed else None
    output, (h_n, c_n) = layer(arguments["input"], states, lengths)
    if case.packed:  # The output in the padding is not documented.
        output = output.masked_fill(ms.Tensor(case.padding()), 0)
    return output, h_n, c_n


def _differentiate(call: Any, arguments: Arrays, cotangents: Arrays) -> tuple[Arrays, Arrays]:
    def product() -> tuple[Any, ...]:
        outputs = call(arguments)
        return sum((outputs[name] * c).sum() for name, c in cotangents.items()), *outputs.values()

    differentiated = ms.value_and_grad(product, None, list(arguments.values()), has_aux=True)
    (_, *outputs), gradients = differentiated()
    return dict(zip(OUTPUTS, outputs, strict=True)), dict(zip(arguments, gradients, strict=True))


def mindspore_lstm() -> FunctionLSTM:
    """The layer itself."""
    ms.runtime.launch_blocking()  # Small operations are faster than waiting for threads.
    return FunctionLSTM(
        "mindspore",
        ms.__version__,
        ALL - _LACKING,
        _lstm,
        array=ms.Parameter,
        numpy=lambda tensor: tensor.asnumpy(),
        differentiate=_differentiate,
        unsupported=lambda case: "dropout must be below 1" if case.config.dropout == 1 else None,
    )
