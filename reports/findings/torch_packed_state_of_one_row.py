"""torch 2.13.0 on a CPU, USE-35: with a packed sequence, a c_0 of one row serves all rows.

Documentation of torch.nn.LSTM, "Inputs": h_0 and c_0 have the rows of the input. With a tensor,
states of another number of rows are refused. With a packed sequence, a c_0 of one row serves all of
them. For one row of the sequence, states of no rows give empty states; for rows of equal length,
states of one row can corrupt the heap. https://github.com/pytorch/pytorch/issues/195803
"""

import torch
from torch.nn.utils.rnn import pack_padded_sequence

lstm = torch.nn.LSTM(2, 3)
x = pack_padded_sequence(torch.ones(3, 2, 2), torch.tensor([3, 2]))
try:
    shape = lstm(x, (torch.zeros(1, 2, 3), torch.zeros(1, 1, 3)))[1][1].shape
except RuntimeError as error:
    print(error)
    shape = None
assert shape is None, f"a c_0 of one row was accepted for two, and c_n has shape {tuple(shape)}"
