"""Opacus 1.6.0, DPLSTM, PARAM-25: moved to another device, each parameter is there twice.

A conversion that makes new parameters, as that to the device ``meta`` does, replaces those of the
parts of the module. The names of torch.nn.LSTM, which it replaces, still lead to the old ones.
"""

from opacus.layers import DPLSTM

lstm = DPLSTM(2, 3)
expected = [name for name, _ in lstm.named_parameters()]
seen = [name for name, _ in lstm.to("meta").named_parameters()]
assert seen == expected, f"{seen} is not {expected}"
