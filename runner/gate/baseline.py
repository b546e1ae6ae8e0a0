"""``--baseline``: compares results with earlier ones, and fails only on a regression."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from ...reports.difference import Change, Difference, difference, difference_table, summary
from ...reports.escaping import escaped, one_line
from ...reports.reading import read_results
from ...reports.results import Results
from ...reports.sections import LONGEST_PAGE, Section, fitted
from ...reports.tables import markdown_lines
from ...reports.verdict import broken, unseen
from ...spec.clean_text import counted
from ...spec.precision import PRECISIONS
from ...spec.usage_error import UsageError
from ...spec.verdicts import BROKEN, INCONCLUSIVE, NOT_TESTED, PASS, UNSUPPORTED, WAIVED
from ..searching.profiles import PROFILES
from ..session.options import Options
from .exit_status import CONFORMANT, NOT_COMPLETED, NOT_CONFORMANT

__all__ = ["Comparison", "Question", "read_baseline", "require_baseline"]

# Verdicts that need a case.
_SEEN = (PASS, WAIVED, INCONCLUSIVE, *BROKEN)


class Question(NamedTuple):
    """What is judged and how. A baseline has to answer the same question."""

    target: str
    profile: str
    dtypes: tuple[str, ...]
    devices: tuple[str, ...]
    without: tuple[str, ...]

    @classmethod
    def of_options(cls, options: Options) -> Question:
        """The question that ``options`` ask."""
        return cls(
            options.target_text,
            options.profile,
            _names(options.dtypes or PRECISIONS),
            _names(options.devices or ["cpu"]),
            _names(options.without),
        )

    @classmethod
    def of_results(cls, results: Results) -> Question:
        """The question that ``results`` answer."""
        return cls(
            results["implementation"]["target"],
            results["profile"],
            _names(results["dtypes"]),
            _names([*results["devices"], *results["missing_devices"]]),
            _names(results["without"]),
        )


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


def read_baseline(path: Path, asked: Question) -> Results:
    """The results in ``path``, if they answer the question that is asked now.

    Args:
        path: of the file.
        asked: the question that is asked now.

    Raises:
        UsageError: the file holds no results, or those of another question.
    """
    baseline = read_results(path)
    require_baseline(baseline, str(path), asked)
    return baseline


def require_baseline(baseline: Results, name: str, asked: Question) -> None:
    """Raises UsageError if results, which are called ``name``, do not answer ``asked``."""
    why = _difference(baseline, asked)
    if why:
        raise UsageError(f"{one_line(name)} is no baseline for this: {why}.")


def _difference(baseline: Results, asked: Question) -> str:
    """Why ``baseline`` does not answer the question; empty if it does."""
    if baseline["stopped"]:
        return f"it was not completed ({baseline['stopped']})"
    if baseline["case"] is not None or baseline["shard"] is not None:
        return "it judged a part only"
    before = Question.of_results(baseline)
    for name, one, other in (
        ("target", (before.target,), (asked.target,)),
        ("--dtype", before.dtypes, asked.dtypes),
        ("--device", before.devices, asked.devices),
        ("--without", before.without, asked.without),
    ):
        if one != other:
            was, now = (one_line(", ".join(names)) or "nothing" for names in (one, other))
            return f"its {name} is {was}, and that of this run {now}"
    # A baseline that judged more cases will do.
    thorough = list(PROFILES)
    if thorough.index(before.profile) < thorough.index(asked.profile):
        return f"it judged less, by profile {before.profile} and not {asked.profile}"
    return ""


class Comparison:
    """What got worse in results since earlier ones.

    Clauses that a run did not reach, because it was stopped, are not compared.

    Args:
        path: of the baseline.
        before: results of the baseline.
        after: results of this run.

    Attributes:
        worse: changes of clauses that must hold and are newly broken or inconclusive, are broken
            by more than before, or passed before and were not judged now.
        unreached: ids of clauses that were not reached, though the baseline may have judged them.
    """

    def __init__(self, path: Path, before: Results, after: Results) -> None:
        asked = {clause["id"] for clause in after["clauses"]}
        clauses = [clause for clause in before["clauses"] if clause["id"] in asked]
        # What the baseline did not judge either, and could not be judged now.
        same = before["implementation"]["capabilities"] == after["implementation"]["capabilities"]
        never_judged = (NOT_TESTED, UNSUPPORTED) if same else (NOT_TESTED,)
        never = {clause["id"] for clause in clauses if clause["verdict"] in never_judged}
        unreached = unseen(after) if after["stopped"] else []
        self._path = path
        self._stays_open = any(c["must_hold"] for c in unreached if c["id"] not in never)
        self.unreached = [clause["id"] for clause in unreached if clause["id"] not in never]
        found = difference({**before, "clauses": clauses}, after)
        compared = [c for c in found.unjudged if c.clause["id"] not in self.unreached]
        self._found = replace(found, unjudged=compared)
        self.worse = [change for change in _worse(self._found) if change.clause["must_hold"]]
        if after["shard"]:  # another shard may show what this one does not
            self.worse = [change for change in self.worse if change.verdicts[1] in BROKEN]

    @property
    def status(self) -> int:
        """The exit status of a command with a baseline.

        What was judged and is worse fails. Otherwise a run that did not reach every clause is not
        completed: a clause that it did not reach may be worse.
        """
        after = self._found.after
        if after["stopped"] == "interrupted":
            return NOT_COMPLETED
        if self.worse:
            return NOT_CONFORMANT
        # A shard may consist of tests that are not supported.
        seen = after["shard"] or any(clause["verdict"] in _SEEN for clause in after["clauses"])
        return CONFORMANT if seen and not self._stays_open else NOT_COMPLETED

    def text(self) -> str:
        """For a terminal: what changed, and the verdict at the end."""
        table = [difference_table(self._found, "simple"), ""] if self._found.anything else []
        return "\n".join([*table, *summary(self._found), *self._verdict()]) + "\n"

    def markdown(self) -> str:
        """For a file or a job summary: the verdict first."""
        lines = [*reversed(self._verdict()), *summary(self._found)]
        sections = [
            Section(f"# Compared with {escaped(one_line(str(self._path)))}", 0, "the title"),
            Section(markdown_lines(lines), 0, "the summary"),
        ]
        if self._found.anything:
            table = difference_table(self._found, "pipe")
            sections.append(Section(table, 1, "the table of what changed"))
        return fitted(sections, LONGEST_PAGE // 2)

    def _verdict(self) -> list[str]:
        worse = [change.clause["id"] for change in self.worse]
        broken_now = [clause["id"] for clause in broken(self._found.after)]
        as_before = [clause for clause in broken_now if clause not in worse]
        lines = [f"Broken as before: {', '.join(as_before)}."] if as_before else []
        number = len(self.unreached)
        if number:
            were = counted(number, "clause was", "clauses were")
            are = "they are" if number > 1 else "it is"
            lines.append(f"{were} not reached, so {are} not compared.")
        path = one_line(str(self._path))
        if self.status == NOT_COMPLETED:
            so_far = f"{', '.join(worse)} worse" if worse else "nothing worse"
            return [*lines, f"NOT COMPLETED: {so_far} than {path} in what was judged."]
        if worse:
            return [*lines, f"WORSE than {path}: {', '.join(worse)}."]
        return [*lines, f"NOT WORSE than {path}."]


def _worse(found: Difference) -> list[Change]:
    passed = [change for change in found.unjudged if change.verdicts[0] == PASS]
    grown = [change for change in found.grown if change.verdicts[1] in BROKEN]
    return [*found.broken, *passed, *grown]
