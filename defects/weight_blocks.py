"""The four blocks of rows of a parameter, one for each gate, moved or transposed."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["read_in_order", "transposed_blocks"]


def read_in_order(order: str, p: Tensor) -> Tensor:
    """The parameter in the documented order, if its blocks are taken to be in another one.

    Args:
        order: the gates, by the letters of the equations, as in ``iofg``.
        p: (4H,) or (4H, columns).
    """
    blocks = dict(zip(order, p.chunk(4), strict=True))
    return torch.cat([blocks[gate] for gate in "ifgo"])


def transposed_blocks(W: Tensor) -> Tensor:
    """Each of the four blocks transposed, where they are square."""
    rows, columns = len(W) // 4, W.shape[1]
    return torch.cat([block.T for block in W.chunk(4)]) if rows == columns else W
