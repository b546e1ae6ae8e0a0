"""Opacus 1.6.0, DPLSTM, PARAM-5: the parameters of a layer are in another order.

torch.nn.LSTM, which it replaces, has both weights and then both biases. Programs that copy
parameters one by one, or flatten them, exchange a bias and a weight.
"""

import torch
from opacus.layers import DPLSTM

seen = [name for name, _ in DPLSTM(2, 3).named_parameters()]
expected = [name for name, _ in torch.nn.LSTM(2, 3).named_parameters()]
assert seen == expected, f"{seen} is not {expected}"
