"""Plots of results, as SVG with a text alternative.

Nothing in them needs a style sheet, so that a page may forbid all but its own; lines and text
take the colour of the page's text, light or dark.
"""

from __future__ import annotations

import io
import math
import re
from collections import Counter
from contextlib import AbstractContextManager
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
import matplotlib.style
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..spec.verdicts import BROKEN
from .coverage import FACTORS, Coverage
from .escaping import one_line
from .matrix import labels
from .results import ClauseResult, GrowthResult, Results

__all__ = ["coverage_plot", "growth_plot", "histogram_plot", "matrix_picture"]

_SVG = "{http://www.w3.org/2000/svg}"
ElementTree.register_namespace("", "http://www.w3.org/2000/svg")
ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")

# Of Okabe and Ito, which all kinds of sight tell apart; each dtype has a marker of its own too.
_BLUE, _ORANGE, _GREEN, _RED, _GREY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#8c8c8c"
_COLOURS = (_BLUE, _RED, _GREEN, "#cc79a7", "#56b4e9")
_MARKERS = ("o", "s", "^", "D", "v")

# Becomes the colour of the page's text.
_TEXT = "#000000"

_SETTINGS: dict[str, object] = {
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "none",
    "legend.frameon": False,
    "text.parse_math": False,
}


def _style(**more: Any) -> AbstractContextManager[None]:
    """Draws by these settings, whatever those of the user are."""
    style: AbstractContextManager[None] = mpl.style.context(["default", {**_SETTINGS, **more}])
    return style


def _label(text: str) -> str:
    """Short enough to leave room for what it labels."""
    line = one_line(text)
    return line if len(line) <= 40 else f"{line[:37]}..."


def coverage_plot(found: Coverage) -> Markup:
    """How often each two choices were tried together: a heat map."""
    assert found.pairs is not None
    choices = [(factor, value) for factor, values in FACTORS.items() for value in values]
    shares = {pair: number / found.possible[pair] for pair, number in found.pairs.items()}
    largest = max(shares.values()) or 1.0
    with _style(**{"font.size": 7}):
        figure = Figure(figsize=(7.2, 6.6), layout="constrained")
        axes = figure.subplots()
        colours = mpl.colormaps["cividis"]
        never = 0
        for row, one in enumerate(choices):
            for column, other in enumerate(choices[: row + 1]):
                if (one, other) not in found.pairs:
                    continue
                number = found.pairs[one, other]
                never += not number
                share = shares[one, other] / largest
                fill = colours(share) if number else "none"
                axes.add_patch(
                    mpl.patches.Rectangle(
                        (column - 0.47, row - 0.47), 0.94, 0.94, facecolor=fill,
                        edgecolor=_GREY if not number else "none", linewidth=0.6,
                    )
                )  # fmt: skip
                ink = _TEXT if not number else "#ffffff" if share < 0.4 else "#111111"
                axes.text(
                    column, row, str(number) if number else "\u00d7", color=ink, size=6,
                    ha="center", va="center",
                )  # fmt: skip
        axes.set_xlim(-0.6, len(choices) - 0.4)
        axes.set_ylim(len(choices) - 0.4, -0.6)
        names = [f"{factor} {value}" for factor, value in choices]
        axes.set_xticks(range(len(choices)), names, rotation=90)
        axes.set_yticks(range(len(choices)), names)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        return _inline(
            figure,
            "coverage",
            "Parameter combinations visited, for each two choices",
            f"{found.visited} of {found.total} combinations were visited. A number says how many "
            "have both choices, a cross that there is none. "
            + (f"{never} pairs were never tried." if never else "Every pair was tried."),
        )


def histogram_plot(results: Results) -> Markup | None:
    """How large errors were, over rounding noise: of each tensor, by dtype."""
    found = [tensor for tensor in results["tensors"] if tensor["histogram"]]
    if not found:
        return None
    dtypes = [d for d in results["dtypes"] if any(t["dtype"] == d for t in found)]
    tensors = list(dict.fromkeys(t["tensor"] for t in found))
    with _style():
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
            axes.set_title(_label(dtype), loc="left", fontweight="bold")
            bins: Counter[int] = Counter()
            for histogram in histograms.values():
                for exponent, count in histogram:
                    bins[exponent] += count
            parts.append(_said_of_bins(dtype, bins))
        figure.supxlabel("largest error of a case, in units of rounding noise", size=9)
        return _inline(
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
        axes.scatter(
            [exponent - 0.5 for exponent, _ in histogram],
            [row] * len(histogram),
            s=[max(4.0, 130.0 * count / total) for _, count in histogram],
            color=_BLUE,
            linewidths=0,
        )
    limit = math.log2(threshold)
    axes.axvline(limit, color=_RED, linestyle="--", linewidth=1)
    axes.text(limit, -0.9, f" {threshold:g} fails", color=_TEXT, size=8, va="bottom")
    axes.set_yticks(range(len(tensors)), [_label(tensor) for tensor in tensors])
    axes.set_ylim(len(tensors) - 0.4, -0.9)
    axes.grid(axis="x", color=_GREY, alpha=0.3, linewidth=0.5)
    low, high = axes.get_xlim()
    step = 3 if high - low < 30 else 9
    ticks = range(math.ceil(low / step) * step, math.floor(high) + 1, step)
    axes.set_xticks(list(ticks), [_tick(exponent) for exponent in ticks])


def _power(exponent: int) -> str:
    return f"{2.0**exponent:g}" if -10 <= exponent <= 16 else f"2^{exponent}"


def _tick(exponent: int) -> str:
    """A power of two, as short as it can be."""
    return f"1/{2**-exponent}" if -10 <= exponent < 0 else _power(exponent)


def _said_of_bins(dtype: str, bins: Counter[int]) -> str:
    total, seen = sum(bins.values()), 0
    for exponent in sorted(bins):
        seen += bins[exponent]
        if 2 * seen >= total:
            break
    return (
        f"{one_line(dtype)}: half of {total} errors are below {_power(exponent)} times the noise, "
        f"all below {_power(max(bins))}."
    )


# Of errors that are drawn: those of saturated gates would leave no room for the others.
_SMALLEST = 1e-22


def growth_plot(results: Results) -> Markup | None:
    """How errors grow with sizes, beside the noise that is predicted."""
    found = results["growth"]
    if not found:
        return None
    axes_names = [n for n in ("seq_len", "hidden_size", "num_layers") if _of(found, axis=n)]
    tensors = [n for n in ("output", "weight_hh.grad") if _of(found, tensor=n)]
    dtypes = [dtype for dtype in results["dtypes"] if _of(found, dtype=dtype)]
    with _style():
        figure = Figure(figsize=(7.2, 0.6 + 2.4 * len(tensors)), layout="constrained")
        panels = figure.subplots(len(tensors), len(axes_names), squeeze=False, sharey="row")
        parts = []
        for row, tensor in enumerate(tensors):
            for column, axis in enumerate(axes_names):
                axes = panels[row, column]
                for number, dtype in enumerate(dtypes):
                    points = _of(found, tensor=tensor, axis=axis, dtype=dtype)
                    points = sorted(points, key=lambda point: point["size"])
                    if points:
                        _growth(axes, points, number)
                        parts.append(_said_of_growth(tensor, axis, dtype, points))
                axes.set_xscale("log", base=2)
                axes.set_yscale("log")
                sizes = sorted({p["size"] for p in _of(found, axis=axis)})
                axes.set_xticks(sizes, [str(size) for size in sizes])
                axes.minorticks_off()
                axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0e}")
                axes.set_ylim(bottom=max(axes.get_ylim()[0], _SMALLEST))
                axes.set_xlabel(f"{axis} up to")
                axes.grid(color=_GREY, alpha=0.3, linewidth=0.5)
            panels[row, 0].set_ylabel(f"{tensor}\nerror, and noise")
        for number, dtype in enumerate(dtypes):
            _growth(panels[0, 0], [], number, _label(dtype))
        panels[0, 0].plot([], [], color=_TEXT, linestyle="--", label="predicted noise")
        figure.legend(loc="outside upper center", ncols=len(dtypes) + 1)
        return _inline(
            figure,
            "growth",
            "How errors grow with sizes, beside the predicted rounding noise",
            " ".join(parts),
        )


def _of(
    points: list[GrowthResult], tensor: str = "", axis: str = "", dtype: str = ""
) -> list[GrowthResult]:
    """The points of one tensor, axis or dtype; an empty name stands for all."""
    return [
        point
        for point in points
        if tensor in ("", point["tensor"])
        and axis in ("", point["axis"])
        and dtype in ("", point["dtype"])
    ]


def _growth(axes: Axes, points: list[GrowthResult], number: int, label: str = "") -> None:
    colour = _COLOURS[number % len(_COLOURS)]
    marker = _MARKERS[number % len(_MARKERS)]
    sizes = [point["size"] for point in points]
    axes.plot(
        sizes, [point["error"] or math.nan for point in points],
        color=colour, marker=marker, markersize=4, linewidth=1.2, label=label or None,
    )  # fmt: skip
    axes.plot(
        sizes, [point["noise"] or math.nan for point in points],
        color=colour, linestyle="--", linewidth=1,
    )  # fmt: skip


def _said_of_growth(tensor: str, axis: str, dtype: str, points: list[GrowthResult]) -> str:
    said = []
    for point in (points[0], points[-1])[: len(points)]:
        times = f", {point['error'] / point['noise']:.2g} times the noise" if point["noise"] else ""
        said.append(f"{point['error']:.2g} at {axis} up to {point['size']}{times}")
    return f"{tensor}, {one_line(dtype)}: error {'; '.join(said)}."


def matrix_picture(everything: list[Results]) -> str:
    """A picture to look at alone: chapters and implementations, and shares of verdicts."""
    chapters = list(dict.fromkeys(c["chapter"] for r in everything for c in r["clauses"]))
    kinds = {
        "passed": _BLUE,
        "known deviation": _ORANGE,
        "broken": _RED,
        "recommended, not done": _COLOURS[3],
        "not judged": "none",
    }
    with _style():
        figure = Figure(figsize=(11, 1.1 + 0.29 * len(everything)), layout="constrained")
        axes = figure.subplots()
        for row, results in enumerate(everything):
            for column, chapter in enumerate(chapters):
                verdicts = Counter(
                    _kind(clause) for clause in results["clauses"] if clause["chapter"] == chapter
                )
                _shares(axes, (column, row), verdicts, kinds)
        axes.set_xlim(-0.55, len(chapters) - 0.45)
        axes.set_ylim(len(everything) - 0.4, -0.6)
        axes.set_xticks(range(len(chapters)), [_label(chapter) for chapter in chapters])
        axes.set_yticks(range(len(everything)), [_label(name) for name in labels(everything)])
        axes.tick_params(length=0, labeltop=True, labelbottom=False)
        axes.spines[:].set_visible(False)
        handles = [
            mpl.patches.Patch(
                facecolor=colour, edgecolor=_GREY, hatch=_HATCHES.get(kind), label=kind
            )
            for kind, colour in kinds.items()
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
        conformant = sum(results["conformant"] for results in everything)
        return _alone(
            figure,
            "matrix",
            "Conformance of LSTM implementations by chapter",
            f"{conformant} of {len(everything)} implementations conform, but for known "
            f"deviations. Numbers say how many clauses of a chapter passed, of those judged.",
        )


_HATCHES = {"known deviation": "////", "broken": "xxxx", "recommended, not done": "...."}


def _kind(clause: ClauseResult) -> str:
    verdict = clause["verdict"]
    if verdict == "pass":
        return "passed"
    if verdict == "waived":
        return "known deviation"
    if verdict in BROKEN:
        return "broken" if clause["level"] == "MUST" else "recommended, not done"
    return "not judged"


def _shares(
    axes: Axes, place: tuple[int, int], verdicts: Counter[str], kinds: dict[str, str]
) -> None:
    column, row = place
    left, total = column - 0.42, sum(verdicts.values())
    axes.add_patch(
        mpl.patches.Rectangle(
            (left, row + 0.1), 0.84, 0.28, facecolor="none", edgecolor=_GREY, linewidth=0.5
        )
    )
    for kind, colour in kinds.items():
        width = 0.84 * verdicts[kind] / total if total else 0.0
        if width and kind != "not judged":
            axes.add_patch(
                mpl.patches.Rectangle(
                    (left, row + 0.1), width, 0.28, facecolor=colour,
                    hatch=_HATCHES.get(kind), edgecolor="#ffffff", linewidth=0,
                )
            )  # fmt: skip
        left += width
    judged = total - verdicts["not judged"]
    number = f"{verdicts['passed']}/{judged}" if judged else "\u2013"
    axes.text(column, row + 0.06, number, size=7, ha="center", va="bottom", color=_TEXT)


def _inline(figure: Figure, name: str, title: str, description: str) -> Markup:
    """To stand in a page: as wide as there is room."""
    svg = _drawn(figure, name, title, description)
    for attribute in ("width", "height", "version"):
        svg.attrib.pop(attribute, None)
    svg.set("class", "plot")
    return Markup(ElementTree.tostring(svg, "unicode"))


def _alone(figure: Figure, name: str, title: str, description: str) -> str:
    """To stand alone, light or dark, on a ground of its own."""
    svg = _drawn(figure, name, title, description)
    style = ElementTree.Element(f"{_SVG}style")
    style.text = (
        "svg{color:#1f2328}.ground{fill:#ffffff}"
        "@media(prefers-color-scheme:dark){svg{color:#e6edf3}.ground{fill:#0d1117}}"
    )
    ground = ElementTree.Element(f"{_SVG}rect", {"class": "ground", "width": "100%"})
    ground.set("height", "100%")
    svg[2:2] = [style, ground]
    return ElementTree.tostring(svg, "unicode") + "\n"


def _drawn(figure: Figure, name: str, title: str, description: str) -> ElementTree.Element:
    """The figure as SVG: the same bytes each time, and no style sheets."""
    output = io.StringIO()
    with _style(**{"svg.hashsalt": name}):
        figure.savefig(output, format="svg", metadata={"Date": None})
    svg = ElementTree.fromstring(output.getvalue())
    for parent in list(svg.iter()):
        for child in list(parent):
            if child.tag.endswith(("}metadata", "}style")):
                parent.remove(child)
    for element in svg.iter():
        for name_of_style, value in _declarations(element.attrib.pop("style", "")):
            element.set(name_of_style, value)
        if element.tag == f"{_SVG}text" and "fill" not in element.attrib:
            element.set("fill", "currentColor")
        for attribute in ("fill", "stroke"):
            if element.get(attribute) == _TEXT:
                element.set(attribute, "currentColor")
    _name_apart(svg, name)
    svg.attrib.update(
        {
            "role": "img",
            "aria-labelledby": f"{name}-title {name}-description",
            "font-family": "system-ui, 'DejaVu Sans', sans-serif",
            "stroke-linejoin": "round",
        }
    )
    words = []
    for tag, part, text in (("title", "title", title), ("desc", "description", description)):
        word = ElementTree.Element(f"{_SVG}{tag}", {"id": f"{name}-{part}"})
        word.text = text
        words.append(word)
    svg[:0] = words
    return svg


def _name_apart(svg: ElementTree.Element, name: str) -> None:
    """Begins each id that is used with ``name``, as a page has more than one plot; drops others."""
    used = set()
    for element in svg.iter():
        for attribute, value in list(element.items()):
            link = "#" if attribute.endswith("href") else "url(#"
            if value.startswith(link):
                used.add(value.removeprefix(link).rstrip(")"))
                element.set(attribute, f"{link}{name}-{value.removeprefix(link)}")
    for element in svg.iter():
        known = element.attrib.pop("id", "")
        if known in used:
            element.set("id", f"{name}-{known}")


def _declarations(style: str) -> list[tuple[str, str]]:
    """A style attribute as presentation attributes."""
    found = []
    for declaration in style.split(";"):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        if name == "font":
            size = re.search(r"[\d.]+px", value)
            found += [("font-size", size[0])] if size else []
            found += [("font-weight", "bold")] if re.search(r"\b(bold|700)\b", value) else []
        elif name and name != "font-family":
            found.append((name, value))
    return found
