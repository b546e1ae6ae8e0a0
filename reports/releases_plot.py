"""A plot of the worst ratios of one implementation by version, for a page or as a file."""

from __future__ import annotations

import math

from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from .plot_style import (
    COLOURS,
    GREY,
    MARKERS,
    RED,
    TEXT,
    inline_svg,
    short_label,
    standalone_svg,
    style,
)
from .releases import Releases, ratio_rows
from .tables import ratio_text

__all__ = ["ratios_picture", "ratios_plot"]

# In each decade, if there are few.
_TICKS = (1.0, 2.0, 5.0)

_TITLE = "Largest error over rounding noise, by version"


def ratios_plot(found: Releases) -> Markup | None:
    """An SVG element of a page; None if no tensor was compared."""
    figure = _figure(found)
    return None if figure is None else inline_svg(figure, "ratios", _TITLE, in_words(found))


def ratios_picture(found: Releases) -> str:
    """An SVG file.

    Raises:
        ValueError: no tensor was compared.
    """
    figure = _figure(found)
    if figure is None:
        raise ValueError("no tensor was compared")
    return standalone_svg(figure, "ratios", _TITLE, in_words(found))


def in_words(found: Releases) -> str:
    """The text alternative: the worst ratio of each version."""
    dtypes, ratios = ratio_rows(found)
    parts = []
    for version, row in ratios.items():
        known = [
            f"{dtype} {ratio_text(ratio)}"
            for dtype, ratio in zip(dtypes, row, strict=True)
            if ratio is not None
        ]
        parts.append(f"{version}: {', '.join(known) or 'none'}.")
    return " ".join(parts)


def _figure(found: Releases) -> Figure | None:
    dtypes, ratios = ratio_rows(found)
    if not dtypes:
        return None
    places = range(len(ratios))
    with style():
        figure = Figure(figsize=(7.2, 3.2), layout="constrained")
        axes = figure.subplots()
        for number, dtype in enumerate(dtypes):
            # On a logarithmic axis there is no 0.
            worst = [row[number] or math.nan for row in ratios.values()]
            axes.plot(
                places, worst, color=COLOURS[number % len(COLOURS)], markersize=5, linewidth=1.2,
                marker=MARKERS[number % len(MARKERS)], label=short_label(dtype),
            )  # fmt: skip
        for threshold in sorted({results["threshold"] for results in found.everything}):
            axes.axhline(threshold, color=RED, linestyle="--", linewidth=1)
            axes.text(-0.3, threshold, f"{threshold:g} fails", color=TEXT, size=8, va="bottom")
        axes.set_yscale("log")
        low, high = axes.get_ylim()
        axes.yaxis.set_major_locator(LogLocator(subs=_TICKS if high < 1000 * low else (1.0,)))
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.yaxis.set_minor_formatter(lambda value, _: "")
        axes.set_xlim(-0.4, len(ratios) - 0.6)
        axes.set_xticks(list(places), [short_label(version) for version in ratios])
        axes.set_ylabel("error / rounding noise")
        axes.grid(axis="y", color=GREY, alpha=0.3, linewidth=0.5)
        figure.legend(loc="outside upper center", ncols=len(dtypes))
    return figure
