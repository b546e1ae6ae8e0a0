"""Opacus 1.6.0, DPLSTM, USE-13: no layers are accepted.

torch.nn.LSTM, which it replaces, raises ValueError for ``num_layers=0``.
"""

from opacus.layers import DPLSTM

try:
    DPLSTM(2, 3, num_layers=0)
except ValueError:
    was_accepted = False
else:
    was_accepted = True
assert not was_accepted, "num_layers=0 is accepted"
