"""ExecuTorch 1.5.1 with torch 2.13.0, SHAPE-7: an empty batch that comes from NumPy is refused.

Documentation, docs.pytorch.org/executorch, "Model Export and Lowering": export takes example
inputs, and nothing is said against a batch of 0. NumPy has only strides of 0 for an array without
elements, and ``torch.from_numpy`` keeps them. torch computes with such a tensor and exports it.
ExecuTorch raises a RuntimeError for strides of 0. With other strides it takes an empty batch.

Below: three steps of no rows, by ``torch.ones`` and from NumPy.
"""

import numpy as np
import torch
from executorch.exir import to_edge_transform_and_lower

lstm, seen = torch.nn.LSTM(1, 1).eval(), []
for x in (torch.ones(3, 0, 1), torch.from_numpy(np.ones((3, 0, 1), np.float32))):
    exported = torch.export.export(lstm, (x,))
    try:
        to_edge_transform_and_lower(exported).to_executorch()
        seen.append("lowered")
    except Exception as error:
        seen.append(str(error))
assert seen == ["lowered"] * 2, f"of torch: {seen[0]}; from NumPy: {seen[1]}"
