"""torch 2.13.0, EDGE-9: weight norm makes NaN of a row of zeros.

Documentation of torch.nn.utils.parametrizations.weight_norm: it changes how a weight is stored, as
a size g and a direction v, w = g * v / ||v||. A row of zeros has size 0 and no direction. Its
weights, and all results of the LSTM, become NaN, and nothing warns.
"""

import torch
from torch.nn.utils.parametrizations import weight_norm

lstm = torch.nn.LSTM(1, 1)
torch.nn.init.zeros_(lstm.weight_hh_l0)
x = torch.ones(2, 1, 1)
before = lstm(x)[0]
weight_norm(lstm, "weight_hh_l0")
after = lstm(x)[0]
print("before:", before.flatten().tolist(), "after:", after.flatten().tolist())
assert torch.allclose(before, after), "weight norm has changed the results"
