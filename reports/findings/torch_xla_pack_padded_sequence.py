"""PyTorch/XLA 2.9.0, PACK-1: a packed sequence has wrong numbers and no lengths.

Documentation of torch.nn.utils.rnn.pack_padded_sequence: it packs a tensor that has rows of
unequal length, on any device. PackedSequence: ``batch_sizes``, the number of rows at each step, is
on the CPU. Here the data have numbers of other rows or steps, and no exception says so.
``batch_sizes`` has no memory: torch.nn.LSTM and pad_packed_sequence raise an exception, and its
method ``numpy()`` returns what happens to be in memory.

A sequence that is packed on the CPU and moved, ``packed.to("xla")``, is right.
"""

import torch
import torch_xla  # noqa: F401 - it registers the device
from torch.nn.utils.rnn import pack_padded_sequence

x, lengths = torch.arange(1.0, 9.0).reshape(4, 2, 1), torch.tensor([4, 1])
expected = pack_padded_sequence(x, lengths)
packed = pack_padded_sequence(x.to("xla"), lengths)
moved = expected.to("xla")
for name, sequence in (("expected", expected), ("packed", packed), ("moved", moved)):
    print(name, sequence.data.flatten().tolist())
lstm = torch.nn.LSTM(1, 1, device="xla")
lstm(moved)
try:
    lstm(packed)
except RuntimeError as error:
    print("the LSTM raises:", str(error).partition("\n")[0])
assert packed.data.cpu().equal(expected.data), "packed on the device, the data are others"
