"""One implementation in several versions, as text and as Markdown: what each version breaks."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from packaging.version import InvalidVersion, Version
from tabulate import tabulate

from ..spec.clause import KINDS
from ..spec.clean_text import counted
from ..spec.verdicts import INCONCLUSIVE, NOT_TESTED, UNSUPPORTED
from .escaping import escaped, one_line, shortened
from .matrix import clause_rows
from .results import ClauseResult, Results
from .sections import LONGEST_NAME, Section, fitted
from .tables import ratio_text, tensor_rows, threshold_text
from .verdict import cases_text, deviates, gate_sentence, in_part, verdict_of, verdict_text

__all__ = [
    "CELLS",
    "Releases",
    "Row",
    "are_releases",
    "cell_text",
    "how_judged",
    "ratio_rows",
    "releases_markdown",
    "releases_of",
    "releases_text",
    "releases_title",
    "rest_sentence",
    "sections",
    "state_of",
    "verdict_rows",
]

# What stands above the table of clauses.
CELLS = "Where a clause is broken, the share of its cases that pass follows."

# Of fewer results, the difference says more.
_FEWEST = 3


class Row(NamedTuple):
    """A clause that some version breaks, or in which versions differ.

    Attributes:
        clause: what it says.
        cells: its entry in the results of each version; None if they lack it.
        broken_in: the versions that break it, and between which of them that came or went.
    """

    clause: ClauseResult
    cells: list[ClauseResult | None]
    broken_in: str


@dataclass(frozen=True)
class Releases:
    """Results of one implementation in several versions.

    Attributes:
        name: of the implementation.
        everything: the results, of the oldest version first.
        versions: a text for each, without what follows "+" if they differ without it.
        rows: clauses that a version breaks, or in which versions differ.
        rest: all other clauses: those that hold wherever they were judged, with the entries that
            were judged. If there is none, the clause was judged nowhere.
    """

    name: str
    everything: list[Results]
    versions: list[str]
    rows: list[Row]
    rest: list[list[ClauseResult]]


def are_releases(everything: list[Results]) -> bool:
    """Whether these are three or more results of one implementation, each of another version."""
    targets = {results["implementation"]["target"] for results in everything}
    versions = {results["implementation"]["version"] for results in everything}
    return len(targets) == 1 and len(everything) == len(versions) >= _FEWEST


def releases_of(everything: list[Results]) -> Releases:
    """What differs between versions of one implementation.

    Args:
        everything: see :func:`are_releases`. They are put in the order of their versions (PEP 440).
            If PEP 440 has no such version, they stay in the order given.
    """
    ordered = _in_order(everything)
    versions = _short_versions(ordered)
    rows, rest = [], []
    for clause, cells in clause_rows(ordered):
        states = [state_of(cell) for cell in cells]
        if len(set(filter(None, states))) > 1 or {"broken", INCONCLUSIVE} & set(states):
            rows.append(Row(clause, cells, _broken_in(versions, states)))
        else:
            rest.append([cell for cell in cells if state_of(cell) == "holds" and cell is not None])
    name = one_line(ordered[-1]["implementation"]["name"])
    return Releases(name, ordered, versions, rows, rest)


def _in_order(everything: list[Results]) -> list[Results]:
    try:
        return sorted(everything, key=lambda r: Version(r["implementation"]["version"]))
    except InvalidVersion:
        return everything


def _short_versions(everything: list[Results]) -> list[str]:
    versions = [one_line(results["implementation"]["version"]) for results in everything]
    short = [version.partition("+")[0] for version in versions]
    return short if len(set(short)) == len(short) else versions


def state_of(cell: ClauseResult | None) -> str:
    """What a version does with a clause, in a word; empty if it was not asked."""
    if cell is None:
        return ""
    if cell["verdict"] in (UNSUPPORTED, NOT_TESTED, INCONCLUSIVE):
        return cell["verdict"]
    return "broken" if deviates(cell) else "holds"


def _broken_in(versions: list[str], states: list[str]) -> str:
    """The versions that break a clause, and the judged ones before and after, which do not."""
    judged = [
        (version, state == "broken")
        for version, state in zip(versions, states, strict=True)
        if state in ("broken", "holds")
    ]
    spans = [
        (broken, [version for version, _ in span])
        for broken, span in groupby(judged, key=lambda pair: pair[1])
    ]
    if not judged:
        return "none"
    if all(broken for broken, _ in spans):
        return "every version" if len(judged) == len(versions) else _span(spans[0][1])
    texts = []
    for place, (broken, found) in enumerate(spans):
        if broken:
            text = _span(found)
            if place:
                text += f", not yet in {spans[place - 1][1][-1]}"
            if place + 1 < len(spans):
                text += f", gone in {spans[place + 1][1][0]}"
            texts.append(text)
    return "; ".join(texts) or "none"


def _span(versions: list[str]) -> str:
    return " to ".join(dict.fromkeys([versions[0], versions[-1]]))


def cell_text(cell: ClauseResult | None) -> str:
    """What a version does with a clause, and how many cases pass if it is broken."""
    state = state_of(cell)
    if state in (UNSUPPORTED, NOT_TESTED):
        return "-"
    share = cases_text(cell) if cell is not None and state == "broken" else ""
    return f"{state}, {share}" if share else state


def verdict_rows(found: Releases) -> tuple[list[str], list[list[str]]]:
    """Headers and cells of the table of verdicts: a row for each version."""
    rows = []
    for version, results in zip(found.versions, found.everything, strict=True):
        kinds = verdict_of(results["clauses"], results["gate_passed"])["kinds"]
        rows.append(
            [
                version,
                verdict_text(results) + (", judged in part" if in_part(results) else ""),
                *(
                    f"{kinds[kind]['deviating']} of {kinds[kind]['judged']}"
                    if kinds[kind]["judged"]
                    else "-"
                    for kind in KINDS
                ),
                cases_text(*results["clauses"]),
                _gate(results),
            ]
        )
    return ["version", "verdict", *KINDS, "cases that pass", "gate"], rows


def _gate(results: Results) -> str:
    return "passed" if results["gate_passed"] else gate_sentence(results).removeprefix("Gate: ")


def ratio_rows(found: Releases) -> tuple[list[str], dict[str, list[float | None]]]:
    """The dtypes, and each version to its worst ratio in each dtype; None if that has none."""
    worst: list[dict[str, float]] = []
    for results in found.everything:
        dtypes, tensors = tensor_rows(results)
        worst.append({})
        for _, ratios in tensors:
            for dtype, ratio in zip(dtypes, ratios, strict=True):
                if ratio is not None:
                    worst[-1][one_line(dtype)] = max(ratio, worst[-1].get(one_line(dtype), 0.0))
    every = list(dict.fromkeys(dtype for ratios in worst for dtype in ratios))
    return every, {
        version: [ratios.get(dtype) for dtype in every]
        for version, ratios in zip(found.versions, worst, strict=True)
    }


def rest_sentence(found: Releases) -> str:
    """How many clauses have no row, and how large their errors are."""
    holding = [cells for cells in found.rest if cells]
    every = [cell["worst_ratio"] for cells in holding for cell in cells]
    ratios = [ratio for ratio in every if ratio is not None]
    worst = f"; the worst ratio is {ratio_text(max(ratios))}" if ratios else ""
    nowhere = len(found.rest) - len(holding)
    more = f" {nowhere} could not be judged in any version." if nowhere else ""
    others = "other clauses hold" if found.rows else "clauses hold"
    return f"{len(holding)} {others} in every version in which they were judged{worst}.{more}"


def how_judged(found: Releases) -> tuple[list[str], list[list[str]]]:
    """Headers and cells of the table of circumstances: a row for each version."""
    rows = [
        [
            one_line(results["implementation"]["version"]),
            results["profile"],
            str(results["seed"]),
            one_line(results["environment"]["python"]),
            one_line(
                ", ".join(f"{name} {v}" for name, v in results["environment"]["packages"].items())
            ),
        ]
        for results in found.everything
    ]
    return ["version", "profile", "seed", "Python", "packages"], rows


def sections(found: Releases, style: str) -> dict[str, str]:
    """Heading of each part of the page to its text.

    Args:
        found: what to show.
        style: of tabulate: "simple" for a terminal, "pipe" for Markdown.
    """
    clean = escaped if style == "pipe" else str
    dtypes, ratios = ratio_rows(found)
    of_clauses = [
        [row.clause["id"], row.clause["title"], *map(cell_text, row.cells), row.broken_in]
        for row in found.rows
    ]
    of_ratios = [[version, *map(ratio_text, worst)] for version, worst in ratios.items()]

    def table(headers: list[str], rows: list[list[str]]) -> str:
        cells = [[clean(one_line(cell)) for cell in row] for row in (headers, *rows)]
        return tabulate(cells[1:], cells[0], style, disable_numparse=True)

    headers = ["clause", "title", *found.versions, "broken in"]
    return {
        "Verdicts": table(*verdict_rows(found)),
        "Clauses that a version breaks, or in which versions differ": "\n\n".join(
            [*([CELLS, table(headers, of_clauses)] if of_clauses else []), rest_sentence(found)]
        ),
        f"Largest error over rounding noise ({threshold_text(found.everything)} fails)": table(
            ["version", *dtypes], of_ratios
        ),
        "How each version was judged": table(*how_judged(found)),
    }


def releases_text(found: Releases) -> str:
    """For a terminal: verdicts, clauses beside versions, worst ratios."""
    parts = [f"{heading}:\n\n{text}" for heading, text in sections(found, "simple").items()]
    return "\n\n".join([releases_title(found), *parts]) + "\n"


def releases_markdown(found: Releases) -> str:
    """For a file or a job summary: :func:`releases_text`, as far as GitHub shows it."""
    parts = enumerate(sections(found, "pipe").items(), 1)
    title = Section(f"# {escaped(shortened(releases_title(found), LONGEST_NAME))}", 0, "the title")
    return fitted(
        [
            title,
            *(
                Section(f"## {heading}\n\n{text}", number, f"the part {heading!r}")
                for number, (heading, text) in parts
            ),
        ]
    )


def releases_title(found: Releases) -> str:
    """What the page is about."""
    return f"{found.name}: {counted(len(found.versions), 'version')}"
