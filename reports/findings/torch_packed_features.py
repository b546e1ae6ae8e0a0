"""torch 2.13.0 on a CPU, USE-24: a packed sequence with another number of features is accepted.

Documentation of torch.nn.LSTM, "Inputs": the input has ``input_size`` features, also as a packed
sequence. A tensor with another number is refused. A packed sequence in float32, with rows of equal
length, is not: it is multiplied by what lies behind the weights in memory. The results mean
nothing. Rows of unequal length raise a RuntimeError. https://github.com/pytorch/pytorch/issues/195803
"""

import torch
from torch.nn.utils.rnn import pack_padded_sequence

lstm = torch.nn.LSTM(1, 1, bias=False)
accepted = []
for features in (2, 3):
    x = pack_padded_sequence(torch.ones(3, 1, features), torch.tensor([3]))
    try:
        print(features, "features:", lstm(x)[0].data.flatten().tolist())
        accepted.append(features)
    except RuntimeError as error:
        print(features, "features:", error)
assert not accepted, f"an LSTM of input_size 1 accepted {accepted} features"
