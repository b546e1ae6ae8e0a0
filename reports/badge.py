"""A badge: an SVG of one line with the verdict."""

from __future__ import annotations

from ..spec.clean_text import counted
from .page import render
from .results import Results
from .verdict import verdict_of

__all__ = ["badge_svg"]

_LABEL = "LSTM conformance"

# In pixels: a character of Verdana 11, and both margins. The text is stretched to the sum.
_WIDTH, _MARGIN = 6.6, 12

# Behind white text. The colour-blind can tell blue from vermilion.
_COLOURS = {"conforms": "#0067a5", "deviates": "#b33c00", "undecided": "#595959"}

_WORDS = {
    "conforms": "conforms in {clauses}",
    "deviates": "deviates in {deviating} of {clauses}",
    "undecided": "not completed",
}


def badge_svg(results: Results) -> str:
    """The badge of one result, for a README."""
    verdict = verdict_of(results["clauses"], results["gate_passed"])
    words = _WORDS[verdict["word"]].format(**verdict, clauses=counted(verdict["judged"], "clause"))
    sides = [round(len(text) * _WIDTH) for text in (_LABEL, words)]
    return render(
        "badge.svg",
        label=_LABEL,
        words=words,
        colour=_COLOURS[verdict["word"]],
        text_widths=sides,
        widths=[side + _MARGIN for side in sides],
    )
