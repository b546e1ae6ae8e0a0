"""PyTorch/XLA 2.9.0, SHAPE-7: the results for an empty batch cannot be read.

Documentation of torch.nn.LSTM: the input has the shape (L, N, H_in), and torch allows N to be 0 on
a CPU. On the device the call returns tensors of the right shapes, and reading one raises an
exception, since the program for it cannot be compiled.
"""

import torch
import torch_xla  # noqa: F401 - it registers the device

raised = {}
for device in ("cpu", "xla"):
    output = torch.nn.LSTM(1, 1, device=device)(torch.zeros(2, 0, 1, device=device))[0]
    try:
        print(device, tuple(output.shape), output.tolist())
    except RuntimeError as error:
        raised[device] = str(error).partition("\n")[0]
assert not raised, raised
