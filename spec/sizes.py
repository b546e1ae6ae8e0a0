"""The sizes that cases have: the steps of each ladder, classes of sizes, and pairs of classes.

Kernels compute in tiles, and choose among several kernels by size. An LSTM may then be wrong for
some sizes only: above a tile, at its end, or where a size is a multiple of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import combinations, product
from typing import NamedTuple

from .case import Case
from .did_you_mean import meant

__all__ = [
    "AXES",
    "CLASSES",
    "DEEP_OR_NARROW",
    "EVERYDAY",
    "FEW_EVERYDAY",
    "FEW_TOGETHER",
    "IN_BULK",
    "IN_TILES",
    "LADDERS",
    "NOT_BY_FOUR",
    "PAIRED",
    "WIDE_AND_LONG",
    "Sizes",
    "class_of",
    "layout_of",
    "of_classes",
    "pair_rows",
    "pairs",
    "parse_sizes",
    "sizes_of",
    "too_large",
    "unequal_lengths",
    "with_sizes",
    "work",
]


class Sizes(NamedTuple):
    """The sizes of one case. The default values are small, and differ from one another.

    A ``proj_size`` of 0 is none.
    """

    seq_len: int = 3
    batch_size: int = 2
    input_size: int = 4
    hidden_size: int = 5
    proj_size: int = 0
    num_layers: int = 1

    def __str__(self) -> str:
        return " ".join(f"{name}={size}" for name, size in zip(AXES, self, strict=True))


AXES = Sizes._fields

# The axes that have a size class each, and pairs of classes. Layers are few.
PAIRED = AXES[:5]

_POWERS = tuple(2**k for k in range(4, 11))
_MULTIPLES = (
    *(12, 20, 24, 40, 48, 56, 60, 72, 80, 96, 100, 120, 160, 200, 240),
    *(300, 384, 400, 500, 600, 640, 768, 800, 900, 1000),
)

# A multiple of 12, 24, 32, 48, 64 and 96: its neighbours begin and end tiles of all these sizes.
_OF_MANY_TILES = 192

# Every size up to 9, the neighbours of each power of two, and multiples of 8, 12, 20, 24 and 100.
_STEPS = sorted(
    {
        *(*range(1, 10), *_MULTIPLES),
        *(size + d for size in (*_POWERS, _OF_MANY_TILES) for d in (-1, 0, 1)),
    }
)

# For each axis the sizes that cases have, the others staying small.
LADDERS: dict[str, tuple[int, ...]] = {name: tuple(_STEPS) for name in PAIRED} | {
    "num_layers": (*range(1, 10), 12)
}

# A few sizes that are large together, for a quick look: even and uneven ones.
FEW_TOGETHER = (
    Sizes(9, 9, 9, 9),
    Sizes(16, 16, 16, 16),
    Sizes(17, 17, 17, 17, 16),
    Sizes(32, 32, 32, 32, 24),
    Sizes(33, 33, 33, 33),
    Sizes(8, 16, 16, 64),
    Sizes(65, 8, 8, 65),
    Sizes(8, 65, 65, 16),
    Sizes(12, 20, 128, 40, 33),
    Sizes(129, 12, 16, 16),
    Sizes(9, 129, 20, 33),
)

# More layers than other cases with large sizes have, and one row.
DEEP_OR_NARROW = (
    Sizes(33, 9, 4, 17, 0, 4),
    Sizes(129, 3, 4, 5, 0, 3),
    Sizes(5, 65, 33, 65, 0, 5),
    Sizes(1, 1, 65, 129),
    Sizes(67, 1, 4, 33),
)

# So many steps and rows that the input and the gates of a layer have a million numbers, or four
# millions. Programs compute such arrays in pieces. A quick look takes the first of these sizes.
# They are chosen so that batched cases have biases, and some other ones are packed.
IN_BULK = (Sizes(17, 1025, 69, 16), Sizes(65, 1031, 67, 17), Sizes(65, 1026, 69, 16))

# Multiples of 2, but not of 4, which the ladders lack from 10 on: the last two are left over
# where a program takes four at a time.
NOT_BY_FOUR = (Sizes(10, 18, 22, 26), Sizes(14, 6, 30, 50, 34), Sizes(22, 10, 130, 14))

# Sizes that are none of those above in several respects at once: remainders of rows and units,
# many weights, all of them neither small nor large, more layers in many rows.
FEW_EVERYDAY = (
    Sizes(3, 11, 5, 6),
    Sizes(2, 1, 768, 512),
    Sizes(25, 25, 25, 25),
    Sizes(21, 22, 5, 6, 0, 3),
)

# Besides, one row of many steps and units, many states, and many steps, rows and units together.
# They are in an order that gives each of them the layouts, and gradients, that a test asks for.
EVERYDAY = (
    Sizes(66, 1, 20, 66),
    Sizes(71, 1, 18, 82),
    *FEW_EVERYDAY,
    Sizes(2, 400, 20, 256),
    Sizes(100, 32, 100, 100),
    Sizes(1, 2, 640, 513),
    Sizes(8, 64, 256, 256),
    Sizes(101, 33, 40, 128),
    Sizes(4, 23, 3, 14),
    Sizes(70, 1, 3, 65),
    Sizes(14, 67, 35, 46),
    Sizes(128, 64, 16, 128),
    Sizes(17, 18, 9, 10, 0, 4),
)

# Many rows, features and units in a few steps, and a few in many steps: for what a program may do
# with an LSTM. Long sequences with several layers take little time up to here.
WIDE_AND_LONG = (Sizes(3, 67, 66, 131), Sizes(66, 3, 4, 5))

# Multiples of the tiles in which programs compute: some have other code for them alone.
IN_TILES = Sizes(4, 64, 64, 128)

# The largest size of each class, but for the last one, which has no largest size.
_LAST = (8, 16, 32, 64, 128, 256, 512)
_FIRST = _LAST[0]

# Names of the classes of sizes, from small to large.
CLASSES = ("1-8", "9-16", "17-32", "33-64", "65-128", "129-256", "257-512", "over 512")

# Two sizes of each class: one after a power of two, and a multiple of many tiles.
_UNEVEN = (3, 9, 17, 33, 65, 129, 257, 513)
_EVEN = (8, 16, 32, 64, 128, 256, 512, 640)


def class_of(size: int) -> int:
    """The place of the class of ``size`` in :data:`CLASSES`."""
    return sum(size > last for last in _LAST)


def sizes_of(case: Case) -> Sizes:
    """The sizes of ``case``."""
    config = case.config
    own = config.input_size, config.hidden_size, config.proj_size, config.num_layers
    return Sizes(case.seq_len, case.batch_size, *own)


def with_sizes(case: Case, sizes: Sizes) -> Case:
    """``case`` in other sizes. Packed rows have unequal lengths, in the order that they had.

    Raises:
        ValueError: there is no such case, for example unbatched input of two rows.
    """
    T, N, features, H, P, L = sizes
    lengths = unequal_lengths(T, N, case.layout == "packed_sorted") if case.packed else ()
    layout = layout_of(lengths) if case.packed else case.layout
    return replace(
        case,
        config=replace(case.config, input_size=features, hidden_size=H, proj_size=P, num_layers=L),
        seq_len=T,
        batch_size=N,
        layout=layout,
        lengths=lengths,
    )


def unequal_lengths(seq_len: int, batch_size: int, in_order: bool) -> tuple[int, ...]:
    """Lengths of packed rows: the longest one, and others that go down to 1.

    They are spread evenly, so that their sum is a power of two for some sizes that are. The second
    of two rows has half of the steps, so that it has some.
    """
    last = max(batch_size - 1, 1)
    shortest = 1 if last > 1 else (seq_len + 1) // 2
    shorter = 2 * (seq_len - shortest)
    lengths = [seq_len - (shorter * k + last) // (2 * last) for k in range(batch_size)]
    if not in_order and len(set(lengths)) > 1:
        lengths = lengths[1::2] + lengths[::2]
    return tuple(lengths)


def layout_of(lengths: tuple[int, ...]) -> str:
    """The packed layout of rows of these lengths."""
    in_order = list(lengths) == sorted(lengths, reverse=True)
    return "packed_sorted" if in_order else "packed_unsorted"


Pair = tuple[str, str]


def pairs() -> Iterator[Pair]:
    """Every pair of axes."""
    return combinations(PAIRED, 2)


def of_classes(sizes: Sizes) -> dict[str, int]:
    """Axis to the class of its size. Without a projection, ``proj_size`` is left out."""
    return {
        name: class_of(size) for name, size in sizes._asdict().items() if name in PAIRED if size
    }


def work(sizes: Sizes) -> float:
    """About how long it takes to compute what is expected of a case, in seconds of one core.

    It decides what is visited, so it depends on nothing but the sizes.
    """
    T, N, features, H, P, L = sizes
    R = P or H
    weights = 4 * H * (features + (L - 1) * R + L * R) + L * P * H
    products = T * N * weights
    return 2e-9 * products + 5e-7 * T * N * H * L + 3e-7 * weights + 7e-4 * T * L


def too_large(sizes: Sizes, limit: float) -> str:
    """Why a case of these sizes is left out; empty if it is not."""
    seconds = work(sizes)
    return f"more work than {limit:g} s" if seconds > limit else ""


def pair_rows(limit: float) -> tuple[tuple[Sizes, ...], dict[str, str]]:
    """Sizes in which each pair of classes occurs, by covering arrays without and with a projection.

    Args:
        limit: of :func:`work` of one case.

    Returns:
        The sizes, and each pair of classes that is left out, with the reason.
    """
    plain = _Covering([pair for pair in pairs() if "proj_size" not in pair], limit)
    projected = _Covering([pair for pair in pairs() if "proj_size" in pair], limit)
    return (*plain.rows, *projected.rows), plain.left_out | projected.left_out


Choice = tuple[str, int]  # an axis and the place of a class


class _Covering:
    """A greedy covering array: each row adds the classes with most pairs that are missing."""

    def __init__(self, axes: list[Pair], limit: float) -> None:
        self.rows: list[Sizes] = []
        self.left_out: dict[str, str] = {}
        self._names = [name for name in PAIRED if any(name in pair for pair in axes)]
        self._limit = limit
        places = range(len(CLASSES))
        self._missing = {((a, k), (b, m)) for a, b in axes for k, m in product(places, repeat=2)}
        # How often each pair of axes was even and uneven, where both are beyond the first class.
        self._evenness: Counter[tuple[Choice, Choice]] = Counter()
        # The largest first: the others find room beside them.
        for pair in sorted(self._missing, key=lambda pair: (-sum(k for _, k in pair), pair)):
            if pair in self._missing:
                self._add(pair)

    def _add(self, pair: tuple[Choice, Choice]) -> None:
        chosen = dict(pair)
        reason = self._reason(chosen)
        if reason:
            self._missing.remove(pair)
            self.left_out[" and ".join(f"{name} {CLASSES[k]}" for name, k in pair)] = reason
            return
        for name in self._names:
            best = max(range(len(CLASSES)), key=partial(self._gain, chosen, name))
            if name not in chosen and not self._reason({**chosen, name: best}):
                chosen[name] = best
        even = min(self._ways(chosen), key=lambda even: self._seen(chosen, even))
        self._evenness.update(_pairs_of_evenness(chosen, even))
        self.rows.append(_sizes(chosen, even))
        self._missing -= set(combinations(_in_order(chosen), 2))

    def _gain(self, chosen: dict[str, int], name: str, k: int) -> tuple[int, int]:
        """How many missing pairs a class would add; less than none if it is impossible."""
        if self._reason({**chosen, name: k}):
            return -1, -k
        new = (tuple(_in_order(dict([other, (name, k)]))) for other in chosen.items())
        return sum(pair in self._missing for pair in new), -k

    def _reason(self, chosen: dict[str, int]) -> str:
        """Why sizes of these classes are left out; empty if they are not."""
        if chosen.get("proj_size", 0) > chosen.get("hidden_size", len(CLASSES)):
            return "proj_size has to be smaller than hidden_size"
        return too_large(_sizes(chosen, frozenset()), self._limit)

    def _ways(self, chosen: dict[str, int]) -> Iterator[frozenset[str]]:
        """Which axes may be even, so that the work is within its limit."""
        for number in range(len(chosen) + 1):
            for even in map(frozenset, combinations(chosen, number)):
                if not too_large(_sizes(chosen, even), self._limit):
                    yield even

    def _seen(self, chosen: dict[str, int], even: frozenset[str]) -> float:
        """How familiar such a row is: the sum over its pairs, where rare ones count most."""
        pairs_of_row = _pairs_of_evenness(chosen, even)
        return -sum(1 / (1 + self._evenness[pair]) ** 2 for pair in pairs_of_row)


def _in_order(chosen: dict[str, int]) -> list[Choice]:
    return [(name, chosen[name]) for name in PAIRED if name in chosen]


def _pairs_of_evenness(chosen: dict[str, int], even: frozenset[str]) -> list[tuple[Choice, Choice]]:
    sizes = _sizes(chosen, even)._asdict()
    ways = [
        (name, int(sizes[name] == _EVEN[k]))
        for name, k in _in_order(chosen)
        if sizes[name] > _FIRST
    ]
    return list(combinations(ways, 2))


def _sizes(classes: dict[str, int], even: frozenset[str]) -> Sizes:
    """Sizes of these classes; of the axes in ``even`` the even ones."""
    sizes = dict(zip(PAIRED, Sizes(), strict=False))
    for name in PAIRED:
        if name in classes:
            sizes[name] = (_EVEN if name in even else _UNEVEN)[classes[name]]
    if "proj_size" in classes and sizes["hidden_size"] <= sizes["proj_size"]:
        # Both of one class, or the hidden size is a default.
        of_proj = classes["proj_size"]
        of_hidden = max(of_proj, classes.get("hidden_size", of_proj))
        sizes["hidden_size"], sizes["proj_size"] = _EVEN[of_hidden], _UNEVEN[of_proj]
    return Sizes(**sizes)


def parse_sizes(text: str) -> Sizes:
    """Sizes from text such as ``hidden_size=1024 batch_size=64 seq_len=512``.

    Raises:
        ValueError: it is no such text, or there is no LSTM of these sizes.
    """
    given: dict[str, int] = {}
    for word in text.split():
        name, _, number = word.partition("=")
        if name not in AXES:
            hint = meant(name, AXES)
            raise ValueError(f"there is no size {name!r}{hint}: choose from {', '.join(AXES)}")
        if name in given:
            raise ValueError(f"{name} is given twice")
        if not number.isdecimal() or len(number) > _MOST_DIGITS:
            raise ValueError(f"{name} is no whole number, but {number!r}")
        given[name] = int(number)
    if not given:
        raise ValueError(f"no sizes: give some of {', '.join(AXES)}, as hidden_size=512")
    sizes = Sizes(**given)
    if 0 in sizes._replace(proj_size=1) or sizes.hidden_size <= sizes.proj_size:
        raise ValueError(f"there is no LSTM of the sizes {text!r}")
    return sizes


_MOST_DIGITS = 7
