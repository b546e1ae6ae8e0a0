"""Opacus 1.6.0, DPLSTM, PARAM-23: a parameter that is assigned anew is not used.

A module of torch uses what is assigned to its attributes. Here calls go on with the old values, and
nothing says so.
"""

import torch
from opacus.layers import DPLSTM

lstm = DPLSTM(2, 3)
x = torch.ones(4, 1, 2)
before = lstm(x)[0]
for name, parameter in list(lstm.named_parameters()):
    setattr(lstm, name, torch.nn.Parameter(torch.zeros_like(parameter)))
after = lstm(x)[0]
assert not torch.equal(after, before), "zeros were assigned, and the output is as before"
