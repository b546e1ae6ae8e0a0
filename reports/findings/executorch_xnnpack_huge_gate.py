"""ExecuTorch 1.5.1 with torch 2.13.0 on an x86 CPU, EDGE-8: with XNNPACK, a huge input gives NaN.

Documentation, docs.pytorch.org/executorch, "XNNPACK Backend": a wide range of operators is
supported in float32. Gates of an LSTM are sigmoid of a sum, which is 1 for every large number. Of
numbers from 2**91 on, about 2.5e27, XNNPACK computes NaN. Without the partitioner the result is
right. That XNNPACK does so is known: https://github.com/tensorflow/tensorflow/pull/119354

Below: a step with ones as weights, so that h = tanh(1).
"""

import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.exir import to_edge_transform_and_lower
from executorch.runtime import Runtime

lstm = torch.nn.LSTM(1, 1, bias=False).eval()
for parameter in lstm.parameters():
    torch.nn.init.ones_(parameter.detach())
x = torch.full((1, 1, 1), 1e30)
exported, h = torch.export.export(lstm, (x,)), []
for partitioner in ([], [XnnpackPartitioner()]):
    lowered = to_edge_transform_and_lower(exported, partitioner=partitioner).to_executorch()
    program = Runtime.get().load_program(lowered.buffer)
    h.append(program.load_method("forward").execute([x])[0].item())
assert h[0] == h[1], f"h is {h[0]:.4f}, and {h[1]} with XNNPACK"
