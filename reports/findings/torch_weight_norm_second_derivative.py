"""torch 2.13.0 on a CPU, GRAD-21: weight norm has wrong gradients of gradients.

Documentation of torch.nn.utils.parametrizations.weight_norm: w = g * v / ||v||. With g = ||v|| it
is w = v for every v, so that the gradient of the gradient is zero. torch returns other numbers,
without a warning. The same formula in plain operations is right, and so are first gradients.
"""

import torch
from torch.nn.utils.parametrizations import weight_norm

v = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64, requires_grad=True)
lstm = weight_norm(torch.nn.LSTM(2, 1, dtype=torch.float64), "weight_ih_l0")
computed = lstm.parametrizations.weight_ih_l0[0]
plain = lambda g, v: g * v / v.norm(dim=1, keepdim=True)  # noqa: E731
second = []
for function in (computed, plain):
    w = function(v.norm(dim=1, keepdim=True), v)
    (gradient,) = torch.autograd.grad(w, v, torch.eye(2, dtype=v.dtype), create_graph=True)
    second.append(torch.autograd.grad(gradient.sum(), v)[0])
    print("gradient of the gradient:", second[-1].flatten().tolist())
assert second[0].abs().max() < 1e-9, "it is not zero, as of the formula"
