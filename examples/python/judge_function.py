"""A function over NumPy arrays, judged by a script: python judge_function.py"""

import numpy as np

from lstm_conformance import check


def sigmoid(x):
    return (1 + np.tanh(x / 2)) / 2


def lstm(case, arguments):
    """One layer, one direction, with biases. Returns output, h_n and c_n."""
    x = arguments["input"]  # (steps, rows, input_size)
    W_ih, W_hh = arguments["weight_ih_l0"], arguments["weight_hh_l0"]
    b = arguments["bias_ih_l0"] + arguments["bias_hh_l0"]
    h = c = np.zeros((x.shape[1], case.config.hidden_size), x.dtype)
    outputs = []
    for x_t in x:
        i, f, g, o = np.split(x_t @ W_ih.T + h @ W_hh.T + b, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs), h[None], c[None]


check(lstm, profile="smoke", clauses=["EQ"]).raise_for_failures()
