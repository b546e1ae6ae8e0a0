"""The page of several implementations: the verdict of each on every clause."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote

from ..spec.clause import KINDS
from ..spec.verdicts import BROKEN, INCONCLUSIVE, PASS, WAIVED
from .escaping import one_line
from .matrix import clause_rows, differs, labels
from .page import render
from .results import ClauseResult, Results, VerdictResult
from .tables import threshold_text
from .verdict import (
    deviates,
    gate_sentence,
    in_part,
    passed_cases,
    verdict_counts,
    verdict_of,
    verdict_text,
)

__all__ = ["LARGEST", "linked_matrix_html", "matrix_html", "page_name"]

# Of a page without details, in bytes.
LARGEST = 2_000_000


def matrix_html(everything: list[Results]) -> str:
    """The page in one file, with the details of every cell."""
    return _page(everything, len(everything), "")


def linked_matrix_html(everything: list[Results], folder: str) -> str:
    """The page without details: a cell leads to the page of its implementation.

    The page has at most ``LARGEST`` bytes. If there are too many implementations, the table of
    clauses has only those that deviate most, and says so.

    Args:
        everything: results.
        folder: beside the page, in which each implementation has a page; see :func:`page_name`.
    """
    shown = len(everything)
    while True:
        page = _page(everything, shown, folder)
        size = len(page.encode())
        if size <= LARGEST or not shown:
            return page
        shown = shown * LARGEST // size


def page_name(results: Results) -> str:
    """The name of the file with the page of an implementation, for a link."""
    return quote(results["implementation"]["target"], safe="") + ".html"


@dataclass(frozen=True)
class _Column:
    """What the matrix says of one implementation.

    Attributes:
        number: its place among the results, from 1 on.
        label: its name, which no other column has.
        results: of the implementation.
    """

    number: int
    label: str
    results: Results

    @cached_property
    def verdict(self) -> VerdictResult:
        return verdict_of(self.results["clauses"], self.results["gate_passed"])

    @cached_property
    def share_that_holds(self) -> float:
        """Of the clauses that were judged; 1 if none was."""
        judged, deviating = self.verdict["judged"], self.verdict["deviating"]
        return 1.0 - deviating / judged if judged else 1.0

    @property
    def framework(self) -> str:
        """The first word of what was judged: an adapter's framework, a package, a file."""
        target = one_line(self.results["implementation"]["target"])
        return re.split(r"[-.:/\\ ]", target, maxsplit=1)[0] or target

    @property
    def text(self) -> str:
        return verdict_text(self.results)

    @property
    def counts(self) -> Counter[str]:
        return Counter(clause["verdict"] for clause in self.results["clauses"])

    @property
    def gate(self) -> str:
        return gate_sentence(self.results).removeprefix("Gate: ")

    @property
    def in_part(self) -> bool:
        return in_part(self.results)

    @property
    def page(self) -> str:
        return page_name(self.results)


def _page(everything: list[Results], shown: int, folder: str) -> str:
    """The page with the ``shown`` worst implementations in the table of clauses.

    Args:
        everything: results.
        shown: number of columns.
        folder: with pages of implementations; empty for a page with details.
    """
    rows = clause_rows(everything)
    named = enumerate(zip(labels(everything), everything, strict=True), 1)
    columns = [_Column(number, label, results) for number, (label, results) in named]
    worst_first = sorted(columns, key=lambda column: column.share_that_holds)
    groups: dict[str, list[_Column]] = {}
    for column in worst_first[:shown]:
        groups.setdefault(column.framework, []).append(column)
    in_groups = [column for group in groups.values() for column in group]
    deviating = {
        clause["id"]: sum(cell is not None and deviates(cell) for cell in cells)
        for clause, cells in rows
    }
    places = enumerate(rows, 1)
    return render(
        "matrix.html",
        folder=folder,
        columns=columns,
        worst_first=worst_first,
        groups=groups,
        lines=[
            (place, clause, [(column, cells[column.number - 1]) for column in in_groups])
            for place, (clause, cells) in sorted(
                places, key=lambda row: -deviating[row[1][0]["id"]]
            )
        ],
        deviating_in=deviating,
        share=_share,
        only_passed=_only_passed,
        is_linked=_is_linked,
        passed={
            clause["id"]: [
                column.label
                for column, cell in zip(columns, cells, strict=True)
                if cell is not None and _only_passed(cell)
            ]
            for clause, cells in rows
        },
        rows=rows,
        kinds=KINDS,
        threshold=threshold_text(everything),
        differing={clause["id"] for clause, cells in rows if differs(cells)},
        chapters=list(dict.fromkeys(clause["chapter"] for clause, _ in rows)),
        verdicts=verdict_counts(cell for _, cells in rows for cell in cells if cell is not None),
    )


def _share(clause: ClauseResult) -> str:
    """How many cases of a broken clause pass: none, few or most."""
    passed, judged = passed_cases(clause)
    return "none" if not passed else "few" if 2 * passed < judged else "most"


def _only_passed(clause: ClauseResult) -> bool:
    """Whether there is no more to say about a clause than its cell does."""
    return clause["verdict"] == PASS and not clause["reasons"]


def _is_linked(clause: ClauseResult) -> bool:
    """Whether the page of an implementation shows a failure of the clause."""
    return clause["verdict"] in (*BROKEN, WAIVED, INCONCLUSIVE)
