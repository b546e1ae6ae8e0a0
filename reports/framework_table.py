"""What came of judging frameworks: a row for each adapter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from tabulate import tabulate

from .escaping import escaped
from .tables import broken

__all__ = ["framework_page", "framework_table"]

Results = dict[str, Any]

_HEADERS = (
    "adapter",
    "version",
    "passed",
    "broken",
    "known",
    "unsupported",
    "worst ratio",
    "seconds",
)


def framework_table(everything: Iterable[Results]) -> str:
    """Numbers of clauses by verdict, Markdown. SHOULD clauses that are broken are not counted."""
    rows = [_row(results) for results in everything]
    alignment = ("left", "left", *["right"] * (len(_HEADERS) - 2))
    return tabulate(rows, _HEADERS, "pipe", colalign=alignment, disable_numparse=True)


def _row(results: Results) -> list[str]:
    implementation, clauses = results["implementation"], results["clauses"]
    verdicts = Counter(clause["verdict"] for clause in clauses)
    ratios = [
        clause["worst_ratio"]
        for clause in clauses
        if clause["worst_ratio"] is not None and clause["verdict"] == "pass"
    ]
    worst = f"{max(ratios):.3g}" if ratios else ""
    counts = (verdicts["pass"], len(broken(results)), verdicts["waived"], verdicts["unsupported"])
    seconds = f"{results['time_in_tests_seconds']:.0f}"
    return [
        escaped(implementation["target"]),
        escaped(implementation["version"]),
        *map(str, counts),
        worst,
        seconds,
    ]


def framework_page(everything: list[Results], findings: dict[str, str]) -> str:
    """A page: the table, how each was judged, and what was found.

    Args:
        everything: results, in the order of the table.
        findings: file of each finding to its description.
    """
    profiles = [
        [
            escaped(results["implementation"]["target"]),
            results["profile"],
            str(sum(clause["cases"] for clause in results["clauses"])),
            ", ".join(results["implementation"]["capabilities"]),
        ]
        for results in everything
    ]
    parts = [
        "# Frameworks",
        "Released frameworks, judged clause by clause. *Broken* are MUST clauses; *known* are "
        "broken ones that have been reproduced without this suite and are listed in "
        "[`known_deviations/`](../known_deviations); *unsupported* is what a framework does not "
        "have, or what can only be asked of a torch module. The worst ratio is that of the clauses "
        "that passed: error over rounding noise, 30 fails. Seconds are those of judging, in all "
        "processes. Made by `tox -e framework-NAME`, on a CPU.",
        framework_table(everything),
        "## How they were judged",
        tabulate(profiles, ["adapter", "profile", "verdicts", "capabilities"], "pipe"),
        "## Findings",
        "Each is a program of its own that shows the deviation with the framework alone, and fails "
        "as long as it is there.",
        *(f"### [{name}](../findings/{name})\n\n{text}" for name, text in findings.items()),
    ]
    return "\n\n".join(parts) + "\n"
