"""torch 2.13.0, torch.jit.script of torch.nn.LSTM, TRAIN-9: checkpointing raises an exception.

Documentation of torch.utils.checkpoint: with ``use_reentrant=False``, which it recommends, the
backward pass calls the function again, and stops when it has what it needs (``early_stop``). It
stops by an exception. A script replaces the exception by a RuntimeError without a message, so the
backward pass fails. With ``use_reentrant=True`` it works.
"""

import torch
from torch.utils.checkpoint import checkpoint

script, seen = torch.jit.script(torch.nn.Sequential(torch.nn.LSTM(2, 3))), {}
for reentrant in (True, False):
    x = torch.ones(4, 1, 2, requires_grad=True)
    output, _ = checkpoint(script, x, use_reentrant=reentrant)
    try:
        output.sum().backward()
        seen[reentrant] = "gradients"
    except RuntimeError as error:
        seen[reentrant] = str(error).splitlines()[0]
assert seen[False] == seen[True], seen
