"""ncnn: its LSTM layer, in one direction or in both, over one sequence.

Documented in docs/developer-guide/operators.md of Tencent/ncnn, "LSTM": weights of the gates
i, f, o, g one below the other (torch has i, f, g, o), one bias, a projection where ``hidden_size``
is not ``num_output``, states as two further inputs and outputs. Without biases they are zeros,
as pnnx, its converter from torch, has it. There is no batch: each row is a sequence of its own.
Half formats, which it may use by default, are switched off.
"""

from __future__ import annotations

import tempfile
from importlib.metadata import version
from typing import Any

import ncnn
import numpy as np

from .assembly import Weights, stacked
from .function import FunctionLSTM

__all__ = ["ncnn_lstm"]

_ITS_OWN = {"bidirectional", "projection", "no-bias", "unbatched", "states", "float32"}


def _layer(x: Any, states: Any, weights: list[Weights], _: object) -> tuple[Any, Any, Any]:
    net, rows = _net(weights, 1 if states is None else 3), []
    for n in range(x.shape[1]):
        # ncnn reads the memory of these arrays: they have to live as long as the extractor.
        inputs = [np.ascontiguousarray(array[:, n]) for array in (x, *(states or ()))]
        extractor = net.create_extractor()
        for blob, array in enumerate(inputs):
            extractor.input(f"x{blob}", ncnn.Mat(array))
        rows.append([np.array(extractor.extract(f"y{blob}")[1]) for blob in range(3)])
    output, h_n, c_n = (np.stack(results, axis=1) for results in zip(*rows, strict=True))
    return output, h_n, c_n


def _net(weights: list[Weights], inputs: int) -> Any:
    """The layer alone. Its inputs x0, x1, x2: input, h_0, c_0; its outputs y0, y1, y2."""
    D, (rows, R), features = len(weights), weights[0].weight_hh.shape, weights[0].weight_ih.shape[1]
    names = [f"x{blob}" for blob in range(inputs)]
    numbers = f"0={R} 1={D * rows * features} 2={0 if D == 1 else 2} 3={rows // 4}"
    layers = [f"Input {name} 0 1 {name}" for name in names]
    layers.append(f"LSTM lstm {inputs} 3 {' '.join(names)} y0 y1 y2 {numbers}")
    net = ncnn.Net()
    net.opt.num_threads = 1
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    net.load_param_mem("\n".join(["7767517", f"{len(layers)} {inputs + 3}", *layers, ""]))
    with tempfile.NamedTemporaryFile() as file:
        for role in ("weight_ih", "bias", "weight_hh", "weight_hr"):
            arrays = [_array(of_direction, role) for of_direction in weights]
            file.write(b"".join([bytes(4 * bool(arrays[0])), *arrays]))  # four zeros: float32
        file.flush()
        net.load_model(file.name)
    return net


def _array(weights: Weights, role: str) -> bytes:
    values = getattr(weights, role)
    if role == "weight_hr":
        return b"" if values is None else values.tobytes()
    if values is None:
        values = np.zeros(len(weights.weight_hh), np.float32)
    i, f, g, o = np.split(values, 4)
    return np.concatenate([i, f, o, g]).tobytes()


def ncnn_lstm() -> FunctionLSTM:
    """The layer, put one upon the other by :mod:`.assembly`."""
    capabilities = frozenset(_ITS_OWN | {"layers"})
    return FunctionLSTM("ncnn", version("ncnn"), capabilities, stacked(_layer, np))
