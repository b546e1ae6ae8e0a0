"""torch 2.13.0, torch.autocast on a CPU, DTYPE-1: the dtype of results hangs on the kind of call.

Documentation of torch.autocast: on a CPU, ``mkldnn_rnn_layer`` is one of the operations that
compute in bfloat16. Documentation of torch.nn.LSTM: a packed sequence is another form of the same
input. With a tensor all results are bfloat16, with rows of unequal length all are float32, and with
a projection c_n alone is float32.
"""

import torch
from torch.nn.utils.rnn import pack_sequence

x, seen = torch.ones(2, 1, 3), {}
for name, lstm, argument in (
    ("tensor", torch.nn.LSTM(3, 4), x),
    ("packed", torch.nn.LSTM(3, 4), pack_sequence([x[:, 0], x[:1, 0]])),
    ("projection", torch.nn.LSTM(3, 4, proj_size=2), x),
):
    try:
        with torch.autocast("cpu", torch.bfloat16):
            output, (h_n, c_n) = lstm(argument)
        seen[name] = [t.dtype for t in (output[0], h_n, c_n)]
    except RuntimeError as error:  # the processor has no instructions for bfloat16
        seen[name] = str(error)
assert seen["tensor"] == seen["packed"] == seen["projection"], seen
