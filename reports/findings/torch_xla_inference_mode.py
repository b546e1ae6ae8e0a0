"""PyTorch/XLA 2.9.0, DROP-7: an LSTM cannot be called in torch.inference_mode.

Documentation of torch.inference_mode: like no_grad, for code that needs no gradients; it allows to
use normal tensors. On the device, a call of torch.nn.LSTM with parameters and input that were made
outside raises an exception in this mode, in training and in evaluation, with one layer or several.
"""

import torch
import torch_xla  # noqa: F401 - it registers the device

raised = {}
for device in ("cpu", "xla"):
    lstm, x = torch.nn.LSTM(1, 1, device=device).eval(), torch.ones(2, 1, 1, device=device)
    for mode in (torch.no_grad, torch.inference_mode):
        try:
            with mode():
                print(device, mode.__name__, lstm(x)[0].flatten().tolist())
        except RuntimeError as error:
            raised[mode.__name__] = str(error)
assert not raised, raised
