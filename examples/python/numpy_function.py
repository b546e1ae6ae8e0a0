"""A function over NumPy arrays: one layer, one direction, forward only, float64 and float32.

lstm-conformance check examples/python/numpy_function.py:LSTM
"""

from __future__ import annotations

import numpy as np

from lstm_conformance.adapters.function import FunctionLSTM
from lstm_conformance.spec.case import Case

Array = np.ndarray


def sigmoid(x: Array) -> Array:
    return (1 + np.tanh(x / 2)) / 2


def lstm(case: Case, arguments: dict[str, Array]) -> tuple[Array, Array, Array]:
    """One layer, one direction. Returns output, h_n and c_n, in the shapes of torch.nn.LSTM."""
    x = arguments["input"]  # (steps, rows, input_size)
    W_ih, W_hh = arguments["weight_ih_l0"], arguments["weight_hh_l0"]
    b = arguments["bias_ih_l0"] + arguments["bias_hh_l0"] if case.config.bias else 0
    h = np.zeros((x.shape[1], case.config.hidden_size), x.dtype)
    c = np.zeros_like(h)
    outputs = []
    for x_t in x:
        i, f, g, o = np.split(x_t @ W_ih.T + h @ W_hh.T + b, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs), h[None], c[None]


LSTM = FunctionLSTM("my-numpy-lstm", "1.0", frozenset({"no-bias", "float64", "float32"}), lstm)
