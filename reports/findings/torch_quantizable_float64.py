"""torch 2.13.0, torch.ao.nn.quantizable.LSTM, STATE-1: in float64 it needs to be given states.

Its documentation refers to torch.nn.LSTM for the arguments, among which is ``dtype``; states are
zeros if they are not given. These zeros are always float32, and a layer refuses them. With zeros
that are given, it works.
"""

import torch
from torch.ao.nn import quantizable

lstm = quantizable.LSTM(1, 1, dtype=torch.float64)
x, zeros = torch.ones(2, 1, 1, dtype=torch.float64), torch.zeros(1, 1, 1, dtype=torch.float64)
expected = lstm(x, (zeros, zeros))[0].flatten().tolist()
try:
    seen = lstm(x)[0].flatten().tolist()
except RuntimeError as error:
    seen = error
assert seen == expected, f"without states: {seen}; with zeros: {expected}"
