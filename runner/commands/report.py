"""``lstm-conformance report``: makes pages, tables and badges from files of results."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path

from ...reports.difference import Difference, difference, difference_markdown, difference_text
from ...reports.escaping import escaped
from ...reports.junit import junit_xml
from ...reports.matrix import matrix_markdown, matrix_text
from ...reports.reading import read_results
from ...reports.releases import are_releases, releases_markdown, releases_of, releases_text
from ...reports.results import Results
from ...reports.tables import markdown_report, summary, text_report
from ...reports.writing import check_outputs, several, write_text
from ...spec.usage_error import UsageError

__all__ = ["report"]

# In bytes: GitHub drops a job summary that is larger.
_LARGEST_JOB_SUMMARY = 1_000_000


def report(options: Namespace) -> int:
    """Renders ``options.results`` in every form that is asked for.

    One file gives a report. Two files of the same implementation give their difference. More files
    of the same implementation, each of another version, give the clauses beside the versions. Other
    files give a matrix. Nothing is written unless everything can be rendered.

    Raises:
        UsageError: the results are damaged, or a file cannot be written.
    """
    files = {
        form: path
        for form in ("html", "markdown", "junit", "badge")
        if (path := getattr(options, form)) is not None
    }
    job_summary = _job_summary_file() if options.job_summary else None
    check_outputs(
        {f"--{form}": path for form, path in files.items()}, several("result", options.results)
    )
    everything = [read_results(path) for path in options.results]
    rendered = {form: _rendered(form, everything) for form in files}
    text = _rendered("text", everything)
    summary = _job_summary(everything) if job_summary else ""
    for form, path in files.items():
        write_text(path, rendered[form])
    if job_summary is not None:
        with job_summary.open("a", encoding="utf-8") as file:
            file.write(summary)
    if options.text or not (files or job_summary):
        print(text, end="")
    return 0


def _job_summary_file() -> Path:
    name = os.environ.get("GITHUB_STEP_SUMMARY", "")
    if not name:
        raise UsageError(
            "--job-summary needs the environment variable GITHUB_STEP_SUMMARY: "
            "use it in a step of GitHub Actions."
        )
    path = Path(name)
    check_outputs({"--job-summary": path})
    return path


def _rendered(form: str, everything: list[Results]) -> str:
    changed = _changed(everything)
    if form == "junit":
        return junit_xml(everything)
    if form in ("html", "badge"):
        return _from_template(form, everything, changed)
    text = form == "text"
    if changed is not None:
        return difference_text(changed) if text else difference_markdown(changed)
    if len(everything) == 1:
        return text_report(everything[0]) if text else markdown_report(everything[0])
    if are_releases(everything):
        found = releases_of(everything)
        return releases_text(found) if text else releases_markdown(found)
    return matrix_text(everything) if text else matrix_markdown(everything)


def _changed(everything: list[Results]) -> Difference | None:
    targets = [results["implementation"]["target"] for results in everything]
    same = len(everything) == 2 and targets[0] == targets[1]
    return difference(*everything) if same else None


def _from_template(form: str, everything: list[Results], changed: Difference | None) -> str:
    if form == "badge" and len(everything) > 1:
        raise UsageError("--badge is of one implementation: give one file of results.")
    try:
        if form == "badge":
            from ...reports.badge import badge_svg

            return badge_svg(everything[0])
        from ...reports.html import difference_html, releases_html, report_html
        from ...reports.matrix_page import matrix_html
    except ModuleNotFoundError as error:
        raise UsageError(
            f"--{form} needs {error.name}: pip install 'lstm-conformance[html]'."
        ) from None
    if changed is not None:
        return difference_html(changed)
    if are_releases(everything):
        return releases_html(releases_of(everything))
    return report_html(everything[0]) if len(everything) == 1 else matrix_html(everything)


def _job_summary(everything: list[Results]) -> str:
    page = _rendered("markdown", everything)
    if len(page.encode()) <= _LARGEST_JOB_SUMMARY:
        return page
    verdicts = "\n\n".join(escaped(summary(results)) for results in everything)
    return f"{verdicts}\n\nThe whole report is too long for a job summary.\n"
