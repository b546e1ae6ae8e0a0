"""``--baseline``: results of before, than which an implementation must not be worse."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from ...adapters.target import target_text
from ...reports.difference import Change, Difference, difference, difference_table, summary
from ...reports.escaping import escaped, one_line
from ...reports.reading import ResultsError, read_results
from ...spec.precision import PRECISIONS
from ...spec.verdicts import BROKEN
from ..searching.profiles import PROFILES

__all__ = ["Comparison", "Question", "read_baseline"]

Results = dict[str, Any]

_CLEAR, _WORSE, _NOT_COMPLETED = 0, 1, 3

_SEEN = ("pass", "waived", "inconclusive", *BROKEN)


class Question(NamedTuple):
    """What is judged and how, as far as results with other answers are no baseline."""

    target: str
    profile: str
    dtypes: tuple[str, ...]
    devices: tuple[str, ...]
    without: tuple[str, ...]

    @classmethod
    def of_options(cls, options: Namespace) -> Question:
        """That the command line ``check`` asks."""
        return cls(
            target_text(options.target, options.exec, options.python),
            options.profile,
            _names(options.dtype or PRECISIONS),
            _names(options.device or ["cpu"]),
            _names(options.without or ()),
        )

    @classmethod
    def of_results(cls, results: Results) -> Question:
        """That ``results`` answer."""
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
    """The results in ``path``, if the answers to what is ``asked`` can be held to them.

    Args:
        path: of the file.
        asked: now.

    Raises:
        ResultsError: the file holds no results, or those of another question.
    """
    baseline = read_results(path)
    why = _other_question(baseline, asked)
    if why:
        raise ResultsError(f"{one_line(str(path))} is no baseline for this: {why}.")
    return baseline


def _other_question(baseline: Results, asked: Question) -> str:
    """In what ``baseline`` judged something else, or less; empty if it did not."""
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
    # One that judged more cases will do: what holds in them holds in fewer.
    thorough = list(PROFILES)
    if thorough.index(before.profile) < thorough.index(asked.profile):
        return f"it judged less, by profile {before.profile} and not {asked.profile}"
    return ""


class Comparison:
    """What got worse, and what did not.

    Args:
        path: of the baseline.
        before: the baseline.
        after: the results now.

    Attributes:
        worse: clauses that have to hold and are newly broken or inconclusive, or broken by more
            than before, or passed and were not judged.
    """

    def __init__(self, path: Path, before: Results, after: Results) -> None:
        asked = {clause["id"] for clause in after["clauses"]}
        clauses = [clause for clause in before["clauses"] if clause["id"] in asked]
        self._path = path
        self._found = difference({**before, "clauses": clauses}, after)
        self.worse = [change for change in _worse(self._found) if change.clause["level"] == "MUST"]
        if after["shard"]:  # what one does not show of a clause, another may
            self.worse = [change for change in self.worse if change.verdicts[1] in BROKEN]

    @property
    def status(self) -> int:
        """The exit status, instead of that by the verdict."""
        after = self._found.after
        verdicts = {change.clause["verdict"] for change in self.worse}
        if after["stopped"] == "interrupted":
            return _NOT_COMPLETED
        if verdicts & {*BROKEN, "inconclusive"}:
            return _WORSE
        if self.worse:
            return _NOT_COMPLETED if after["stopped"] else _WORSE
        # To a shard may fall nothing that is supported.
        seen = after["shard"] or any(clause["verdict"] in _SEEN for clause in after["clauses"])
        return _CLEAR if seen else _NOT_COMPLETED

    def text(self) -> str:
        """For a terminal: what changed, and the verdict last, where the eye is."""
        table = [difference_table(self._found, "simple"), ""] if self._found.anything else []
        return "\n".join([*table, *summary(self._found), *self._verdict()]) + "\n"

    def markdown(self) -> str:
        """For a file or a job summary: the verdict first."""
        lines = [*reversed(self._verdict()), *summary(self._found)]
        parts = [
            f"# Beside {escaped(one_line(str(self._path)))}",
            "  \n".join(escaped(line) for line in lines),
        ]
        if self._found.anything:
            parts.append(difference_table(self._found, "pipe"))
        return "\n\n".join(parts) + "\n"

    def _verdict(self) -> list[str]:
        worse = [change.clause["id"] for change in self.worse]
        as_before = [
            clause["id"]
            for clause in self._found.after["clauses"]
            if clause["verdict"] in BROKEN and clause["level"] == "MUST"
        ]
        as_before = [clause for clause in as_before if clause not in worse]
        lines = [f"Broken as before: {', '.join(as_before)}."] if as_before else []
        path = one_line(str(self._path))
        if self.status == _NOT_COMPLETED:
            return [*lines, f"NOT COMPLETED: not all that {path} holds was judged."]
        if worse:
            return [*lines, f"WORSE than {path}: {', '.join(worse)}."]
        return [*lines, f"NOT WORSE than {path}."]


def _worse(found: Difference) -> list[Change]:
    passed = [change for change in found.unjudged if change.verdicts[0] == "pass"]
    grown = [change for change in found.grown if change.verdicts[1] in BROKEN]
    return [*found.broken, *passed, *grown]
