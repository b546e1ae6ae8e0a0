"""What changed between two results of one implementation, as text and as Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tabulate import tabulate

from ..spec.usage_error import UsageError
from ..spec.verdicts import BROKEN
from .escaping import escaped, one_line, shortened
from .results import ClauseResult, Results
from .sections import LONGEST_NAME, Section, fitted
from .tables import failure_as_markdown, failure_text, markdown_lines, ratio_text

__all__ = [
    "Change",
    "Difference",
    "difference",
    "difference_markdown",
    "difference_table",
    "difference_text",
    "summary",
]

# An error that grew by more than this factor is reported if it is larger than one rounding.
_GROWN, _ONE_ROUNDING = 10.0, 1.0

# Fields in which two runs of one implementation may differ.
_VALUES: tuple[Literal["profile", "seed", "case", "threshold"], ...] = (
    "profile",
    "seed",
    "case",
    "threshold",
)
_LISTS: tuple[Literal["dtypes", "devices", "without"], ...] = ("dtypes", "devices", "without")

_JUDGED = ("pass", "waived", *BROKEN)


@dataclass(frozen=True)
class Change:
    """One clause in two results; None where a result does not have it."""

    before: ClauseResult | None
    after: ClauseResult | None

    @property
    def clause(self) -> ClauseResult:
        """The clause as it is now, or as it was."""
        clause = self.before if self.after is None else self.after
        assert clause is not None
        return clause

    @property
    def verdicts(self) -> tuple[str, str]:
        """Before and after."""
        return _verdict(self.before), _verdict(self.after)

    @property
    def ratios(self) -> tuple[float | None, float | None]:
        """Worst error over noise, before and after."""
        return _ratio(self.before), _ratio(self.after)


@dataclass(frozen=True)
class Difference:
    """What changed. No clause is in more than one list.

    Attributes:
        before, after: the results.
        broken: clauses that fail or raise now and did not before, or that are inconclusive now
            and were neither broken nor inconclusive before.
        waived: clauses that are waived now and passed before.
        unjudged: clauses that were judged before and are not now.
        grown: clauses that pass, or are broken, now and before, with an error that is now more
            than ten times as large.
        passing: clauses that pass now and did not before.
    """

    before: Results
    after: Results
    broken: list[Change]
    waived: list[Change]
    unjudged: list[Change]
    grown: list[Change]
    passing: list[Change]

    @property
    def groups(self) -> list[tuple[str, list[Change]]]:
        """The name of each list, and the list; the worst first."""
        return [
            ("newly broken", self.broken),
            ("newly waived", self.waived),
            ("no longer judged", self.unjudged),
            ("error grown more than tenfold", self.grown),
            ("newly passing", self.passing),
        ]

    @property
    def anything(self) -> bool:
        """Whether any clause changed."""
        return any(changes for _, changes in self.groups)


def difference(before: Results, after: Results) -> Difference:
    """What changed from ``before`` to ``after``.

    Args:
        before, after: results of one implementation, in the newest version of the schema.
            Version, profile, seed and the like may differ. The reports say so.

    Raises:
        UsageError: they are of different implementations.
    """
    targets = [results["implementation"]["target"] for results in (before, after)]
    if targets[0] != targets[1]:
        first, second = map(one_line, targets)
        raise UsageError(
            f"the results are of {first} and of {second}: only results of one implementation "
            f"can be compared."
        )
    old = {clause["id"]: clause for clause in before["clauses"]}
    new = {clause["id"]: clause for clause in after["clauses"]}
    found = Difference(before, after, [], [], [], [], [])
    for clause_id in [*new, *(clause_id for clause_id in old if clause_id not in new)]:
        change = Change(old.get(clause_id), new.get(clause_id))
        was, now = change.verdicts
        if now in BROKEN or now == "inconclusive":
            if was not in (*BROKEN, now):
                found.broken.append(change)
            elif now in BROKEN and _grown(*change.ratios):
                found.grown.append(change)
        elif now == "waived":
            if was == "pass":
                found.waived.append(change)
        elif now == "pass":
            if was != "pass":
                found.passing.append(change)
            elif _grown(*change.ratios):
                found.grown.append(change)
        elif was in _JUDGED:
            found.unjudged.append(change)
    return found


def _verdict(clause: ClauseResult | None) -> str:
    return "no such clause" if clause is None else str(clause["verdict"])


def _ratio(clause: ClauseResult | None) -> float | None:
    return None if clause is None else clause["worst_ratio"]


def _grown(before: float | None, after: float | None) -> bool:
    if before is None or after is None:
        return False
    return after >= _ONE_ROUNDING and after > _GROWN * before


def difference_text(found: Difference) -> str:
    """For a terminal: what changed, why, and the summary at the end."""
    parts = [difference_table(found, "simple")] if found.anything else []
    parts += [failure_text(clause) for clause in _causes(found)]
    parts.append("\n".join(summary(found)))
    return "\n\n".join(parts) + "\n"


def difference_markdown(found: Difference) -> str:
    """For a file or a job summary: the summary first."""
    name = escaped(shortened(one_line(found.after["implementation"]["name"]), LONGEST_NAME))
    sections = [
        Section(f"# What changed in {name}", 0, "the title"),
        Section(markdown_lines(summary(found)), 0, "the summary"),
    ]
    if found.anything:
        sections.append(Section(difference_table(found, "pipe"), 1, "the table of clauses"))
    sections += [Section(failure_as_markdown(clause), 2, "failure") for clause in _causes(found)]
    return fitted(sections)


def summary(found: Difference) -> list[str]:
    """Lines of text: how many clauses changed in which way, and what else differs."""
    changed = [f"{len(changes)} {name}" for name, changes in found.groups if changes]
    name = one_line(found.after["implementation"]["name"])
    lines = [f"{name}: {', '.join(changed)}." if changed else f"{name}: no clause changed."]
    for what, before, after in _circumstances(found):
        lines.append(f"Judged with another {what}: {one_line(before)}, now {one_line(after)}.")
    for which, results in (("first", found.before), ("second", found.after)):
        if results["stopped"]:
            lines.append(f"The {which} run was not completed: {results['stopped']}.")
    return lines


def _circumstances(found: Difference) -> list[tuple[str, str, str]]:
    """What else differs between the runs: its name, and its values before and after."""
    old, new = found.before, found.after
    rows = [("version", old["implementation"]["version"], new["implementation"]["version"])]
    rows += [(name, str(old[name]), str(new[name])) for name in _VALUES]
    rows += [(n, ", ".join(old[n]) or "none", ", ".join(new[n]) or "none") for n in _LISTS]
    rows.append(("python", old["environment"]["python"], new["environment"]["python"]))
    was, now = old["environment"]["packages"], new["environment"]["packages"]
    for package in dict.fromkeys([*was, *now]):
        rows.append((package, was.get(package, "none"), now.get(package, "none")))
    return [row for row in rows if row[1] != row[2]]


def _causes(found: Difference) -> list[ClauseResult]:
    """The newly broken clauses that build on no broken one; if there are none, all newly broken."""
    clauses = [change.clause for change in found.broken if change.verdicts[1] in BROKEN]
    return [clause for clause in clauses if clause["root_cause"]] or clauses


def difference_table(found: Difference, style: str) -> str:
    """A row for each clause that changed.

    Args:
        found: in which something changed.
        style: of tabulate: "simple" for a terminal, "pipe" for Markdown.
    """
    clean = escaped if style == "pipe" else str
    rows = [
        [name, change.clause["id"], clean(one_line(change.clause["title"]))]
        + [" ".join(_cell(change, side).split()) for side in (0, 1)]
        for name, changes in found.groups
        for change in changes
    ]
    headers = ["change", "clause", "title", "before", "after"]
    return tabulate(rows, headers, style, disable_numparse=True)


def _cell(change: Change, side: int) -> str:
    return f"{change.verdicts[side]} {ratio_text(change.ratios[side])}"
