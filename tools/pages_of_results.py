"""What the documentation site makes of published results.

Each implementation has a page. Links to it are added to the table of frameworks, and to each clause
of the specification that it breaks.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from lstm_conformance.reports.finding import Finding, read_findings
from lstm_conformance.reports.findings_page import anchor
from lstm_conformance.reports.html import implementation_html
from lstm_conformance.reports.matrix_page import page_name
from lstm_conformance.reports.reading import read_results
from lstm_conformance.reports.results import Results
from lstm_conformance.reports.verdict import deviates
from lstm_conformance.runner.judging.known_deviations import read_known_deviations
from lstm_conformance.spec.verdicts import NOT_TESTED, UNSUPPORTED

__all__ = ["FOLDER", "implementation_page", "published", "with_links", "with_who_breaks"]

REPORTS = Path(__file__).parents[1] / "reports"
RESULTS = REPORTS / "published" / "frameworks"
DEVIATIONS = REPORTS / "known_deviations"
FINDINGS = REPORTS / "findings" / "findings.toml"

# Where the pages of implementations are on the site.
FOLDER = "reports/published/implementations"


@cache
def published() -> dict[str, Results]:
    """The name of each adapter with published results, and these."""
    return {path.stem: read_results(path) for path in sorted(RESULTS.glob("*.json"))}


def implementation_page(name: str, repository: str) -> str:
    """The page of an adapter.

    Args:
        name: of the adapter.
        repository: address of the repository.
    """
    return implementation_html(
        published()[name],
        {
            "Documentation": "../../../",
            "Frameworks": "../frameworks/",
            "Findings": "../findings/",
            "Matrix": "../matrix.html",
            "Clauses": "../../../spec/lstm/",
            "Results (JSON)": f"{repository}/blob/main/reports/published/frameworks/{name}.json",
        },
        {finding.sentence: f"../findings/#{anchor(finding)}" for finding in findings_of(name)},
    )


def findings_of(name: str) -> list[Finding]:
    """What the known deviations of an adapter refer to, the most severe first."""
    file = DEVIATIONS / f"{name}.toml"
    known = read_known_deviations(file) if file.exists() else ()
    ids = {id for deviation in known for id in deviation.findings}
    return [finding for finding in _findings() if finding.id in ids]


@cache
def _findings() -> list[Finding]:
    return read_findings(FINDINGS)


def with_links(frameworks: str) -> str:
    """The page of frameworks, in which names in the first column of tables lead to pages.

    Args:
        frameworks: the page, in Markdown.
    """
    names = "|".join(map(re.escape, published()))
    return re.sub(
        rf"^\| ({names})(?= *\|)",
        lambda found: f"| [{found[1]}]({Path(FOLDER).name}/{page_name(published()[found[1]])})",
        frameworks,
        flags=re.MULTILINE,
    )


def with_who_breaks(specification: str) -> str:
    """The specification, in which each clause says which implementations break it.

    Args:
        specification: the page ``spec/lstm.md``.
    """
    parts = re.split(r"(?m)^(?=##)", specification)
    return "".join(map(_with_who_breaks, parts))


def _with_who_breaks(part: str) -> str:
    """A part of the specification; if it is a clause, with a line on who breaks it."""
    heading = re.match("### ([A-Z]+-[0-9]+) ", part)
    if heading is None:
        return part
    clause_id = heading[1]
    found = {
        name: clause
        for name, results in published().items()
        for clause in results["clauses"]
        if clause["id"] == clause_id and clause["verdict"] not in (UNSUPPORTED, NOT_TESTED)
    }
    if not found:
        return part
    breaking = [
        f"[{name}](../{FOLDER}/{page_name(published()[name])}#why-{clause_id})"
        for name, clause in found.items()
        if deviates(clause)
    ]
    if not breaking:
        return f"{part.rstrip()}\n\nBroken by none of {len(found)} that were judged.\n\n"
    number = f"{len(breaking)} of {len(found)} that were judged"
    return f"{part.rstrip()}\n\n**Broken by {number}**: {', '.join(breaking)}.\n\n"
