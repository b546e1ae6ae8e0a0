"""Tensors whose values are right and whose gradients are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .readable import Weights

__all__ = [
    "constant",
    "in_memory_order",
    "with_cotangents",
    "with_gradient_of",
    "with_gradient_times",
]


def constant(w: Weights) -> Weights:
    """The same parameters without gradients."""
    parameters: list[Any] = [None if p is None else p.detach() for p in w]
    return Weights(*parameters)


def with_gradient_times(factor: float, x: Tensor) -> Tensor:
    """``x`` itself, except that its gradient is multiplied by ``factor``."""
    return with_gradient_of(factor * x, x)


def with_gradient_of(other: Tensor, x: Tensor) -> Tensor:
    """``x`` itself, except that what is backpropagated goes to ``other``, of the same shape."""
    nothing = torch.nan_to_num(other - other.detach())  # where it is infinite too
    return x.detach() + nothing


def with_cotangents(
    change: Callable[[list[Tensor | None]], list[Tensor | None]], *tensors: Tensor
) -> tuple[Tensor, ...]:
    """The tensors themselves, except that ``change`` is made to their cotangents together.

    Those that have none are None.
    """

    class Changed(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *values: Tensor) -> tuple[Tensor, ...]:
            ctx.set_materialize_grads(False)
            return tuple(value.clone() for value in values)

        @staticmethod
        def backward(ctx: Any, *cotangents: Tensor | None) -> tuple[Tensor | None, ...]:
            return tuple(change(list(cotangents)))

    changed: tuple[Tensor, ...] = Changed.apply(*tensors)
    return changed


def in_memory_order(cotangent: Tensor) -> Tensor:
    """The numbers from where a tensor begins in memory, whatever its strides, if there are
    enough of them."""
    there = cotangent.untyped_storage().nbytes() // cotangent.element_size()
    if there - cotangent.storage_offset() < cotangent.numel():
        return cotangent
    return cotangent.as_strided(cotangent.shape, torch.empty(cotangent.shape).stride())
