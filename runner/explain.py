"""The text of a failure, for people."""

from __future__ import annotations

from typing import Any

from .judge import THRESHOLD
from .snippet import repeatable, snippet
from .spec.case import Case
from .spec.clauses import CLAUSES

__all__ = ["explain"]


def explain(clause_id: str, failure: dict[str, Any], target: str) -> str:
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
    lines.append(
        f"  repeat    lstm-conformance check {target} --clause {clause.id} "
        f'--case "{failure["case"]}"'
    )
    if failure["first_case"] != failure["case"]:
        lines.append(f"  found as  {failure['first_case']}")
    if failure["traceback"]:
        lines += ["", *failure["traceback"].rstrip().splitlines()]
    if failure["plain"] and repeatable(target):
        lines += ["", "The same with torch and numpy alone:", ""]
        lines.append(snippet(target, Case.parse(failure["case"]), failure))
    return "\n".join(lines)


def _facts(failure: dict[str, Any]) -> list[tuple[str, str]]:
    facts = [("case", failure["case"])]
    finding = failure["finding"]
    if not finding:
        return [*facts, ("raised", failure["exception"])]
    facts.append(("tensor", finding["tensor"]))
    if finding["index"] is not None:
        facts += [
            ("index", str(tuple(finding["index"]))),
            ("observed", repr(finding["observed"])),
            ("expected", f"{finding['expected']!r} +- {float(finding['noise']):.2g}"),
            ("ratio", f"{finding['ratio']:.3g} times rounding noise, {THRESHOLD:g} allowed"),
        ]
    if finding["message"]:
        facts.append(("because", finding["message"]))
    return facts
