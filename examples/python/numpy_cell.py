"""Only a cell. The suite adds the loops over steps, directions and layers.

lstm-conformance check examples/python/numpy_cell.py:LSTM
"""

from __future__ import annotations

import numpy as np

from lstm_conformance.adapters.assembly import ASSEMBLED, Weights, both_ways, in_time, stacked
from lstm_conformance.adapters.function import FunctionLSTM

Array = np.ndarray


def sigmoid(x: Array) -> Array:
    return (1 + np.tanh(x / 2)) / 2


def cell(x: Array, states: tuple[Array, Array], weights: Weights) -> tuple[Array, Array]:
    """One step, from x (rows, features), h and c (rows, hidden_size) to the new h and c."""
    h, c = states
    gates = x @ weights.weight_ih.T + h @ weights.weight_hh.T
    if weights.bias is not None:
        gates = gates + weights.bias
    i, f, g, o = np.split(gates, 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


LSTM = FunctionLSTM(
    "my-numpy-cell",
    "1.0",
    ASSEMBLED | {"no-bias", "states", "packed", "batch-first", "unbatched", "float64", "float32"},
    stacked(both_ways(in_time(cell, np), np), np),
)
