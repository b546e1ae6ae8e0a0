"""torch 2.13.0, torch.compile of an RNN, EQ-4, GRAD-12: no call where the input needs no gradient.

Documentation of torch.compile: it makes a module faster, in training too. With
``torch._dynamo.config.allow_rnn``, without which it leaves an RNN as it is, a float32 LSTM whose
input needs no gradient, as in most training, is made of an operation for inference, and a call
ends in an AssertionError, in a TypeError by default; float64 works. bfloat16 fails alike.
https://github.com/pytorch/pytorch/issues/158007
"""

import torch

torch._dynamo.config.allow_rnn = True
seen = {}
for dtype in (torch.float64, torch.float32):
    lstm = torch.nn.LSTM(1, 1, dtype=dtype)
    compiled = torch.compile(lstm, backend="aot_eager")
    try:
        compiled(torch.ones(2, 1, 1, dtype=dtype))[0].sum().backward()
        seen[dtype] = "gradients"
    except AssertionError as error:
        seen[dtype] = f"AssertionError: {error}"
assert seen[torch.float32] == seen[torch.float64], seen
