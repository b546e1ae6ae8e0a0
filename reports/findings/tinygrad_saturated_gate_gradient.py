"""tinygrad 0.14.0, clause EDGE-14.

The page "nn" documents LSTMCell with sigmoid gates. Where a gate is shut so far that exp
overflows (below -89 in float32, -710 in float64), its derivative is zero. tinygrad's sigmoid is
the reciprocal of 1 + exp(-x), differentiated as it stands: zero times infinity. The outputs are
right, and the gradients of input, h_0 and parameters are NaN.
"""

import math

from tinygrad import Tensor, nn

gradients = []
for weight in (-10.0, -100.0):
    cell = nn.LSTMCell(1, 1, bias=False)
    cell.weight_ih, cell.weight_hh = Tensor.full((4, 1), weight), Tensor.zeros(4, 1)
    x = Tensor.ones(1, 1)
    h, _ = cell(x, (Tensor.zeros(1, 1), Tensor.ones(1, 1)))
    gradients.append(h.sum().gradient(x)[0].item())
    print(f"gates at sigmoid({weight}): h {h.item()}, gradient of x {gradients[-1]}")
assert math.isfinite(gradients[1]), f"the gradient of x is {gradients[1]}, not 0"
