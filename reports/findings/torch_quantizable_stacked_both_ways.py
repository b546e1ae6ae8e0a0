"""torch 2.13.0, torch.ao.nn.quantizable.LSTM, DIR-4: layers in both directions do not fit together.

Its documentation refers to torch.nn.LSTM for the arguments. Constructed with several layers and
both directions, each layer but the first is made for the features of one direction, and a call
fails. Made of a ``torch.nn.LSTM`` by ``from_float``, it is right.
https://github.com/pytorch/pytorch/issues/89357
"""

import torch
from torch.ao.nn import quantizable

lstm = quantizable.LSTM(2, 3, num_layers=2, bidirectional=True)
seen = lstm.layers[1].layer_fw.cell.igates.weight.shape
expected = torch.nn.LSTM(2, 3, num_layers=2, bidirectional=True).weight_ih_l1.shape
assert seen == expected, f"weight_ih_l1 has shape {tuple(seen)}, not {tuple(expected)}"
