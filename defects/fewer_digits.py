"""Tensors, or gradients of them, that are rounded to fewer digits than their dtype has."""

from __future__ import annotations

import torch
from torch import Tensor

from .gradient_surgery import with_gradient_of

__all__ = ["in_format", "rounded", "with_gradient_in"]


def rounded(x: Tensor, bits: int) -> Tensor:
    """``x`` to so many bits; its gradient is left alone."""
    mantissa, exponent = torch.frexp(x.detach())
    nearest = torch.ldexp((mantissa * 2**bits).round() / 2**bits, exponent)
    return with_gradient_of(x, nearest.to(x.dtype))


def in_format(x: Tensor, dtype: torch.dtype) -> Tensor:
    """``x`` rounded to a format, but not to more digits than it has; its gradient is left alone."""
    if torch.finfo(dtype).eps < torch.finfo(x.dtype).eps:
        return x
    return with_gradient_of(x, x.detach().to(dtype).to(x.dtype))


def with_gradient_in(dtype: torch.dtype, x: Tensor) -> Tensor:
    """``x`` itself, except that its gradient is rounded to a format."""
    return with_gradient_of(x.to(dtype).to(x.dtype), x)
