"""A picture of the matrix of implementations and chapters, as an SVG file."""

from __future__ import annotations

from collections import Counter

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..spec.verdicts import BROKEN
from .matrix import labels
from .plot_style import BLUE, COLOURS, GREY, ORANGE, RED, TEXT, short_label, standalone_svg, style
from .results import ClauseResult, Results
from .verdict import verdict_text

__all__ = ["matrix_picture"]


def matrix_picture(everything: list[Results]) -> str:
    """An SVG file: the share of each verdict, by implementation and chapter."""
    chapters = list(dict.fromkeys(c["chapter"] for r in everything for c in r["clauses"]))
    kinds = {
        "passed": BLUE,
        "known deviation": ORANGE,
        "broken": RED,
        "recommended, not done": COLOURS[3],
        "not judged": "none",
    }
    with style():
        figure = Figure(figsize=(11, 1.1 + 0.29 * len(everything)), layout="constrained")
        axes = figure.subplots()
        for row, results in enumerate(everything):
            for column, chapter in enumerate(chapters):
                verdicts = Counter(
                    _kind_of(clause)
                    for clause in results["clauses"]
                    if clause["chapter"] == chapter
                )
                _shares(axes, (column, row), verdicts, kinds)
        axes.set_xlim(-0.55, len(chapters) - 0.45)
        axes.set_ylim(len(everything) - 0.4, -0.6)
        axes.set_xticks(range(len(chapters)), [short_label(chapter) for chapter in chapters])
        names = [short_label(name) for name in labels(everything)]
        axes.set_yticks(range(len(everything)), names)
        axes.tick_params(length=0, labeltop=True, labelbottom=False)
        axes.spines[:].set_visible(False)
        handles = [
            mpl.patches.Patch(
                facecolor=colour, edgecolor=GREY, hatch=_HATCHES.get(kind), label=kind
            )
            for kind, colour in kinds.items()
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
        conforming = sum(verdict_text(results) == "conforms" for results in everything)
        return standalone_svg(
            figure,
            "matrix",
            "Conformance of LSTM implementations by chapter",
            f"{conforming} of {len(everything)} implementations conform. The others deviate. "
            "Numbers say how many clauses of a chapter passed, of those judged.",
        )


_HATCHES = {"known deviation": "////", "broken": "xxxx", "recommended, not done": "||||"}


def _kind_of(clause: ClauseResult) -> str:
    verdict = clause["verdict"]
    if verdict == "pass":
        return "passed"
    if verdict == "waived":
        return "known deviation"
    if verdict in BROKEN:
        return "broken" if clause["must_hold"] else "recommended, not done"
    return "not judged"


def _shares(
    axes: Axes, place: tuple[int, int], verdicts: Counter[str], kinds: dict[str, str]
) -> None:
    column, row = place
    left, total = column - 0.42, sum(verdicts.values())
    axes.add_patch(
        mpl.patches.Rectangle(
            (left, row + 0.1),
            0.84,
            0.28,
            facecolor="none",
            edgecolor=GREY,
            linewidth=0.5,
            clip_on=False,
        )
    )
    for kind, colour in kinds.items():
        width = 0.84 * verdicts[kind] / total if total else 0.0
        if width and kind != "not judged":
            axes.add_patch(
                mpl.patches.Rectangle(
                    (left, row + 0.1), width, 0.28, facecolor=colour,
                    hatch=_HATCHES.get(kind), edgecolor="#ffffff", linewidth=0, clip_on=False,
                )
            )  # fmt: skip
        left += width
    judged = total - verdicts["not judged"]
    number = f"{verdicts['passed']}/{judged}" if judged else "\u2013"
    axes.text(column, row + 0.06, number, size=7, ha="center", va="bottom", color=TEXT)
