"""The published page of one implementation across its releases, with the findings beside them."""

from __future__ import annotations

from tabulate import tabulate

from .escaping import escaped
from .finding import Finding
from .releases import Releases, releases_title, sections
from .releases_plot import in_words

__all__ = ["releases_page"]


def releases_page(found: Releases, introduction: str, findings: list[Finding], picture: str) -> str:
    """The page, as Markdown.

    Args:
        found: the results.
        introduction: a paragraph, as Markdown.
        findings: of the framework, the most severe first. Those that were tried in fewer than two
            of the versions are left out.
        picture: the name of the file that :func:`~.releases_plot.ratios_picture` made.
    """
    parts = [f"# {escaped(releases_title(found))}", introduction]
    for heading, text in sections(found, "pipe").items():
        parts += [f"## {heading}", text]
        if heading.startswith("Largest error"):
            parts.append(f"![{escaped(in_words(found))}]({picture})")
    parts.append(_findings(found, findings))
    return "\n\n".join(parts) + "\n"


def _findings(found: Releases, findings: list[Finding]) -> str:
    rows = []
    for finding in findings:
        states = [_state(finding, version) for version in found.versions]
        if len(list(filter(None, states))) > 1:
            name = f"[{escaped(finding.id)}](findings.md#{finding.id})"
            rows.append([name, escaped(f"{finding.api}: {finding.sentence}"), *states])
    return "\n\n".join(
        [
            "## Findings",
            "Each finding has a program. *Seen* in a version: the program failed there. *Not "
            "there*: it passed. An empty cell: it was not run, or could not be.",
            tabulate(rows, ["finding", "what happens", *found.versions], "pipe"),
        ]
    )


def _state(finding: Finding, version: str) -> str:
    if version in finding.seen:
        return "**seen**"
    return "not there" if version in finding.absent else ""
