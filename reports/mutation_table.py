"""Which defects the suite kills, as text and as Markdown."""

from __future__ import annotations

import re
from statistics import median
from typing import Literal

from tabulate import tabulate

from ..spec.clean_text import counted
from .escaping import escaped
from .mutation_results import DefectResult, MutationResults

__all__ = ["QUICK", "mutation_markdown", "mutation_text"]

# In seconds. Defects that take longer are counted.
QUICK = 2.0


def mutation_text(results: MutationResults) -> str:
    """For a terminal: counts, unexpected results, and the summary at the end."""
    rows = results["defects"]
    parts = [_counts(rows, "simple")]
    survivors = [(row["id"], row["breaks"], row["text"]) for row in _survivors(rows)]
    if survivors:
        table = tabulate(
            survivors, ["id", "breaks", "defect"], "simple", maxcolwidths=[None, None, 60]
        )
        parts.append(f"Survived:\n\n{table}")
    others = [(row["id"], row["breaks"], row["killed_by"]) for row in _killed_by_others(rows)]
    if others:
        table = tabulate(others, ["id", "breaks", "killed by"], "simple")
        parts.append(f"Killed by another clause than the one they break:\n\n{table}")
    parts.append("\n".join(_summary(results)))
    return "\n\n".join(parts) + "\n"


def mutation_markdown(results: MutationResults) -> str:
    """A page: summary, counts, every defect, and the changes that are no defects."""
    rows, environment = results["defects"], results["environment"]
    packages = ", ".join(f"{name} {v}" for name, v in environment["packages"].items())
    parts = [
        "# Defects",
        "LSTMs that are wrong on purpose, each in one thing, and the first clause whose tests "
        "fail: those of the clause that the defect breaks come first. The cases and seconds are "
        "those until the first failing case, from when the implementation was loaded. Made by "
        "`tox -e defects`.",
        "  \n".join(_summary(results)),
        _counts(rows, "pipe"),
        "## Every defect",
        _every_defect(rows),
    ]
    if results["equivalent"]:
        parts += [
            "## Changes that are no defects",
            "These compute what a right LSTM computes, so no clause may kill them.",
            *(
                f"### {mutant['id']}\n\n{escaped(mutant['text'])}"
                for mutant in results["equivalent"]
            ),
        ]
    parts.append(
        f"Python {environment['python']} on {escaped(environment['platform'])}; {packages}."
    )
    return "\n\n".join(parts) + "\n"


def _survivors(rows: list[DefectResult]) -> list[DefectResult]:
    return [row for row in rows if row["verdict"] != "killed"]


def _killed_by_others(rows: list[DefectResult]) -> list[DefectResult]:
    return [row for row in rows if row["verdict"] == "killed" and not row["expected"]]


def _summary(results: MutationResults) -> list[str]:
    rows = results["defects"]
    killed = len(rows) - len(_survivors(rows))
    expected = killed - len(_killed_by_others(rows))
    seconds = _values(rows, "seconds")
    lines = [
        f"{killed} of {counted(len(rows), 'defect is', 'defects are')} killed "
        f"({killed / len(rows):.1%}), {expected} by the clause that they break."
    ]
    if seconds:
        slow = sum(value > QUICK for value in seconds)
        cases = counted(float(median(_values(rows, "cases"))), "case")
        lines.append(
            f"The median defect is killed after {median(seconds):.2f} s and {cases}; "
            f"{counted(slow, 'takes', 'take')} more than {QUICK:g} s."
        )
    ended = killed - len(seconds)
    if ended:
        lines.append(f"{ended} ended the process; how long that took is not known.")
    lines.append(
        f"Profile {results['profile']}, seed {results['seed']}; "
        f"{results['duration_seconds']:.0f} s in all."
    )
    return lines


def _values(rows: list[DefectResult], name: Literal["seconds", "cases"]) -> list[float]:
    """The values of the defects that were killed and did not end their process."""
    values = [row[name] for row in rows if row["verdict"] == "killed"]
    return [value for value in values if value is not None]


def _counts(rows: list[DefectResult], style: str) -> str:
    of_kind: dict[str, list[DefectResult]] = {}
    for row in rows:
        of_kind.setdefault(row["kind"], []).append(row)
    table = [
        [
            name,
            len(group),
            len(group) - len(_survivors(group)),
            _median(group, "seconds"),
            _median(group, "cases"),
        ]
        for name, group in {**of_kind, "all": rows}.items()
    ]
    headers = ["kind", "defects", "killed", "median seconds", "median cases"]
    return tabulate(table, headers, style, floatfmt=".2f")


def _median(rows: list[DefectResult], name: Literal["seconds", "cases"]) -> str:
    values = _values(rows, name)
    return f"{median(values):.3g}" if values else ""


def _every_defect(rows: list[DefectResult]) -> str:
    table = [
        [
            row["id"],
            row["kind"],
            escaped(row["text"]),
            escaped(row["shows"]),
            row["breaks"],
            row["killed_by"] or "**survived**",
            "" if row["cases"] is None else row["cases"],
            "" if row["seconds"] is None else f"{row['seconds']:.2f}",
            ", ".join(map(_link, row["bugs"])),
        ]
        for row in rows
    ]
    headers = [
        "id",
        "kind",
        "defect",
        "shows",
        "breaks",
        "killed by",
        "cases",
        "seconds",
        "seen in",
    ]
    alignment = ("left",) * 6 + ("right",) * 2 + ("left",)
    wide = tabulate(table, headers, "pipe", colalign=alignment, disable_numparse=True)
    # Columns as wide as the longest list of links would make the page four times as large.
    return re.sub("-{4,}", "---", re.sub(" {2,}", " ", wide))


def _link(bug: str) -> str:
    """To a public bug, given as ``owner/repository#number`` or by its address."""
    if bug.startswith("https://"):
        return f"<{bug}>"
    repository, _, number = bug.partition("#")
    return f"[{escaped(bug)}](https://github.com/{repository}/issues/{number})"
