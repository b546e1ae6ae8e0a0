"""LSTMs that are wrong in one window of sizes each: above a size, at it, or at its multiples.

They are not part of the catalogue, whose defects the diagnosis looks for by name: the diagnosis
finds the window itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch

from .call_sizes import Call
from .sizes import changed_gradient, lost_unit

__all__ = ["Window", "windows"]

# What a window is about: an attribute of Call.
AXES = ("steps", "rows", "features", "hidden", "projection", "layers", "packed_total")

ABOVE, EQUAL, MULTIPLE = "above", "equal to", "a multiple of"

_SIZES = {
    ABOVE: (4, 8, 16, 32, 64, 128, 256, 512),
    EQUAL: (16, 32, 64, 128),
    MULTIPLE: (16, 32, 64, 128),
}
_LARGEST = {"layers": 9}


@dataclass(frozen=True)
class Window:
    """The sizes for which one LSTM is wrong.

    Attributes:
        axis: one of ``AXES``.
        relation: ``"above"``, ``"equal to"`` or ``"a multiple of"``.
        size: to which the axis has this relation.
        of_gradient: whether the gradient of the input is wrong, and not ``output``.
    """

    axis: str
    relation: str
    size: int
    of_gradient: bool

    @property
    def name(self) -> str:
        """What is wrong and for which sizes, as in a table."""
        what = "gradient" if self.of_gradient else "forward"
        return f"{what}: {self.axis} {self.relation} {self.size}"

    def holds(self, call: Call) -> bool:
        """Whether the LSTM is wrong in a call of these sizes."""
        size: int = getattr(call, self.axis)
        if self.relation == ABOVE:
            return size > self.size
        if self.relation == EQUAL:
            return size == self.size
        return size > 0 and size % self.size == 0

    def lstm(self) -> type[torch.nn.LSTM]:
        """The LSTM that is wrong in this window."""
        wrong = changed_gradient if self.of_gradient else lost_unit
        return wrong(partial(Window.holds, self))


def windows() -> Iterator[Window]:
    """Every window: of each axis, above, at and at multiples of powers of two."""
    for of_gradient in (False, True):
        for axis in AXES:
            for relation, sizes in _SIZES.items():
                for size in sizes:
                    if size < _LARGEST.get(axis, size + 1):
                        yield Window(axis, relation, size, of_gradient)
