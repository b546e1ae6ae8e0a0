"""torch 2.13.0, torch.jit.script, USE-4: the packed sequence that a script returns is none.

Documentation of torch.nn.LSTM, "Outputs": for a packed input the output is a packed sequence.
A script returns a named tuple of the same fields and of another class, without the methods of a
``PackedSequence``; where classes are asked for, as ``torch.nn.LSTM`` does, it is taken for
something else. https://github.com/pytorch/pytorch/issues/43873
"""

import torch
from torch.nn.utils.rnn import PackedSequence, pack_sequence


class Wrapper(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = torch.nn.LSTM(1, 1)

    def forward(
        self, x: PackedSequence
    ) -> tuple[PackedSequence, tuple[torch.Tensor, torch.Tensor]]:
        return self.lstm(x)


output, _ = torch.jit.script(Wrapper())(pack_sequence([torch.ones(3, 1)]))
kind = f"{type(output).__module__}.{type(output).__qualname__}"
assert isinstance(output, PackedSequence), f"{kind} is no {PackedSequence}"
