"""Tensors with the same numbers in another memory layout."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...spec.case import Case

if TYPE_CHECKING:
    import torch

__all__ = [
    "ARGUMENT_LAYOUTS",
    "MEMORY_LAYOUTS",
    "NEGATED",
    "Layout",
    "exchanged",
    "part_of_longer",
    "transposed",
    "with_gaps",
]


# All axes but that of features.
_VECTORS = (-2, -3)


def transposed(x: torch.Tensor) -> torch.Tensor:
    """``x`` with its first axis innermost in memory."""
    return x.transpose(0, -1).contiguous().transpose(0, -1)


def exchanged(x: torch.Tensor) -> torch.Tensor:
    """``x`` with its first two of three axes in the other order in memory.

    As a batch of one row whose steps were the second axis: it is contiguous, though the distance
    of its rows is that of many steps.
    """
    if x.dim() != 3:
        return x
    # contiguous() would not copy one row, which it takes for contiguous in either order.
    memory = x.new_empty((x.shape[1], x.shape[0], x.shape[2]))
    return memory.copy_(x.transpose(0, 1)).transpose(0, 1)


def behind_others(x: torch.Tensor) -> torch.Tensor:
    """A copy of ``x`` in memory that starts with three other numbers."""
    others = x.new_full((3 + x.numel(),), 9.0)
    others[3:] = x.flatten()
    return others[3:].view(x.shape)


def negated_view(x: torch.Tensor) -> torch.Tensor:
    """``x`` as the imaginary part of conjugated numbers: memory holds the opposite numbers."""
    import torch

    opposite: torch.Tensor = torch.complex(torch.zeros_like(x), -x).conj().imag
    return opposite


def with_gaps(x: torch.Tensor, axis: int = -1) -> torch.Tensor:
    """``x`` as every other element along ``axis`` of a larger tensor, with NaN in between."""
    larger = _filled(x, axis, 2 * x.shape[axis])
    every_other = larger[_along(axis, slice(None, None, 2))]
    every_other.copy_(x)
    return every_other


def part_of_longer(x: torch.Tensor, axis: int) -> torch.Tensor:
    """``x`` as the first elements along ``axis`` of a tensor that has two more, which are NaN."""
    larger = _filled(x, axis, x.shape[axis] + 2)
    first = larger[_along(axis, slice(x.shape[axis]))]
    first.copy_(x)
    return first


def _filled(x: torch.Tensor, axis: int, length: int) -> torch.Tensor:
    shape = list(x.shape)
    shape[axis] = length
    return x.new_full(shape, float("nan"))


def _along(axis: int, part: slice) -> Any:
    """The index of a part along ``axis``, which is negative, and of all along the others."""
    return (..., part, *(slice(None),) * (-1 - axis))


@dataclass(frozen=True)
class Layout:
    """A memory layout.

    Attributes:
        apply: gives a tensor with the same numbers in this layout.
        equal: axes along which all vectors are one and the same; they are negative, and count only
            where a tensor has them.
        overlaps: whether each vector along the first axis begins with all but one of the elements
            of the one before it.
    """

    apply: Callable[[torch.Tensor], torch.Tensor]
    equal: tuple[int, ...] = ()
    overlaps: bool = False

    def case(self, case: Case, names: Iterable[str]) -> Case:
        """The case, with arguments whose numbers this layout can have."""
        if not self.equal and not self.overlaps:
            return case
        return case.with_values(
            {
                name: _in_windows(array) if self.overlaps else _repeated(array, self.equal)
                for name, array in case.arguments().items()
                if name in names
            }
        )

    def fits_packed(self, case: Case) -> bool:
        """Whether rows that were packed from this case can have the layout.

        They are one axis for all steps, and gradients do not pass through an expanded copy.
        """
        if self.overlaps:
            return False
        return not self.equal or (self.equal == _VECTORS and not case.cotangents)


def _first_along(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[slice, ...]:
    """Indices of the first element along each of the axes that there are."""
    there = {len(shape) + axis for axis in axes}
    return tuple(slice(1) if axis in there else slice(None) for axis in range(len(shape)))


def _repeated(array: NDArray[Any], axes: tuple[int, ...]) -> NDArray[Any]:
    return np.broadcast_to(array[_first_along(array.shape, axes)], array.shape)


def _in_windows(array: NDArray[Any]) -> NDArray[Any]:
    """The array in which element f of step t is number t + f of a signal, for each row."""
    signal = np.concatenate([array[..., 0], np.moveaxis(array[-1, ..., 1:], -1, 0)])
    places = np.arange(len(array))[:, None] + np.arange(array.shape[-1])  # (A, C)
    return np.moveaxis(signal[places], 1, -1)


def windows(x: torch.Tensor) -> torch.Tensor:
    """``x``, whose numbers are those of windows of a signal, as views of the signal."""
    import torch

    signal = torch.cat([x[..., 0], x[-1, ..., 1:].movedim(-1, 0)]).movedim(0, -1).contiguous()
    return signal.unfold(-1, x.shape[-1], 1).movedim(-2, 0)


def _expanded(*axes: int) -> Layout:
    """The first vector along ``axes`` in place of all, in the same memory."""
    return Layout(lambda x: x[_first_along(tuple(x.shape), axes)].expand(x.shape), axes)


def _before_last(layout: Callable[[torch.Tensor, int], torch.Tensor], axis: int) -> Layout:
    """A layout along an axis before the last one, for tensors that have it."""
    return Layout(lambda x: layout(x, axis) if x.dim() >= -axis else x)


# For input without batch_first, axis -3 is time and axis -2 is the batch.
MEMORY_LAYOUTS: dict[str, Layout] = {
    "transposed": Layout(transposed),
    "with gaps": Layout(with_gaps),
    "as every other row": _before_last(with_gaps, -2),
    "as every other step": _before_last(with_gaps, -3),
    "as a part of longer rows": Layout(lambda x: part_of_longer(x, -1)),
    "as a part of more rows": _before_last(part_of_longer, -2),
    "behind other numbers": Layout(behind_others),
    "expanded": _expanded(*_VECTORS),
    "expanded over rows": _expanded(-2),
}

# As input and states, which are often views of other tensors, may be, too.
ARGUMENT_LAYOUTS = {
    **MEMORY_LAYOUTS,
    "with its first two axes exchanged in memory": Layout(exchanged),
    "as overlapping windows of a signal": Layout(windows, overlaps=True),
}

# torch documents that Tensor.numpy() refuses it. So an implementation may refuse it, too.
NEGATED = {"as a negated view": Layout(negated_view)}
