"""Opacus 1.6.0, DPLSTM, USE-2: the constructor takes neither ``device`` nor ``dtype``.

torch.nn.LSTM, which it replaces, takes both.
"""

import torch
from opacus.layers import DPLSTM

try:
    DPLSTM(2, 3, device="cpu", dtype=torch.float64)
except TypeError as error:
    refused = str(error)
else:
    refused = ""
assert not refused, refused
