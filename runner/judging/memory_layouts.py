"""Tensors with the same numbers in another memory layout."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np

from ...spec.case import Case

if TYPE_CHECKING:
    import torch

__all__ = ["MEMORY_LAYOUTS", "Layout", "expanded", "transposed", "with_equal_rows", "with_gaps"]

Layout = Callable[["torch.Tensor"], "torch.Tensor"]


def transposed(x: torch.Tensor) -> torch.Tensor:
    """``x`` with its first axis innermost in memory."""
    return x.transpose(0, -1).contiguous().transpose(0, -1)


def with_gaps(x: torch.Tensor) -> torch.Tensor:
    """``x`` as every other number of rows that are twice as long, with NaN in between."""
    gaps = x.new_full((*x.shape, 2), float("nan"))
    gaps[..., 0] = x
    return gaps.flatten(-2)[..., ::2]


def behind_others(x: torch.Tensor) -> torch.Tensor:
    """A copy of ``x`` in memory that starts with three other numbers."""
    others = x.new_full((3 + x.numel(),), 9.0)
    others[3:] = x.flatten()
    return others[3:].view(x.shape)


def expanded(x: torch.Tensor) -> torch.Tensor:
    """The first vector of ``x`` in place of all its vectors, in the same memory."""
    return x[(0,) * (x.dim() - 1)].expand(x.shape)


MEMORY_LAYOUTS: dict[str, Layout] = {
    "transposed": transposed,
    "with gaps": with_gaps,
    "behind other numbers": behind_others,
    "expanded": expanded,
}


def with_equal_rows(case: Case, names: Iterable[str]) -> Case:
    """The case with arguments whose values :func:`expanded` does not change."""
    return case.with_values(
        {
            name: np.broadcast_to(array[(0,) * (array.ndim - 1)], array.shape)
            for name, array in case.arguments().items()
            if name in names
        }
    )
