"""The published page of frameworks: how each was judged, and what was found."""

from __future__ import annotations

from tabulate import tabulate

from ..spec.clauses import TESTABLE
from .escaping import escaped
from .matrix import counts_table
from .results import Results
from .tables import threshold_text

__all__ = ["framework_page"]


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
        f"that passed: error over rounding noise, {threshold_text(everything)} fails. Seconds are "
        "those of judging, in all processes. Made by `tox -e framework-NAME`, on a CPU. Adapters "
        "that were judged *in part* had limited time: each supported clause has had a case, but "
        "not all of its cases, so a clause that passed may fail in a case that was not judged.",
        *_newer_clauses(everything),
        counts_table(everything, "pipe", "adapter"),
        "## How they were judged",
        tabulate(profiles, ["adapter", "profile", "verdicts", "capabilities"], "pipe"),
        "## Findings",
        "Each is a program that shows the deviation with the framework alone, and fails as long as "
        "the framework has it.",
        *(f"### [{name}](../findings/{name})\n\n{text}" for name, text in findings.items()),
    ]
    return "\n\n".join(parts) + "\n"


def _newer_clauses(everything: list[Results]) -> list[str]:
    """Which clauses some results do not have, because they were judged before."""
    judged = [{clause["id"] for clause in results["clauses"]} for results in everything]
    newer = {clause: sum(clause not in ids for ids in judged) for clause in TESTABLE}
    texts = [f"{clause} ({number})" for clause, number in newer.items() if number]
    if not texts:
        return []
    return [
        "Some adapters were judged before a clause was added, and not by it since. Clauses, and "
        f"the number of adapters: {', '.join(texts)}."
    ]
