"""The same numbers, laid out in memory in other ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

__all__ = ["transposed", "with_gaps"]


def transposed(x: torch.Tensor) -> torch.Tensor:
    """The first axis lies innermost."""
    return x.transpose(0, -1).contiguous().transpose(0, -1)


def with_gaps(x: torch.Tensor) -> torch.Tensor:
    """Every other number of a row that is twice as long; NaN in between."""
    gaps = x.new_full((*x.shape, 2), float("nan"))
    gaps[..., 0] = x
    return gaps.flatten(-2)[..., ::2]
