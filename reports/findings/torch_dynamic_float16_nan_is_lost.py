"""torch 2.13.0, torch.ao.quantization.quantize_dynamic to float16, EDGE-4: NaN in a weight is lost.

Its documentation says that weights are converted to float16, which has NaN. Weights beyond the
largest number of float16 are limited to it with a warning. A weight that is NaN becomes a number
without a warning, so that a model that has diverged seems to work.
"""

import warnings

import torch
from torch.ao.quantization import quantize_dynamic

warnings.simplefilter("ignore")  # this part of torch is to be replaced
model = torch.nn.ModuleList([torch.nn.LSTM(1, 1)])
with torch.no_grad():
    model[0].weight_ih_l0.fill_(float("nan"))
(lstm,) = quantize_dynamic(model, {torch.nn.LSTM}, dtype=torch.float16)
output, _ = lstm(torch.ones(1, 1, 1))
assert output.isnan(), f"all weights are NaN, and the output is {output.item()}"
