"""torch 2.13.0, torch.compile of an RNN, DROP-2: there is no dropout in training.

Documentation of torch.nn.LSTM, ``dropout``: in training a dropout layer follows every layer but
the last; torch.compile makes a module faster, not another one. With
``torch._dynamo.config.allow_rnn``, without which it leaves an RNN as it is, nothing is dropped,
whatever the backend. Here it is one that needs no C++ compiler.

Below everything is dropped, so that the output cannot depend on the input.
"""

import torch

torch._dynamo.config.allow_rnn = True
torch.manual_seed(0)
lstm = torch.nn.LSTM(1, 1, num_layers=2, dropout=1.0).train()
x = torch.ones(2, 1, 1)
expected = [lstm(k * x)[0].flatten().tolist() for k in (1, 5)]
assert expected[0] == expected[1]
compiled = torch.compile(lstm, backend="aot_eager")
seen = [compiled(k * x.requires_grad_())[0].flatten().tolist() for k in (1, 5)]
assert seen == expected, f"of two inputs: {seen}, not {expected}"
