"""ncnn: its LSTM layer, in one direction or in both, over one sequence.

Documented in docs/developer-guide/operators.md of Tencent/ncnn, "LSTM". The weights stack the gates
i, f, o, g (torch has i, f, g, o). There is one bias. A projection is present where ``hidden_size``
differs from ``num_output``. States are two more inputs and outputs. A case without biases gets
zeros, as from pnnx, its converter from torch. There is no batch: each row is a sequence of its own.
The half formats, which ncnn may use by default, are switched off.
"""

from __future__ import annotations

import tempfile
from importlib.metadata import version
from typing import Any

import ncnn
import numpy as np

from ..spec.case import Case
from .assembly import Weights, stacked
from .function import FunctionLSTM

__all__ = ["ncnn_lstm"]

_CAPABILITIES = {"bidirectional", "projection", "no-bias", "unbatched", "states", "float32"}


def _layer(x: Any, states: Any, weights: list[Weights], _: object) -> tuple[Any, Any, Any]:
    net, rows = _net(weights, 1 if states is None else 3), []
    for n in range(x.shape[1]):
        # ncnn reads the memory of these arrays, so they must live as long as the extractor.
        inputs = [np.ascontiguousarray(array[:, n]) for array in (x, *(states or ()))]
        extractor = net.create_extractor()
        for blob, array in enumerate(inputs):
            extractor.input(f"x{blob}", ncnn.Mat(array))
        rows.append([_extracted(extractor, f"y{blob}") for blob in range(3)])
    output, h_n, c_n = (np.stack(results, axis=1) for results in zip(*rows, strict=True))
    return output, h_n, c_n


def _extracted(extractor: Any, blob: str) -> Any:
    status, mat = extractor.extract(blob)
    if status:  # the input is refused, and reading the matrix would end the process
        raise ValueError(f"ncnn returned the status {status}")
    return np.array(mat)


def _net(weights: list[Weights], inputs: int) -> Any:
    """A net of one LSTM layer. Inputs x0, x1, x2: input, h_0, c_0. Outputs y0, y1, y2."""
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
            arrays = [_array(direction_weights, role) for direction_weights in weights]
            file.write(
                b"".join([bytes(4 * bool(arrays[0])), *arrays])
            )  # four zero bytes mean float32
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


def _without_rows(case: Case) -> str | None:
    return None if case.batch_size else "no batch, so none can be empty"


def ncnn_lstm() -> FunctionLSTM:
    """The layer. :mod:`.assembly` stacks it."""
    function, capabilities = stacked(_layer, np), frozenset(_CAPABILITIES | {"layers"})
    return FunctionLSTM("ncnn", version("ncnn"), capabilities, function, unsupported=_without_rows)
