"""Opacus 1.6.0, DPLSTM, SHAPE-6: input without a batch axis gives numbers of no meaning.

torch.nn.LSTM, which it replaces, takes an input of shape (L, H_in) for one sequence. Here it is not
refused, but the output has another shape and other values.
"""

import torch
from opacus.layers import DPLSTM

torch.manual_seed(0)
lstm = DPLSTM(2, 3)
x = torch.ones(4, 2)
expected, seen = lstm(x[:, None])[0][:, 0], lstm(x)[0]
assert seen.shape == expected.shape, f"{tuple(seen.shape)} is not {tuple(expected.shape)}"
assert torch.equal(seen, expected), f"{seen} is not {expected}"
