"""What a call is given, with its numbers changed."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from ..readable import Input, States

__all__ = ["both", "with_data"]


def with_data(input: Input, change: Callable[[Tensor], Tensor]) -> Input:
    """The input, packed or not, with its numbers changed."""
    if isinstance(input, Tensor):
        return change(input)
    return PackedSequence(
        change(input.data), input.batch_sizes, input.sorted_indices, input.unsorted_indices
    )


def both(hx: States | None, change: Callable[[Tensor], Tensor]) -> States | None:
    """Both states changed, if there are any."""
    return None if hx is None else (change(hx[0]), change(hx[1]))
