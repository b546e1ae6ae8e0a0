"""Apache TVM 0.27.0, SHAPE-7: an LSTM for a batch of no rows cannot be compiled.

Documentation, tvm.apache.org/docs/reference/api/python/relax/frontend.html: what torch has exported
``from_exported_program`` translates; sizes of zero are not named. torch returns empty results.
``tvm.compile`` refuses the translation: an operation "reshape" would make rows out of none.
"""

import torch
import tvm
from tvm.relax.frontend.torch import from_exported_program

x = torch.zeros(3, 0, 2)
lstm = torch.nn.LSTM(2, 4)
assert lstm(x)[0].shape == (3, 0, 4)
program = from_exported_program(torch.export.export(lstm, (x,)))
tvm.compile(program, target="llvm")
