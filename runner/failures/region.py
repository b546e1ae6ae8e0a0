"""Says in words where elements of results are wrong: pure functions on arrays of booleans."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ...spec.clean_text import listed

__all__ = ["Elements", "Region", "in_words", "region", "united"]

Bools = NDArray[np.bool_]

# From the name of an axis to the words for its wrong indices. Empty: wrong everywhere.
Region = dict[str, str]

# An element in a wrong region may be right by chance: where a factor is zero or saturated. Elements
# outside of a region may never be wrong.
_FILLED = 0.9

# So many single indices are listed.
_LISTED = 3

# In the order in which they are named.
_PADDING = "padding"
_AXES = ("gate", "projected unit", "unit", "feature", "step", "row", "direction", "layer", _PADDING)

_NAMES = {"direction": ("forward", "reverse"), "gate": ("i", "f", "g", "o")}


@dataclass(frozen=True)
class Elements:
    """The elements of one result.

    Attributes:
        axes: names of the axes, some of "gate", "projected unit", "unit", "feature", "step",
            "row", "direction" and "layer".
        wrong: which elements are wrong.
        counts: which elements are judged, in the same shape. Padding is not, as long as it is
            right.
        marks: name of an axis to words for sets of its indices, which are preferred to numbers.
        padding: which elements lie behind the end of a row, in the same shape; None if none do.
    """

    axes: tuple[str, ...]
    wrong: Bools
    counts: Bools
    marks: Mapping[str, Mapping[str, frozenset[int]]] = field(default_factory=dict)
    padding: Bools | None = None


def region(views: Sequence[Elements]) -> Region | None:
    """The region that the wrong elements are in, the same words for all ``views``.

    A region is a product of sets of indices, one set for each axis. It is stated only if no element
    outside of it is wrong, some elements outside are judged, and at least 0.9 of the elements
    inside are wrong. If no region with all axes is filled so much, an axis is left out: an index of
    the others then is wrong if any of its elements is.

    Args:
        views: the same result in cases of several sizes or seeds, each with a wrong element. With
            several, "the last row" differs from "row 3", and a pattern of one case by chance is
            not taken for a region.

    Returns:
        None if the wrong elements are in no region that has words.
    """
    if all(v.padding is not None and v.padding[v.wrong].all() for v in views):
        return {_PADDING: "the padding"}
    axes = [axis for axis in _AXES if axis in views[0].axes]
    words = {axis: _words(axis, views) for axis in axes}
    described = [axis for axis in axes if words[axis]]
    everywhere = all(_is_full(view, axis) for view in views for axis in axes)
    if everywhere and all(_filled(view, view.axes) for view in views):
        return {}
    for number in range(len(described), 0, -1):
        for chosen in combinations(described, number):
            if all(_filled(view, chosen) for view in views):
                return {axis: words[axis] for axis in _needed(chosen, views)}
    return None


def in_words(found: Region | None) -> str:
    """As in "only in units 4 and up of the reverse direction"; empty if there is no region."""
    if found is None:
        return ""
    if not found:
        return "everywhere"
    words = " of ".join(found[axis] for axis in _AXES if axis in found)
    return f"in {words}" if words.startswith("all ") else f"only in {words}"


def united(first: Region | None, second: Region | None) -> Region | None:
    """The region of two results together; None if they are wrong in different regions."""
    if first is None or second is None:
        return None
    common = {axis: words for axis, words in first.items() if second.get(axis) == words}
    if not common:
        return {} if first == second else None
    # A result may lack an axis, or all indices of it are wrong there.
    return common


def _words(axis: str, views: Sequence[Elements]) -> str:
    """Words that are right for ``axis`` in all views; empty if none are, or all is wrong."""
    if any(_is_full(view, axis) for view in views):
        return ""
    # With one size only, the end is no better known than the number.
    sizes = {view.wrong.shape[view.axes.index(axis)] for view in views}
    of_views = [dict.fromkeys(_candidates(axis, view, len(sizes) > 1)) for view in views]
    common = [words for words in of_views[0] if all(words in other for other in of_views)]
    return common[0] if common else ""


def _candidates(axis: str, view: Elements, of_sizes: bool) -> Iterator[str]:
    """Words for the wrong indices of ``axis``, the best first."""
    wrong, judged = _indices(view, axis)
    size = view.wrong.shape[view.axes.index(axis)]
    low, high = min(wrong), max(wrong)

    def fits(indices: Sequence[int] | frozenset[int]) -> bool:
        return set(indices) & judged == wrong

    for words, indices in view.marks.get(axis, {}).items():
        if fits(indices):
            yield words
    if axis in _NAMES:
        yield _named(axis, sorted(wrong))
        return
    ends = [
        (f"the first {axis}", fits([0])),
        (f"the last {axis}", fits([size - 1])),
        (f"all {axis}s but the last", fits(range(size - 1)) and low == 0),
    ]
    numbers = [
        (f"{axis} {low}", fits([low]) and high < size - 1),
        (f"{axis}s {low} and up", fits(range(low, size)) and low > 0 and low < size - 1),
        (f"{axis}s 0 to {high}", fits(range(high + 1)) and high > 0),
        (f"{axis}s {low} to {high}", fits(range(low, high + 1)) and high > low),
        (f"{axis} {low}", fits([low])),
        (f"{axis}s {low} and up", fits(range(low, size)) and low > 0),
        (f"{axis}s {listed(sorted(wrong))}", 1 < len(wrong) <= _LISTED),
    ]
    yield from (words for words, holds in [*(ends if of_sizes else ()), *numbers] if holds)


def _named(axis: str, indices: list[int]) -> str:
    names = [_NAMES[axis][index] for index in indices]
    if axis == "direction":
        return f"the {names[0]} direction"
    return f"the gate{'s' * (len(names) > 1)} {listed(names)}"


def _indices(view: Elements, axis: str) -> tuple[set[int], set[int]]:
    """The indices of ``axis`` with a wrong element, and those with an element that is judged."""
    wrong, counts = _collapsed(view, (axis,))
    return set(np.flatnonzero(wrong).tolist()), set(np.flatnonzero(counts).tolist())


def _is_full(view: Elements, axis: str) -> bool:
    wrong, judged = _indices(view, axis)
    return wrong == judged


def _filled(view: Elements, axes: Sequence[str]) -> bool:
    """Whether nearly all of the product of the wrong indices of ``axes`` is wrong."""
    wrong, counts = _collapsed(view, axes)
    inside = np.ones(wrong.shape, bool)
    for k in range(wrong.ndim):
        others = tuple(j for j in range(wrong.ndim) if j != k)
        inside &= wrong.any(axis=others, keepdims=True)
    judged = counts & inside
    return bool(wrong.sum() >= _FILLED * judged.sum())


def _needed(axes: Sequence[str], views: Sequence[Elements]) -> Sequence[str]:
    """``axes`` without those that leave the region as it is: late steps have no short rows."""
    for axis in axes if len(axes) > 1 else ():
        fewer = [other for other in axes if other != axis]
        if all(_number_inside(view, axes) == _number_inside(view, fewer) for view in views):
            return _needed(fewer, views)
    return axes


def _number_inside(view: Elements, axes: Sequence[str]) -> int:
    """The number of elements that are judged in the region of ``axes``."""
    inside = view.counts | view.wrong
    for axis in axes:
        others = tuple(k for k, name in enumerate(view.axes) if name != axis)
        inside = inside & view.wrong.any(axis=others, keepdims=True)
    return int(inside.sum())


def _collapsed(view: Elements, axes: Sequence[str]) -> tuple[Bools, Bools]:
    """What is wrong and what is judged, with ``axes`` only; an index is if any element of it is."""
    others = tuple(k for k, axis in enumerate(view.axes) if axis not in axes)
    judged = view.counts | view.wrong
    return np.asarray(view.wrong.any(axis=others)), np.asarray(judged.any(axis=others))
