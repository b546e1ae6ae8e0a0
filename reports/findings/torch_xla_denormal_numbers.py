"""PyTorch/XLA 2.9.0 on a CPU, clause EDGE-11: half of a denormal number is zero.

By the equations of an LSTM the cell state is halved at each step, if parameters and input are
zeros: the forget gate is sigmoid(0). IEEE 754 has numbers down to 5e-324 in float64 and 1.4e-45 in
float32. torch computes with them on a CPU. XLA stores and returns them, but lets the processor
take them for zeros in each operation, as in JAX (https://github.com/jax-ml/jax/issues/16200).
"""

import torch
import torch_xla  # noqa: F401 - it registers the device

halves = {}
for value, dtype in ((1e-39, torch.float32), (1e-310, torch.float64)):
    lstm = torch.nn.LSTM(1, 1, bias=False, device="xla", dtype=dtype)
    c = torch.full((1, 1, 1), value, dtype=dtype)
    x = torch.zeros_like(c).to("xla")
    halves[c.item() / 2] = lstm(x, (x, c.to("xla")))[1][1].item()
    print("half of", c.item(), "in", dtype, "is", halves[c.item() / 2])
assert all(abs(half / right - 1) < 1e-3 for right, half in halves.items()), halves
