"""ExecuTorch 1.5.1 with torch 2.13.0 on an x86 CPU, EDGE-11: half of a denormal number is zero.

Documentation, docs.pytorch.org/executorch, "XNNPACK Backend": a wide range of operators is
supported in float32, and nothing is said against denormal numbers, which IEEE 754 has down to
1.4e-45. XNNPACK takes them for zeros. If parameters and input of an LSTM are zeros, each gate is
sigmoid(0): the cell state is halved at each step. Without the partitioner the result is right.

Below: one step from a cell state of 1e-39.
"""

import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.exir import to_edge_transform_and_lower
from executorch.runtime import Runtime

lstm = torch.nn.LSTM(1, 1, bias=False).eval()
for parameter in lstm.parameters():
    torch.nn.init.zeros_(parameter.detach())
zeros, c_0 = torch.zeros(1, 1, 1), torch.full((1, 1, 1), 1e-39)
exported, c = torch.export.export(lstm, (zeros, (zeros, c_0))), []
for partitioner in ([], [XnnpackPartitioner()]):
    lowered = to_edge_transform_and_lower(exported, partitioner=partitioner).to_executorch()
    program = Runtime.get().load_program(lowered.buffer)
    c.append(program.load_method("forward").execute([zeros, zeros, c_0])[2].item())
assert c[0] == c[1], f"half of 1e-39 is {c[0]}, and {c[1]} with XNNPACK"
