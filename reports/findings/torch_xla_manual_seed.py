"""PyTorch/XLA 2.9.0, PARAM-14: torch.manual_seed does not set the seed of an XLA device.

Documentation of torch.manual_seed: it sets the seed for random numbers on all devices. After the
same seed, an LSTM that is constructed on the device has other initial values each time, and its
dropout drops other elements (DROP-9). ``torch_xla.manual_seed`` has to be called as well, which
is asked for in https://github.com/pytorch/xla/issues/2532.
"""

import torch
import torch_xla

drawn = {}
for manual_seed in (torch_xla.manual_seed, torch.manual_seed):
    for attempt in ("first", "second"):
        manual_seed(1)
        lstm = torch.nn.LSTM(1, 1, bias=False, device="xla")
        drawn[attempt] = lstm.weight_ih_l0.flatten().tolist()
        print(manual_seed.__module__, attempt, drawn[attempt])
assert drawn["first"] == drawn["second"], "the same seed gives other initial values"
