"""A cell over NumPy arrays, judged by a script: python judge_cell.py"""

import numpy as np

from lstm_conformance import check


def sigmoid(x):
    return (1 + np.tanh(x / 2)) / 2


def cell(x, states, weights):
    """One step: x (rows, features), h and c (rows, hidden_size); the suite adds the loops."""
    h, c = states
    gates = x @ weights.weight_ih.T + h @ weights.weight_hh.T
    if weights.bias is not None:
        gates = gates + weights.bias
    i, f, g, o = np.split(gates, 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


clauses = ["EQ", "STACK", "DIR-4", "STATE-2", "PACK-1"]
check(cell, profile="smoke", clauses=clauses, capabilities=["no-bias"]).raise_for_failures()
