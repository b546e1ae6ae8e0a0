"""Opacus 1.6.0, DPLSTM, DTYPE-1: for a packed sequence in float64, final states are in float32.

They are rounded on the way from step to step, so that all final states and gradients lose digits.
"""

import torch
from opacus.layers import DPLSTM
from torch.nn.utils.rnn import pack_padded_sequence

lstm = DPLSTM(2, 3).double()
x = pack_padded_sequence(torch.ones(4, 1, 2, dtype=torch.float64), [4])
h_n, c_n = lstm(x)[1]
assert h_n.dtype == c_n.dtype == torch.float64, f"{h_n.dtype} and {c_n.dtype}"
