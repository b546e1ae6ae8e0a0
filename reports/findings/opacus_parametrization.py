"""Opacus 1.6.0, DPLSTM, TRAIN-3: a parameter cannot be parametrized.

torch.nn.utils.parametrize replaces a parameter by one that is computed. That works for
torch.nn.LSTM, which DPLSTM replaces. Here it raises an exception.
"""

import torch
from opacus.layers import DPLSTM
from torch.nn.utils import parametrize

lstm = DPLSTM(2, 3)
parametrize.register_parametrization(lstm, "weight_ih_l0", torch.nn.Identity())
assert parametrize.is_parametrized(lstm, "weight_ih_l0")
