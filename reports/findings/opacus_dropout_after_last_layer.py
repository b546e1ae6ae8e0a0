"""Opacus 1.6.0, DPLSTM, DROP-3: dropout acts after the last layer, too.

torch.nn.LSTM, which it replaces, drops elements between layers only, and the warning that DPLSTM
gives says so, too. With a single layer, dropout changes nothing then.
"""

import warnings

import torch
from opacus.layers import DPLSTM

torch.manual_seed(0)
x = torch.ones(4, 1, 2)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # that it needs several layers
    lstm = DPLSTM(2, 3, dropout=0.5)
seen = lstm.train()(x)[0]
expected = lstm.eval()(x)[0]
assert torch.equal(seen, expected), f"{seen} is not {expected}"
