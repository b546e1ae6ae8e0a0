"""Opacus 1.6.0, DPLSTM, USE-32: states for another number of rows or layers are accepted.

torch.nn.LSTM, which it replaces, refuses them. Here one row of input is taken for seven.
"""

import torch
from opacus.layers import DPLSTM

lstm = DPLSTM(2, 3)
states = torch.zeros(1, 7, 3)
try:
    rows = lstm(torch.ones(4, 1, 2), (states, states))[0].shape[1]
except (RuntimeError, ValueError):
    rows = 1  # they were refused
assert rows == 1, f"the input has one row, and the output has {rows}"
