"""torch 2.13.0, torch.ao.nn.quantizable.LSTM, SHAPE-6: without a batch axis, numbers of no meaning.

Its documentation refers to torch.nn.LSTM for the description: an input of shape (L, H_in) is one
sequence, and the output has shape (L, D * H_out). It is not refused, but computed with the
features taken for the batch; the output has as many rows.
"""

import torch
from torch.ao.nn import quantizable

torch.manual_seed(0)
lstm = quantizable.LSTM(2, 3)
x = torch.ones(4, 2)
expected, seen = lstm(x[:, None])[0][:, 0], lstm(x)[0]
assert seen.shape == expected.shape, f"{tuple(seen.shape)} is not {tuple(expected.shape)}"
assert torch.equal(seen, expected), f"{seen} is not {expected}"
