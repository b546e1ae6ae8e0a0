"""The text of a failure, for people."""

from __future__ import annotations

from ...reports.results import FoundFailure
from ...spec.case import Case
from ...spec.clauses import CLAUSES
from ..judging.comparison import THRESHOLD
from .standalone_program import repeatable, snippet

__all__ = ["command", "explain", "program"]


def explain(clause_id: str, failure: FoundFailure, target: str) -> str:
    """What broke ``clause_id``: the clause, the case, the element, and how to see it again.

    Args:
        failure: as in the results.
        target: of the command that repeats it.
    """
    clause = CLAUSES[clause_id]
    lines = [f"{clause.id} {clause.title}: {clause.text}"]
    if clause.equation:
        lines.append(f"  equation  {clause.equation}")
    lines += [f"  {name:<9} {value}" for name, value in _facts(failure)]
    if failure["diagnosis"]:
        lines.append(f"  diagnosis {failure['diagnosis']['text']}")
    lines.append(f"  repeat    {command(clause_id, failure, target)}")
    if failure["first_case"] != failure["case"]:
        lines.append(f"  found as  {failure['first_case']}")
    if failure["traceback"]:
        lines += ["", *failure["traceback"].rstrip().splitlines()]
    alone = program(failure, target)
    if alone:
        lines += ["", "The same with torch and numpy alone:", "", alone]
    return "\n".join(lines)


def command(clause_id: str, failure: FoundFailure, target: str) -> str:
    """What judges the case of ``failure`` again, for a shell."""
    return f'lstm-conformance check {target} --clause {clause_id} --case "{failure["case"]}"'


def program(failure: FoundFailure, target: str) -> str:
    """What shows ``failure`` with torch and numpy alone; empty if nothing does."""
    if not failure["plain"] or not repeatable(target):
        return ""
    return snippet(target, Case.parse(failure["case"]), failure)


def _facts(failure: FoundFailure) -> list[tuple[str, str]]:
    facts = [("case", failure["case"])]
    finding = failure["finding"]
    if not finding:
        return [*facts, ("raised", failure["exception"])]
    facts.append(("tensor", finding["tensor"]))
    if finding["index"] is not None:
        facts += [
            ("index", str(tuple(finding["index"]))),
            ("observed", repr(finding["observed"])),
            ("expected", f"{finding['expected']!r} +- {float(finding['noise'] or 0.0):.2g}"),
            ("ratio", f"{finding['ratio']:.3g} times rounding noise, {THRESHOLD:g} allowed"),
        ]
    if finding["message"]:
        facts.append(("because", finding["message"]))
    return facts
