"""Describes a failure in text."""

from __future__ import annotations

from shlex import quote

from ...adapters.target import name_of_object
from ...reports.escaping import one_line, printable
from ...reports.results import FoundFailure
from ...spec.clauses import CLAUSES
from ..judging.comparison import THRESHOLD
from .standalone_program import standalone_program

__all__ = ["describe_failure", "repeat_command"]


def describe_failure(
    clause_id: str, failure: FoundFailure, target: str, short: bool = False
) -> str:
    """The text on a failure: the clause, the case, the element, and how to repeat it.

    Args:
        clause_id: of the clause that is broken.
        failure: as in the results.
        target: as on the command line.
        short: leaves out the traceback, and the program that shows the same without the suite.
    """
    clause = CLAUSES[clause_id]
    lines = [f"{clause.id} {clause.title}: {clause.text}"]
    if clause.equation:
        lines.append(f"  equation  {clause.equation}")
    lines += [f"  {name:<9} {value}" for name, value in _facts(failure)]
    if failure["diagnosis"]:
        lines.append(f"  diagnosis {failure['diagnosis']['text']}")
    lines.append(f"  repeat    {repeat_command(clause_id, failure, target)}")
    if failure["first_case"] != failure["case"]:
        lines.append(f"  found as  {failure['first_case']}")
    if short:
        return printable("\n".join(lines))
    if failure["traceback"]:
        lines += ["", *failure["traceback"].rstrip().splitlines()]
    program = standalone_program(failure, target)
    if program:
        lines += ["", "The same with torch and numpy alone:", "", program]
    return printable("\n".join(lines))


def repeat_command(clause_id: str, failure: FoundFailure, target: str) -> str:
    """What judges the case of ``failure`` again: a shell command, or a line of Python."""
    name = name_of_object(target)
    if name is not None:
        # The name of an instance is not what its variable is called.
        name = name if name.replace(".", "").isidentifier() else "lstm"
        return f'check_case({name}, "{failure["case"]}", clause="{clause_id}")'
    # A text with options in it is quoted already.
    words = target if " --python " in target or target.startswith("--exec ") else quote(target)
    return f'lstm-conformance check {words} --clause {clause_id} --case "{failure["case"]}"'


def _facts(failure: FoundFailure) -> list[tuple[str, str]]:
    facts = [("case", failure["case"])]
    finding = failure["finding"]
    if not finding:
        return [*facts, ("raised", one_line(failure["exception"]))]
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
