"""PyTorch/XLA 2.9.0, TRAIN-3: an optimizer cannot change parameters that others are computed from.

Documentation of torch.nn.utils.parametrize.register_parametrization: the module keeps the original
tensor as a parameter, which is trained. If the module is on the device already, a step of an
optimizer, or any other change in place, raises an exception. A module that is moved to the device
after that can be trained.
"""

import torch
import torch_xla  # noqa: F401 - it registers the device
from torch.nn.utils import parametrize


def step(lstm: torch.nn.LSTM) -> None:
    lstm(torch.ones(1, 1, 1, device="xla"))[0].sum().backward()
    torch.optim.SGD(lstm.parameters(), 0.1).step()


lstm = parametrize.register_parametrization(torch.nn.LSTM(1, 1), "weight_ih_l0", torch.nn.Tanh())
step(lstm.to("xla"))
lstm, raised = torch.nn.LSTM(1, 1, device="xla"), None
parametrize.register_parametrization(lstm, "weight_ih_l0", torch.nn.Tanh())
try:
    step(lstm)
except RuntimeError as error:
    raised = error
assert raised is None, raised
