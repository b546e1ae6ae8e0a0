"""Plots of the results of one implementation, for a page: coverage, and how large errors were."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..spec.clean_text import counted
from .coverage import FACTORS, Coverage
from .escaping import one_line
from .plot_style import BLUE, GREY, RED, TEXT, inline_svg, short_label, style
from .results import Results
from .tables import dtypes_of

__all__ = ["coverage_plot", "histogram_plot", "sizes_plot"]


def coverage_plot(found: Coverage) -> Markup:
    """A heat map: how many combinations with each pair of choices were visited."""
    pairs = found.pairs
    assert pairs is not None
    choices = [(factor, value) for factor, values in FACTORS.items() for value in values]
    shares = {pair: number / found.possible[pair] for pair, number in pairs.items()}
    triangle = [(one, other) for k, one in enumerate(choices) for other in choices[: k + 1]]
    never = sum(pairs.get(pair) == 0 for pair in triangle)
    return _heat_map(
        [f"{factor} {value}" for factor, value in choices],
        lambda row, column: pairs.get((choices[row], choices[column])),
        lambda row, column: shares[choices[row], choices[column]],
        "coverage",
        "Parameter combinations visited, for each pair of choices",
        f"{found.visited} of {found.total} combinations were visited. A number says how many have "
        "both choices, a cross that there is none. "
        + (
            f"{counted(never, 'pair was', 'pairs were')} never tried."
            if never
            else "Every pair was tried."
        ),
    )


def sizes_plot(results: Results) -> Markup | None:
    """A heat map: how many cases have each pair of size classes; None if sizes are unknown."""
    found = results["coverage"]["sizes"]
    classes = found["classes"]
    tables = {tuple(pair["axes"]): pair["cases"] for pair in found["pairs"]}
    axes = list(dict.fromkeys(name for pair in tables for name in pair))
    if not axes:
        return None

    def number(row: int, column: int) -> int | None:
        # The first axis of a pair has the smaller place.
        table = tables.get((axes[column // len(classes)], axes[row // len(classes)]))
        return None if table is None else table[column % len(classes)][row % len(classes)]

    numbers = [n for table in tables.values() for line in table for n in line]
    largest = max(numbers) or 1
    never = numbers.count(0)
    return _heat_map(
        [short_label(f"{axis} {name}") for axis in axes for name in classes],
        number,
        lambda row, column: math.sqrt((number(row, column) or 0) / largest),
        "sizes",
        "Sizes visited, for each pair of size classes",
        "A number says how many different sizes of cases have both classes, a cross that there is "
        f"none. {never} of {len(numbers)} pairs {'has' if never == 1 else 'have'} none.",
    )


def _heat_map(
    names: list[str],
    number: Callable[[int, int], int | None],
    share: Callable[[int, int], float],
    identity: str,
    title: str,
    text: str,
) -> Markup:
    """A triangle of numbers.

    Args:
        names: of rows, which are those of columns too.
        number: that is shown for a row and a column not behind it; None for an empty place.
        share: how bright it is.
        identity: of the plot in its page.
        title, text: what it shows, in words.
    """
    places = [
        (row, column, found)
        for row in range(len(names))
        for column in range(row + 1)
        if (found := number(row, column)) is not None
    ]
    largest = max((share(row, column) for row, column, _ in places), default=0.0) or 1.0
    size = 7.2 * max(1.0, len(names) / 30)
    with style(**{"font.size": 7}):
        figure = Figure(figsize=(size, 0.92 * size), layout="constrained")
        axes = figure.subplots()
        colours = mpl.colormaps["cividis"]
        for row, column, found in places:
            brightness = share(row, column) / largest
            # All of it lies within the axes, whose limits are given: what is drawn is not measured.
            axes.add_artist(
                mpl.patches.Rectangle(
                    (column - 0.47, row - 0.47), 0.94, 0.94,
                    facecolor=colours(brightness) if found else "none", in_layout=False,
                    edgecolor="none" if found else GREY, linewidth=0.6, clip_on=False,
                )
            )  # fmt: skip
            ink = TEXT if not found else "#ffffff" if brightness < 0.4 else "#111111"
            axes.text(
                column, row, str(found) if found else "\u00d7", color=ink, size=6,
                ha="center", va="center", in_layout=False,
            )  # fmt: skip
        axes.set_xlim(-0.6, len(names) - 0.4)
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.set_xticks(range(len(names)), names, rotation=90)
        axes.set_yticks(range(len(names)), names)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        return inline_svg(figure, identity, title, text)


def histogram_plot(results: Results) -> Markup | None:
    """A histogram of errors over rounding noise, for each tensor and dtype; None without any."""
    found = [tensor for tensor in results["tensors"] if tensor["histogram"]]
    if not found:
        return None
    dtypes = dtypes_of(results, (tensor["dtype"] for tensor in found))
    tensors = list(dict.fromkeys(t["tensor"] for t in found))
    with style():
        lines = math.ceil(len(dtypes) / 2)
        figure = Figure(
            figsize=(7.2, 0.6 + lines * (0.4 + 0.2 * len(tensors))), layout="constrained"
        )
        grid = figure.subplots(lines, min(2, len(dtypes)), squeeze=False, sharex=True, sharey=True)
        panels = grid.flatten()
        for axes in panels[len(dtypes) :]:
            axes.set_visible(False)
        parts = []
        for axes, dtype in zip(panels, dtypes, strict=False):
            histograms = {t["tensor"]: t["histogram"] for t in found if t["dtype"] == dtype}
            _histograms(axes, histograms, tensors, results["threshold"])
            axes.set_title(short_label(dtype), loc="left", fontweight="bold")
            bins: Counter[int] = Counter()
            for histogram in histograms.values():
                for exponent, count in histogram:
                    bins[exponent] += count
            parts.append(_bins_in_words(dtype, bins))
        figure.supxlabel("largest error of a case, in units of rounding noise", size=9)
        return inline_svg(
            figure, "histogram", "Error over rounding noise, by tensor and dtype", " ".join(parts)
        )


def _histograms(
    axes: Axes,
    histograms: dict[str, list[list[int]]],
    tensors: list[str],
    threshold: float,
) -> None:
    for row, tensor in enumerate(tensors):
        histogram = histograms.get(tensor, [])
        total = sum(count for _, count in histogram) or 1
        # A bin of exponent e lies between 2^(e-1) and 2^e: its middle is at e - 1/2.
        by_size: dict[float, list[float]] = {}
        for exponent, count in histogram:
            by_size.setdefault(_dot(count / total), []).append(exponent - 0.5)
        for size, places in by_size.items():
            axes.plot(
                places, [row] * len(places), "o",
                color=BLUE, markersize=size, markeredgewidth=0, clip_on=False,
            )  # fmt: skip
    limit = math.log2(threshold)
    axes.axvline(limit, color=RED, linestyle="--", linewidth=1)
    axes.text(limit, -0.9, f" {threshold:g} fails", color=TEXT, size=8, va="bottom")
    axes.set_yticks(range(len(tensors)), [short_label(tensor) for tensor in tensors])
    axes.set_ylim(len(tensors) - 0.4, -0.9)
    axes.grid(axis="x", color=GREY, alpha=0.3, linewidth=0.5)
    low, high = axes.get_xlim()
    step = 3 if high - low < 30 else 9
    ticks = range(math.ceil(low / step) * step, math.floor(high) + 1, step)
    axes.set_xticks(list(ticks), [_tick(exponent) for exponent in ticks])


def _dot(share: float) -> float:
    """The diameter of a dot whose area is proportional to a share, in whole points."""
    return max(2.0, float(round(math.sqrt(130.0 * share))))


def _power(exponent: int) -> str:
    return f"{2.0**exponent:g}" if -10 <= exponent <= 16 else f"2^{exponent}"


def _tick(exponent: int) -> str:
    """The text of a power of two that takes the least room."""
    return f"1/{2**-exponent}" if -10 <= exponent < 0 else _power(exponent)


def _bins_in_words(dtype: str, bins: Counter[int]) -> str:
    total, seen = sum(bins.values()), 0
    for exponent in sorted(bins):
        seen += bins[exponent]
        if 2 * seen >= total:
            break
    return (
        f"{one_line(dtype)}: half of {total} errors are below {_power(exponent)} times the noise, "
        f"all below {_power(max(bins))}."
    )
