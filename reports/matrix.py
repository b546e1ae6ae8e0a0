"""Several implementations side by side, as text and as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from tabulate import tabulate

from ..spec.clause import KINDS
from .escaping import escaped, one_line, shortened
from .results import ClauseResult, KindResult, Results
from .sections import LONGEST_NAME, Section, fitted
from .tables import ratio_text, threshold_text
from .verdict import cases_text, in_part, verdict_of, verdict_text

__all__ = ["clause_rows", "counts_table", "differs", "labels", "matrix_markdown", "matrix_text"]

# Verdicts that say nothing about an implementation; None if a result lacks the clause.
_UNJUDGED = ("unsupported", "not tested", None)

_COUNTS = (
    "version", "profile", "verdict", *KINDS, "unsupported", "worst ratio", "seconds",
)  # fmt: skip


def labels(everything: list[Results]) -> list[str]:
    """A name for each implementation: the target, with version and number if that occurs twice."""
    targets = [_name(results, "target") for results in everything]
    names = []
    for number, (results, target) in enumerate(zip(everything, targets, strict=True), 1):
        if targets.count(target) > 1:
            target = f"{target} {_name(results, 'version')} ({number})"
        names.append(target)
    return names


def _name(results: Results, which: Literal["target", "version"]) -> str:
    return shortened(one_line(results["implementation"][which]), LONGEST_NAME)


def clause_rows(
    everything: list[Results],
) -> list[tuple[ClauseResult, list[ClauseResult | None]]]:
    """Each clause of any of the results, with its entry in each result; None if that lacks it."""
    found = [{clause["id"]: clause for clause in results["clauses"]} for results in everything]
    known: dict[str, ClauseResult] = {}
    for clauses in found:
        for clause_id, clause in clauses.items():
            known.setdefault(clause_id, clause)
    return [(clause, [clauses.get(key) for clauses in found]) for key, clause in known.items()]


def differs(cells: Iterable[ClauseResult | None]) -> bool:
    """Whether implementations that were judged have different verdicts."""
    verdicts = {None if cell is None else cell["verdict"] for cell in cells}
    return len(verdicts.difference(_UNJUDGED)) > 1


def counts_table(everything: list[Results], style: str, first: str = "implementation") -> str:
    """A table with the verdict on each implementation.

    For each kind of clause it has the number of those that the implementation deviates in, of those
    that were judged. Known deviations and broken SHOULD clauses are deviations.
    """
    clean = escaped if style == "pipe" else str
    rows = [
        [clean(label), *map(clean, _counts(results))]
        for label, results in zip(labels(everything), everything, strict=True)
    ]
    alignment = (*["left"] * 4, *["right"] * (len(_COUNTS) - 3))
    return tabulate(rows, (first, *_COUNTS), style, colalign=alignment, disable_numparse=True)


def _counts(results: Results) -> list[str]:
    kinds = verdict_of(results["clauses"], results["gate_passed"])["kinds"]
    unsupported = sum(clause["verdict"] == "unsupported" for clause in results["clauses"])
    ratios = [
        clause["worst_ratio"]
        for clause in results["clauses"]
        if clause["worst_ratio"] is not None and clause["verdict"] == "pass"
    ]
    return [
        _name(results, "version"),
        f"{results['profile']}, in part" if in_part(results) else results["profile"],
        verdict_text(results),
        *(_deviating(kinds[kind]) for kind in KINDS),
        str(unsupported),
        ratio_text(max(ratios, default=None)),
        f"{results['time_in_tests_seconds']:.0f}",
    ]


def _deviating(kind: KindResult) -> str:
    return f"{kind['deviating']} of {kind['judged']}" if kind["judged"] else "-"


def matrix_text(everything: list[Results]) -> str:
    """For a terminal: counts, and the clauses in which implementations differ."""
    rows = [row for row in clause_rows(everything) if differs(row[1])]
    parts = [counts_table(everything, "simple")]
    if rows:
        names = labels(everything)
        table = [[clause["id"], *(_verdict(cell) for cell in cells)] for clause, cells in rows]
        parts.append(f"Clauses in which they differ:\n\n{tabulate(table, ['', *names], 'simple')}")
    else:
        parts.append("They differ in no clause that was judged for more than one of them.")
    return "\n\n".join(parts) + "\n"


def matrix_markdown(everything: list[Results]) -> str:
    """For a file or a job summary: counts, and every clause, as far as GitHub shows them."""
    rows = clause_rows(everything)
    different = [row for row in rows if differs(row[1])]
    legend = (
        "the worst error over rounding noise if it passes, "
        f"{threshold_text(everything)} fails; otherwise how many of its cases pass; `waived` is a "
        "known deviation; `-` is unsupported or not tested."
    )
    which = "Clauses in which they differ"
    sections = [
        Section("# Conformance of LSTM implementations", 0, "the title"),
        Section(counts_table(everything, "pipe"), 1, "the table of implementations"),
        Section(
            f"Every clause: {legend}\n\n{_markdown_table(everything, rows)}",
            2,
            "the table of clauses",
            instead=f"{which}: {legend}\n\n{_markdown_table(everything, different)}",
            lacking="the clauses in which they do not differ",
        ),
    ]
    return fitted(sections)


def _markdown_table(
    everything: list[Results], rows: list[tuple[ClauseResult, list[ClauseResult | None]]]
) -> str:
    """The verdicts on some clauses, without the spaces that align them."""
    cells = [
        [clause["id"], escaped(one_line(clause["title"])), *(_short(cell) for cell in found)]
        for clause, found in rows
    ]
    headers = ["clause", "title", *map(escaped, labels(everything))]
    return re.sub(" {2,}", " ", tabulate(cells, headers, "pipe", disable_numparse=True))


def _verdict(cell: ClauseResult | None) -> str:
    return "-" if cell is None or cell["verdict"] in _UNJUDGED else str(cell["verdict"])


def _short(cell: ClauseResult | None) -> str:
    if cell is None or cell["verdict"] != "pass":
        word = _verdict(cell)
        return word if cell is None or word == "-" else f"**{word}** {cases_text(cell)}".strip()
    return ratio_text(cell["worst_ratio"]) or "pass"
