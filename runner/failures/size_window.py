"""For which sizes an LSTM is wrong: from which one on, up to which one, or multiples of what."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

from ...spec.case import Case
from ...spec.sizes import AXES, LADDERS, Sizes, sizes_of, unequal_lengths, with_sizes, work

__all__ = ["size_window"]

# No size beyond the ladders is tried, and no case of more seconds of work.
_LARGEST = {name: steps[-1] for name, steps in LADDERS.items()}
_MOST_WORK = 1.0

# A multiple is tried with these factors.
_FACTORS = (1, 2, 3, 4, 5, 6)

# Sizes at which most mistakes show, and below those at which kernels change. Rows and steps differ,
# and so do input and hidden size.
_SMALL = Sizes(seq_len=3, batch_size=2, input_size=3, hidden_size=4)

# Smallest number whose multiples are looked for.
_SMALLEST_DIVISOR = 3

# So many sizes next to each end of a range are tried, and so many around one that is in no range.
_NEIGHBOURS, _PATTERN = 3, 5

# An LSTM may be right only for multiples of one of these.
_DIVISORS = (2, 4, 8)

Fails = Callable[[int], bool | None]  # of a size; None if it cannot be tried


def size_window(fails: Callable[[Case], bool], case: Case) -> str | None:
    """One sentence on the sizes for which cases like ``case`` fail.

    It is None if small ones fail too, or if none fails.

    Sizes that do not matter are made small first. For the others, bisection finds where failures
    begin and end.

    Args:
        fails: whether a case fails.
        case: that fails.
    """

    @cache  # bisections, and what is tried beside their ends, meet at some sizes
    def fails_in(sizes: Sizes) -> bool | None:
        if work(sizes) > _MOST_WORK and work(sizes) > work(sizes_of(case)):
            return None
        try:
            return fails(with_sizes(case, sizes))
        except ValueError:  # there is no such case
            return None

    current = sizes_of(case)
    if not fails_in(current):
        return None
    # hidden_size has to be larger than proj_size. With few rows and steps, a case may take little
    # enough time without a projection.
    for axis in (*sorted(AXES, key="proj_size".__ne__), "proj_size"):
        small = _small(axis, current)
        if small < getattr(current, axis) and fails_in(current._replace(**{axis: small})):
            current = current._replace(**{axis: small})
    windows = []
    of_total = _total_window(fails_in, current) if case.packed else None
    if of_total is not None:
        windows.append(of_total)
    for axis in AXES if of_total is None else AXES[2:]:
        small, size = _small(axis, current), getattr(current, axis)
        if size > small:
            of_axis = partial(_replaced, fails_in, current, axis)
            windows.append(_window(axis, small, size, of_axis, _most(axis, current)))
    if not windows:
        return None
    # A tile may be wrong only where another size is large as well.
    return f"wrong only for some sizes: {', and '.join(windows)}."


def _most(axis: str, sizes: Sizes) -> int:
    """The largest size of ``axis`` that needs no other size to change."""
    return sizes.hidden_size - 1 if axis == "proj_size" else _LARGEST[axis]


def _small(axis: str, sizes: Sizes) -> int:
    """A small size of ``axis``, no larger than its size in ``sizes``."""
    least = sizes.proj_size + 1 if axis == "hidden_size" else 0
    return min(max(least, int(getattr(_SMALL, axis))), int(getattr(sizes, axis)))


def _replaced(
    fails_in: Callable[[Sizes], bool | None], sizes: Sizes, axis: str, size: int
) -> bool | None:
    changes = {axis: size}
    if axis == "proj_size":
        changes["hidden_size"] = max(sizes.hidden_size, size + 1)
    return fails_in(sizes._replace(**changes))


def _total_window(fails_in: Callable[[Sizes], bool | None], sizes: Sizes) -> str | None:
    """The sums of the lengths of packed rows that fail, in words.

    It is None if something else than the sum decides. One row has every sum, and so have rows of
    one step: a window of steps or of rows is not seen in both.
    """

    def of_row(total: int) -> bool | None:
        return fails_in(sizes._replace(seq_len=total, batch_size=1))

    def of_rows(total: int) -> bool | None:
        return fails_in(sizes._replace(seq_len=1, batch_size=total))

    total = sum(unequal_lengths(sizes.seq_len, sizes.batch_size, in_order=True))
    if not (of_row(total) and of_rows(total)) or of_row(1) or of_rows(1):
        return None
    window = _window("seq_len", 1, total, of_row, _LARGEST["seq_len"])
    return window.replace("seq_len", "the sum of the lengths")


def _window(axis: str, right: int, wrong: int, fails: Fails, most: int) -> str:
    """The sizes around ``wrong`` that fail, in words. The size ``right`` is known not to.

    Sizes above ``most`` change another size as well.
    """
    multiple = _divisor(axis, wrong, fails)
    if multiple:
        return f"{axis} is a multiple of {multiple}"
    first = _boundary(right, wrong, fails)
    beyond = next((size for size in _growing(wrong, _LARGEST[axis]) if fails(size) is False), None)
    last = None if beyond is None else _boundary(beyond, wrong, fails)
    if any(fails(size) is False for size in _within(first, last, _LARGEST[axis])):
        return _scattered(axis, wrong, fails, most)
    if last is None:
        return f"{axis} from {first} on (right at {first - 1})"
    if first == last:
        return f"{axis}={first} (right at {first - 1} and at {last + 1})"
    return f"{axis} from {first} to {last} (right at {first - 1} and at {last + 1})"


def _boundary(right: int, wrong: int, fails: Fails) -> int:
    """By bisection: a size that fails, whose neighbour on the side of ``right`` does not."""
    while abs(right - wrong) > 1:
        middle = (right + wrong) // 2
        if fails(middle):
            wrong = middle
        else:
            right = middle
    return wrong


def _within(first: int, last: int | None, largest: int) -> list[int]:
    """Sizes next to the ends of a range, inside: bisection alone tells no range from a pattern."""
    end = largest if last is None else last - 1
    after = range(first + 1, min(first + _NEIGHBOURS, end) + 1)
    before = [] if last is None else range(max(last - _NEIGHBOURS, first + 1), last)
    return sorted({*after, *before})


def _scattered(axis: str, wrong: int, fails: Fails, most: int) -> str:
    """The sizes around ``wrong`` that fail, in words, where some between them do not."""
    near = range(max(1, wrong - _PATTERN), min(wrong + _PATTERN, most) + 1)
    outcomes = {size: fails(size) for size in near}
    for divisor in _DIVISORS:
        if all(fail is None or fail == (size % divisor > 0) for size, fail in outcomes.items()):
            return f"{axis} is no multiple of {divisor} (tried from {near[0]} to {near[-1]})"
    failing, others = (
        ", ".join(str(size) for size, fail in outcomes.items() if fail is kind)
        for kind in (True, False)
    )
    return f"{axis} is one of {failing} (right at {others}; no others were tried)"


def _growing(size: int, largest: int) -> list[int]:
    sizes = [size + 1]
    while sizes[-1] < largest:
        sizes.append(min(largest, max(sizes[-1] + 2, sizes[-1] * 3 // 2)))
    return sizes if size < largest else []


def _divisor(axis: str, wrong: int, fails: Fails) -> int:
    """The smallest number whose multiples fail and whose neighbours do not; 0 if there is none."""
    if fails(wrong - 1) or fails(wrong + 1):
        return 0
    for divisor in range(_SMALLEST_DIVISOR, wrong + 1):
        if wrong % divisor:
            continue
        multiples = [divisor * k for k in _FACTORS if divisor * k <= _LARGEST[axis]]
        outcomes = [fails(size) for size in multiples]
        if len(multiples) > 1 and all(outcome is not False for outcome in outcomes):
            return divisor
    return 0
