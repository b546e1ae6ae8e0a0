"""torch 2.13.0 on a CPU, USE-36: with a packed sequence, a c_0 of one feature serves all units.

Documentation of torch.nn.LSTM, "Inputs": c_0 has ``hidden_size`` features. With a tensor, another
number is refused. With a packed sequence and a projection, a c_0 of one feature serves all hidden
units. https://github.com/pytorch/pytorch/issues/195803
"""

import torch
from torch.nn.utils.rnn import pack_padded_sequence

lstm = torch.nn.LSTM(2, 3, proj_size=2)
x = pack_padded_sequence(torch.ones(3, 2, 2), torch.tensor([3, 2]))
try:
    shape = lstm(x, (torch.zeros(1, 2, 2), torch.zeros(1, 2, 1)))[1][1].shape
except RuntimeError as error:
    print(error)
    shape = None
assert shape is None, f"a c_0 of one feature was accepted for three, c_n has shape {tuple(shape)}"
