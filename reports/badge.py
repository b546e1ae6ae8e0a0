"""A badge: an SVG of one line with the verdict."""

from __future__ import annotations

from .page import render
from .results import Results
from .tables import broken

__all__ = ["badge_svg"]

_LABEL = "LSTM conformance"

# In pixels: a character of Verdana 11, and both margins. The text is stretched to the sum.
_WIDTH, _MARGIN = 6.6, 12

# Behind white text. The colour-blind can tell blue from vermilion.
_COLOURS = {"conformant": "#0067a5", "not conformant": "#b33c00", "not completed": "#595959"}


def badge_svg(results: Results) -> str:
    """The badge of one result, for a README."""
    verdict, words = _verdict(results)
    sides = [round(len(text) * _WIDTH) for text in (_LABEL, words)]
    return render(
        "badge.svg",
        label=_LABEL,
        words=words,
        colour=_COLOURS[verdict],
        text_widths=sides,
        widths=[side + _MARGIN for side in sides],
    )


def _verdict(results: Results) -> tuple[str, str]:
    """The verdict, one of three, and the words of the badge."""
    if results["conformant"]:
        verdicts = [clause["verdict"] for clause in results["clauses"]]
        passed = verdicts.count("pass")
        judged = sum(v not in ("unsupported", "not tested") for v in verdicts)
        return "conformant", f"conformant {passed}/{judged} clauses"
    inconclusive = any(clause["verdict"] == "inconclusive" for clause in results["clauses"])
    verdict = "not conformant" if broken(results) or inconclusive else "not completed"
    return verdict, verdict
