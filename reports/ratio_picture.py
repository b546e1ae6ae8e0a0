"""Draws where a failing result is wrong: a cell for each element or block, in words too."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from markupsafe import Markup

from ..spec.clean_text import counted
from .escaping import one_line, shortened
from .results import Number, RatioMapResult
from .tables import ratio_text

__all__ = ["Key", "RatioPicture", "ratio_picture"]

# Where the next shade begins. The first one begins at the ratio that fails.
_SHADES = (1e3, 1e6, 1e9)

_NAN, _INFINITE, _RIGHT = "nan", "infinite", "right"

# Largest number of rows or columns, and the side of a cell in pixels.
_SIDES = ((16, 24), (32, 16), (math.inf, 10))

# In pixels: height of a line of labels, and more than the width of a character.
_LINE, _CHARACTER = 20, 8


# In characters, of names in results.
_LONGEST = 40


class Key(NamedTuple):
    """What one colour means: the class of its elements in the page, words, and how many cells."""

    name: str
    words: str
    cells: int


class RatioPicture(NamedTuple):
    """A drawing, its title and its content in words, and the keys of the colours in it."""

    svg: Markup
    title: str
    words: str
    keys: list[Key]


def ratio_picture(found: RatioMapResult, threshold: float, name: str) -> RatioPicture:
    """The drawing of a map of ratios, in the colours of the page.

    Args:
        found: the map.
        threshold: the ratio above which an element is wrong.
        name: with which the ids of the drawing begin.
    """
    limits = [threshold, *(limit for limit in _SHADES if limit > threshold)]
    cells = [[_class(_ratio(value), limits) for value in row] for row in found["values"]]
    counts = Counter(name for row in cells for name in row)
    title = f"Where {_label(found['tensor'])} is wrong: error over rounding noise"
    words = _in_words(found, cells, counts)
    keys = [Key(name, words, counts[name]) for name, words in _keys(limits).items() if counts[name]]
    return RatioPicture(_drawn(found, cells, name, title, words), title, words, keys)


def _label(name: str) -> str:
    """A name that results supply, on one line."""
    return shortened(one_line(name), _LONGEST)


def _ratio(value: Number) -> float:
    """The number that JSON holds; one that is missing is none."""
    return math.nan if value is None else float(value)


def _class(ratio: float, limits: Sequence[float]) -> str:
    if math.isnan(ratio):
        return _NAN
    if math.isinf(ratio):
        return _INFINITE
    return f"shade{sum(ratio > limit for limit in limits)}" if ratio > limits[0] else _RIGHT


def _keys(limits: Sequence[float]) -> dict[str, str]:
    """What each class means, from right to wrong."""
    shades = {f"shade{k}": f"over {limit:,g}" for k, limit in enumerate(limits, start=1)}
    return {
        _RIGHT: f"right: up to {limits[0]:,g}",
        **shades,
        _INFINITE: "infinity where a number is expected, or the reverse",
        _NAN: "NaN where a number is expected",
    }


def _in_words(found: RatioMapResult, cells: list[list[str]], counts: Counter[str]) -> str:
    total, wrong = sum(counts.values()), sum(counts.values()) - counts[_RIGHT]
    is_block = max(found["block"]) > 1
    what = "block" if is_block else "element"
    is_wrong = [[name != _RIGHT for name in row] for row in cells]
    rows = [k for k, row in enumerate(is_wrong) if any(row)]
    columns = [k for row in is_wrong for k, wrong_here in enumerate(row) if wrong_here]
    ratios = [_ratio(value) for row in found["values"] for value in row]
    largest = max((ratio for ratio in ratios if math.isfinite(ratio)), default=None)
    text = f"{wrong} of {counted(total, what)} {'is' if wrong == 1 else 'are'} wrong"
    if wrong and wrong < total:
        text += f", all in {_range(found, 0, rows)} and {_range(found, 1, columns)}"
    text += f". The largest finite ratio is {ratio_text(largest)}" if largest else ""
    for name, noun in ((_NAN, "NaN"), (_INFINITE, "an infinity")):
        if counts[name]:
            verb = "has" if counts[name] == 1 else "have"
            text += f". {counted(counts[name], what)} {verb} {noun}"
    return f"{text}."


def _range(found: RatioMapResult, axis: int, cells: Sequence[int]) -> str:
    """As in "steps 3 to 5": the elements of these cells."""
    block, size = found["block"][axis], found["shape"][axis]
    first, last = min(cells) * block, min((max(cells) + 1) * block, size) - 1
    name = _label(found["axes"][axis])
    return f"{name} {first}" if first == last else f"{name}s {first} to {last}"


def _drawn(
    found: RatioMapResult, cells: list[list[str]], name: str, title: str, words: str
) -> Markup:
    height, width = len(cells), max(map(len, cells))
    side = next(side for most, side in _SIDES if max(height, width) <= most)
    columns = _range(found, 1, range(width))
    rows = [_range(found, 0, [k]) for k in sorted({0, height - 1})]
    left = max(map(len, rows)) * _CHARACTER
    parts = [
        Markup('<text x="{}" y="14">{}</text>').format(left, columns),
        Markup('<text x="0" y="{}">{}</text>').format(_LINE + 0.5 * side + 4, rows[0]),
    ]
    if height > 1:
        y = _LINE + (height - 0.5) * side + 4
        parts.append(Markup('<text x="0" y="{}">{}</text>').format(y, rows[-1]))
    runs: dict[str, str] = {}
    for y, row in enumerate(cells):
        x = 0
        for kind, group in groupby(row):
            length = len(list(group))
            runs[kind] = runs.get(kind, "") + f"M{x} {y}h{length}v1h-{length}z"
            x += length
    lines = "".join(f"M0 {y}h{width}" for y in range(1, height))
    lines += "".join(f"M{x} 0v{height}" for x in range(1, width))
    drawn = [Markup('<path class="{}" d="{}"/>').format(kind, path) for kind, path in runs.items()]
    return Markup(
        '<svg class="map" role="img" aria-labelledby="{name}-title {name}-words" '
        'width="{wide}" height="{high}" viewBox="0 0 {wide} {high}">'
        '<title id="{name}-title">{title}</title><desc id="{name}-words">{words}</desc>{labels}'
        '<g transform="translate({left} {line}) scale({side})">{cells}'
        '<path class="lines" d="{lines}"/></g></svg>'
    ).format(
        name=name,
        wide=left + max(width * side, len(columns) * _CHARACTER),
        high=_LINE + height * side,
        title=title,
        words=words,
        labels=Markup("").join(parts),
        left=left,
        line=_LINE,
        side=side,
        cells=Markup("").join(drawn),
        lines=lines,
    )
