"""Apache TVM 0.27.0, SHAPE-2: h_n and c_n of an LSTM that is not decomposed are its output.

Documentation, tvm.apache.org/docs/reference/api/python/relax/frontend.html: with
``run_ep_decomposition=False``, ``from_exported_program`` translates operations as they are, and it
has a translation for ``lstm``. The operation has three results; this one gives the output for each
of them, of shape (L, N, H) in place of (1, N, H). Nothing warns. By default torch decomposes the
LSTM, and the states are right. https://github.com/apache/tvm/pull/18346
"""

import torch
import tvm
from tvm import relax
from tvm.relax.frontend.torch import from_exported_program

x = torch.ones(3, 2, 1)  # three steps of two rows
exported = torch.export.export(torch.nn.LSTM(1, 1).eval(), (x,))
shapes = []
for decomposed in (True, False):
    program = from_exported_program(exported, run_ep_decomposition=decomposed)
    machine = relax.VirtualMachine(tvm.compile(program, target="llvm"), tvm.cpu())
    output, h_n, c_n = machine["main"](tvm.runtime.tensor(x.numpy()))
    shapes.append(h_n.shape)
assert shapes[0] == shapes[1], f"h_n has shape {shapes[0]}, and {shapes[1]} without decomposition"
