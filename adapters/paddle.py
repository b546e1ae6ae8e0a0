"""PaddlePaddle: ``paddle.nn.LSTM``, which has all features of torch except unbatched input.

Documented at paddlepaddle.org.cn/documentation, "paddle.nn.LSTM". The weights are those of torch,
except that the weight of the projection is transposed. ``sequence_length`` has the steps of each
row.
"""

from __future__ import annotations

from typing import Any

import paddle

from ..spec.capabilities import ALL
from ..spec.case import Case
from .function import Arrays, FunctionLSTM

__all__ = ["paddle_lstm"]


def _lstm(case: Case, arguments: Arrays) -> tuple[Any, Any, Any]:
    config, bias = case.config, None if case.config.bias else False
    paddle.seed(case.seed)
    paddle.set_default_dtype(case.dtype)
    layer = paddle.nn.LSTM(
        config.input_size,
        config.hidden_size,
        config.num_layers,
        direction="bidirect" if config.bidirectional else "forward",
        time_major=not config.batch_first,
        dropout=config.dropout,
        bias_ih_attr=bias,
        bias_hh_attr=bias,
        proj_size=config.proj_size,
    )
    # The modes differ only in dropout, but evaluation mode keeps nothing for gradients.
    layer.train() if case.training or not config.dropout else layer.eval()
    learned = [parameter for parameter in layer.parameters() if not parameter.stop_gradient]
    for name, parameter in zip(config.parameter_shapes(), learned, strict=True):
        parameter.set_value(arguments[name].T if "weight_hr" in name else arguments[name])
        arguments[name] = parameter  # gradients are computed for it
    states = (arguments["h_0"], arguments["c_0"]) if case.states else None
    lengths = paddle.to_tensor(case.lengths) if case.packed else None
    output, (h_n, c_n) = layer(arguments["input"], states, lengths)
    if case.packed:  # The output in the padding is not documented.
        output = output.masked_fill(paddle.to_tensor(case.padding()), 0)
    return output, h_n, c_n


def _differentiate(call: Any, arguments: Arrays, cotangents: Arrays) -> tuple[Arrays, Arrays]:
    outputs = call(arguments)
    paddle.autograd.backward([outputs[name] for name in cotangents], list(cotangents.values()))
    gradients = {}
    for name, leaf in arguments.items():
        gradient = paddle.zeros_like(leaf) if leaf.grad is None else leaf.grad
        gradients[name] = gradient.T if "weight_hr" in name else gradient
    return outputs, gradients


def paddle_lstm() -> FunctionLSTM:
    """The layer itself."""
    return FunctionLSTM(
        "paddle",
        paddle.__version__,
        ALL - {"unbatched", "double-backward", "forward-mode", "module", "bfloat16", "float16"},
        _lstm,
        array=lambda values: paddle.to_tensor(values, stop_gradient=False),
        numpy=lambda tensor: tensor.numpy(),
        differentiate=_differentiate,
    )
