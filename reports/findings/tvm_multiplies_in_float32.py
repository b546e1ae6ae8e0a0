"""Apache TVM 0.27.0, DTYPE-3: an LSTM in float64 multiplies matrices in float32, or is refused.

Documentation, tvm.apache.org/docs/reference/api/python/relax/frontend.html: what torch has exported
``from_exported_program`` translates; number formats that it does not take are not named. Products
of matrices it translates as ones with a result of float32, whatever is multiplied. Without biases
the results of a float64 LSTM are right to 8 digits, are given as float64, and nothing warns; with
biases, which are left as they are, the sum of both is refused, as it is in other formats.
"""

import torch
import tvm
from tvm import relax
from tvm.relax.frontend.torch import from_exported_program

torch.manual_seed(0)
x = torch.rand(3, 2, 4, dtype=torch.float64)
lstm = torch.nn.LSTM(4, 4, bias=False, dtype=torch.float64).eval()
program = from_exported_program(torch.export.export(lstm, (x,)))
machine = relax.VirtualMachine(tvm.compile(program, target="llvm"), tvm.cpu())
output, h_n, c_n = machine["main"](tvm.runtime.tensor(x.numpy()))
error = abs(torch.from_numpy(output.numpy()) - lstm(x)[0].detach()).max()
assert error < 1e-14, f"the error of output is {error:.0e}, and its dtype {output.dtype}"
