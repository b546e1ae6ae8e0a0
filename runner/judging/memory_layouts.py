"""Tensors with the same numbers in another memory layout."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

__all__ = ["transposed", "with_gaps"]


def transposed(x: torch.Tensor) -> torch.Tensor:
    """``x`` with its first axis innermost in memory."""
    return x.transpose(0, -1).contiguous().transpose(0, -1)


def with_gaps(x: torch.Tensor) -> torch.Tensor:
    """``x`` as every other number of rows that are twice as long, with NaN in between."""
    gaps = x.new_full((*x.shape, 2), float("nan"))
    gaps[..., 0] = x
    return gaps.flatten(-2)[..., ::2]
