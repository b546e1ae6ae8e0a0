"""Where a wrong result is wrong, as a small table of error over noise that a page can draw."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from ...reference.oracle import Expectation, expect
from ...reports.results import Number, RatioMapResult
from ...spec.case import OUTPUTS, Case
from ...spec.clean_text import counted
from ...spec.contract import Implementation, Observation
from ...spec.ratios import LARGEST_RATIO
from ...spec.verdicts import FAIL
from ..judging.comparison import THRESHOLD, allowed_error, compare, error_ratios
from .behaviour import run
from .probing_cases import is_determined, is_large, larger_cases
from .wrong_elements import axes_of

__all__ = ["LARGEST", "RatioMap", "ratio_map"]

Array = NDArray[np.float64]

# Rows and columns of a map. In those of a larger tensor, each cell stands for a block of elements.
LARGEST = 64

_DIGITS = 3

_DIRECTIONS = ("forward", "reverse")


@dataclass(frozen=True)
class RatioMap:
    """Error over noise in a part of a result that has two axes.

    Attributes:
        case: the line of the case; it may be a little larger than the failing one, which is often
            too small to have a pattern.
        tensor: name of the result.
        place: which part of it, or what is in it; empty if its axes say all.
        axes: what rows and columns of ``values`` are, as "step" and "unit".
        shape: numbers of rows and columns of the part.
        block: numbers of rows and columns that a cell stands for, less at the ends.
        values: the largest ratio of each block; NaN where a NaN is wrong, and infinite where an
            infinity is, or is missing.
    """

    case: str
    tensor: str
    place: str
    axes: tuple[str, str]
    shape: tuple[int, int]
    block: tuple[int, int]
    values: tuple[tuple[float, ...], ...]

    def to_json(self) -> RatioMapResult:
        """The map as plain JSON, where numbers that JSON lacks are text."""
        return {
            "case": self.case,
            "tensor": self.tensor,
            "place": self.place,
            "axes": list(self.axes),
            "shape": list(self.shape),
            "block": list(self.block),
            "values": [[_number(ratio) for ratio in row] for row in self.values],
        }

    @classmethod
    def from_json(cls, plain: RatioMapResult) -> RatioMap:
        """The map that :meth:`to_json` wrote.

        Raises:
            ValueError: it has too many cells, or something that is no number.
        """
        rows, columns = map(str, plain["axes"])
        values = tuple(tuple(map(float, cast(list[float], row))) for row in plain["values"])
        if max(len(values), *map(len, values)) > LARGEST:
            raise ValueError(f"a map has no more than {LARGEST} rows and columns")
        (height, width), (tall, wide) = map(int, plain["shape"]), map(int, plain["block"])
        return cls(
            str(plain["case"]),
            str(plain["tensor"]),
            str(plain["place"]),
            (rows, columns),
            (height, width),
            (tall, wide),
            values,
        )


def _number(ratio: float) -> Number:
    if not math.isfinite(ratio):
        return cast(Number, str(ratio))
    return min(float(f"{ratio:.{_DIGITS}g}"), LARGEST_RATIO)


def ratio_map(implementation: Implementation, case: Case, tensor: str) -> RatioMap | None:
    """Where ``tensor``, a result of ``case``, is wrong.

    If it is a state, and ``output`` is wrong too, the map is that of ``output``, which has a row
    for each step.

    Returns:
        None if a run of the case alone has nothing wrong in it, raises an exception, or has other
        shapes; also if the result has a single element.
    """
    if not is_determined(case):
        return None
    for shown in _cases(case):
        observation = run(implementation, shown)
        if observation is not None:
            found = _of_case(shown, observation, tensor)
            if found is not None:
                return found
    return None


def _cases(case: Case) -> Iterator[Case]:
    """The case to look at, and the failing one, if the first one is right."""
    if not is_large(case):
        yield larger_cases(case)[0]
    yield case


def _of_case(case: Case, observation: Observation, tensor: str) -> RatioMap | None:
    expectation = expect(case)
    names = ("output", tensor) if tensor in OUTPUTS else (tensor,)
    for name in names:
        if name in case.result_names() and _is_wrong(case, observation, expectation, name):
            break
    else:
        return None
    observed, expected = observation.tensors[name].values, expectation.values[name]
    if observed.shape != expected.shape or observed.size == 1:
        return None
    allowed = allowed_error(expected, expectation.noise[name], case.precision)
    ratios = error_ratios(observed, expected, allowed)
    ratios = np.where(np.isnan(observed) & ~np.isnan(expected), np.nan, ratios)
    place, axes, part = _part(case, name, ratios)
    height, width = part.shape
    block = -(-height // LARGEST), -(-width // LARGEST)
    cells = part
    for axis, number in enumerate(block):
        # The maximum of numbers and NaN is NaN.
        cells = np.maximum.reduceat(cells, range(0, part.shape[axis], number), axis)
    values = tuple(tuple(row) for row in cells.tolist())
    return RatioMap(str(case), name, place, axes, (height, width), block, values)


def _is_wrong(case: Case, observation: Observation, expectation: Expectation, name: str) -> bool:
    values, expected = observation.tensors[name].values, expectation.values[name]
    noise = expectation.noise[name]
    return compare(name, values, expected, noise, case.precision).verdict == FAIL


def _part(case: Case, name: str, ratios: Array) -> tuple[str, tuple[str, str], Array]:
    """The part of a result to be drawn: which it is, its two axes, and its ratios.

    Of a tensor with more than two axes it is the one with most wrong elements.
    """
    axes, shape = axes_of(case, name, ratios.shape)
    if "gate" in axes and ratios.ndim == 2:
        each = len(ratios) // 4
        return f"{counted(each, 'row')} for each of the gates i, f, g, o", ("row", "column"), ratios
    full = ratios.reshape(shape)
    rows = next(axis for axis in ("step", "row", "layer", *axes) if axis in axes[:-1])
    others = [axis for axis in axes[:-1] if axis != rows]
    parts = np.moveaxis(full, axes.index(rows), -2)  # (..., rows, columns)
    sizes = parts.shape[:-2]
    flat = parts.reshape(-1, *parts.shape[-2:])
    wrong = (~(flat <= THRESHOLD)).sum(axis=(1, 2))
    worst = np.nan_to_num(flat, nan=np.inf).max(axis=(1, 2))
    chosen = max(range(len(flat)), key=lambda k: (wrong[k], worst[k]))
    index = np.unravel_index(chosen, sizes) if sizes else ()
    words = [
        f"the {_DIRECTIONS[k]} direction" if axis == "direction" else f"{axis} {k}"
        for axis, k, size in zip(others, index, sizes, strict=True)
        if size > 1
    ]
    if rows == "gate":
        words = ["the gates i, f, g, o"]
    return ", ".join(words), (rows, axes[-1]), flat[chosen]
