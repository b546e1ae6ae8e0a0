"""The published page of findings, and their lines in the README."""

from __future__ import annotations

from collections import Counter

from .escaping import escaped, fenced
from .finding import KINDS, SEVERITIES, Finding
from .finding_program import FindingProgram

__all__ = ["anchor", "findings_page", "issue_text", "worst_findings"]


def findings_page(findings: list[Finding], programs: dict[str, FindingProgram]) -> str:
    """The page, as Markdown: a list, then each finding.

    Args:
        findings: the most severe first.
        programs: id of each finding to its program.
    """
    kinds = Counter(finding.kind for finding in findings)
    parts = [
        "# Findings",
        f"{len(findings)} deviations of released frameworks from their own documentation, the most "
        "severe first: "
        + ", ".join(f"{kind} {kinds[kind]}" for kind in KINDS if kinds[kind])
        + ". A program of at most 20 lines shows each of them with the framework alone, and fails "
        "as long as the framework has it. Made from "
        "[`findings.toml`](../findings/findings.toml).",
    ]
    for severity in SEVERITIES:
        chosen = [finding for finding in findings if finding.severity == severity]
        if chosen:
            parts += [f"## Severity: {severity}", "\n".join(map(_line, chosen))]
    parts.append("## Each finding")
    parts += [_section(finding, programs[finding.id]) for finding in findings]
    return "\n\n".join(parts) + "\n"


def worst_findings(findings: list[Finding], number: int = 3) -> str:
    """Lines of Markdown for the README: the worst finding of each of the worst frameworks."""
    worst: dict[str, Finding] = {}
    for finding in findings:
        worst.setdefault(finding.framework, finding)
    lines = [
        f"- {escaped(f'{finding.framework} {finding.seen[-1]}, {finding.api}')}: "
        f"{escaped(finding.sentence)}"
        for finding in list(worst.values())[:number]
    ]
    frameworks = len({finding.framework for finding in findings})
    return "\n".join(
        [
            f"Found so far: **{len(findings)} deviations of {frameworks} released frameworks**, "
            "each with a program that shows it ([all findings](reports/published/findings.md)). "
            "Among the worst:",
            "",
            *lines,
        ]
    )


def issue_text(finding: Finding, program: FindingProgram) -> str:
    """A text that can be filed as an issue of the framework, as Markdown.

    Args:
        finding: what to report.
        program: its comment says what the documentation promises.
    """
    return "\n\n".join(
        [
            f"**{finding.api}: {finding.sentence.removesuffix('.')}**",
            program.description,
            f"Seen in {finding.framework} {', '.join(finding.seen)}. To reproduce:",
            f"```{program.language}\n{program.code}\n```",
            "The last line fails. It should not.",
        ]
    )


def _line(finding: Finding) -> str:
    return (
        f"- {escaped(f'{finding.framework}, {finding.api}')} ({finding.kind}): "
        f"[{escaped(finding.sentence)}](#{anchor(finding)})"
    )


def _section(finding: Finding, program: FindingProgram) -> str:
    fixed = f"; right since {finding.fixed}" if finding.fixed else ""
    absent = f"; not in {', '.join(finding.absent)}" if finding.absent else ""
    upstream = f"; {finding.upstream}" if finding.upstream else "; no issue upstream is known"
    facts = (
        f"{escaped(finding.framework)} {', '.join(finding.seen)}{absent}{fixed}; {finding.kind}; "
        f"severity {finding.severity}; {', '.join(finding.clauses)}{upstream}"
    )
    parts = [
        f"### {finding.id}",
        f"**{escaped(finding.sentence)}**",
        facts,
        _prose(program.description),
        f"Program: [{program.file}](../findings/{program.file})",
    ]
    if not finding.upstream:
        text = fenced(issue_text(finding, program)).replace("text\n", "markdown\n", 1)
        parts.append(f"<details><summary>Text to file upstream</summary>\n\n{text}\n\n</details>")
    return "\n\n".join(parts)


def _prose(text: str) -> str:
    """A docstring as Markdown: what stands between double backquotes is code."""
    parts = text.split("``")
    return "".join(f"`{part}`" if k % 2 else escaped(part) for k, part in enumerate(parts))


def anchor(finding: Finding) -> str:
    """Where the page has ``finding``."""
    return finding.id.lower()
