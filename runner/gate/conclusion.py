"""Prints and writes the results of ``check`` or ``merge``, and decides the exit status."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

from ...reports.escaping import one_line
from ...reports.results import Results
from ...reports.sections import LONGEST_PAGE, length
from ...reports.tables import (
    implementation_name,
    markdown_report,
    one_line_report,
    short_report,
    text_report,
)
from ...reports.writing import write_results, write_text
from .baseline import Comparison
from .exit_status import CONFORMANT, NOT_COMPLETED, NOT_CONFORMANT, exit_status

__all__ = ["conclude"]

_HINT = "-v shows every clause, and programs that show the failures without this suite."

# Of the terminal: bold and green, red or yellow. Deviations that the gate lets pass are yellow.
_GREEN, _RED, _YELLOW, _PLAIN = "\x1b[1;32m", "\x1b[1;31m", "\x1b[1;33m", "\x1b[0m"


def conclude(
    results: Results,
    *,
    json: Path | None,
    markdown: Path | None,
    baseline: tuple[Path, Results] | None,
    verbose: bool = False,
    quiet: bool = False,
) -> int:
    """Writes and prints the results, and returns the exit status. The verdict is the last line.

    If a file cannot be written, because a disk is full for example, the last line says so.

    Args:
        results: of the implementation.
        json: file for the results; None for none.
        markdown: file for a report; None for none.
        baseline: file and content of earlier results, against which a regression fails; None if
            the results have to conform.
        verbose: whether every clause is printed.
        quiet: whether nothing but the verdict and the answer of the gate is printed.
    """
    report, status = "", exit_status(results)
    text = text_report(results) if verbose else short_report(results, _HINT)
    if quiet:
        text = one_line_report(results)
    if baseline is not None:
        comparison = Comparison(*baseline, results)
        compared, status = comparison.text(), comparison.status
        text = f"{text}\n{compared}" if not quiet else f"{compared.splitlines()[-1]}\n"
        report = f"{comparison.markdown()}\n"
    report += markdown_report(results, LONGEST_PAGE - length(report))
    problem = _write(results, report, json, markdown)
    if problem:
        # The answer of the gate and the verdict are the last two lines.
        lines = [] if quiet else short_report(results).splitlines()[:-2]
        text, status = "\n".join([*lines, f"{problem}\n"]), NOT_COMPLETED
    text = _coloured(text, status)
    if sys.stdout.isatty() and not verbose and not quiet:
        text = _wrapped(text, shutil.get_terminal_size().columns)
    print(text, end="", flush=True)
    return status


def _write(results: Results, report: str, json: Path | None, markdown: Path | None) -> str:
    """Writes the files. If that fails, the last line of what is printed; otherwise empty."""
    files: list[tuple[str, Path | None, Callable[[Path], None]]] = [
        ("--json", json, lambda path: write_results(path, results)),
        ("--markdown", markdown, lambda path: write_text(path, report)),
    ]
    for option, path, write in files:
        try:
            if path is not None:
                write(path)
        except OSError as error:
            why = error.strerror or type(error).__name__
            what = one_line(f"{option} {path} could not be written: {why}")
            return f"NOT COMPLETED: no verdict on {implementation_name(results)} ({what})."
    return ""


# Lines of a failure that hold sentences, and how far these are indented.
_PROSE, _INDENT = "  diagnosis ", 12


def _wrapped(text: str, width: int) -> str:
    """``text`` with line breaks in its sentences.

    Cases and commands stay whole, to be copied, and so do rows of tables.
    """
    lines: list[str] = []
    for line in text.splitlines():
        is_prose = line.startswith(_PROSE)
        is_row = "  " in line.removeprefix(_PROSE)
        if is_row or (line.startswith(" ") and not is_prose):
            lines.append(line)
            continue
        indent = " " * (_INDENT if is_prose else 2)
        # Where a long word, such as a path, is broken, it cannot be copied.
        lines += textwrap.wrap(
            line,
            width,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]
    return "\n".join(lines) + "\n"


def _coloured(text: str, status: int) -> str:
    """``text`` with the verdict, which begins its last line, in a colour if that can be seen."""
    # https://no-color.org
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    before, line, last = text.rstrip("\n").rpartition("\n")
    verdict, colon, rest = last.partition(":")
    if not colon:
        return text
    colour = _RED if status == NOT_CONFORMANT else _YELLOW
    if status == CONFORMANT and verdict in ("CONFORMANT", "SHARD DONE"):
        colour = _GREEN
    return f"{before}{line}{colour}{verdict}{_PLAIN}{colon}{rest}\n"
