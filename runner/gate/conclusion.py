"""Prints and writes the results of ``check`` or ``merge``, and decides the exit status."""

from __future__ import annotations

from pathlib import Path

from ...reports.results import Results
from ...reports.tables import markdown_report, text_report
from ...reports.writing import write_results, write_text
from .baseline import Comparison
from .exit_status import exit_status

__all__ = ["conclude"]


def conclude(
    results: Results,
    *,
    json: Path | None,
    markdown: Path | None,
    baseline: tuple[Path, Results] | None,
) -> int:
    """Prints and writes the results, and returns the exit status.

    Args:
        results: of the implementation.
        json: file for the results; None for none.
        markdown: file for a report; None for none.
        baseline: file and content of earlier results, against which a regression fails; None if
            the results have to conform.
    """
    text, report, status = text_report(results), markdown_report(results), exit_status(results)
    if baseline is not None:
        comparison = Comparison(*baseline, results)
        text, report = f"{text}\n{comparison.text()}", f"{comparison.markdown()}\n{report}"
        status = comparison.status
    # The verdict comes first: a disk may be full.
    print(text, end="", flush=True)
    if json is not None:
        write_results(json, results)
    if markdown is not None:
        write_text(markdown, report)
    return status
