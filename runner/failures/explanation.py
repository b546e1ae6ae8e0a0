"""Describes a failure in text."""

from __future__ import annotations

from shlex import quote

from ...adapters.target import name_of_object
from ...reports.escaping import one_line, printable
from ...reports.results import FoundFailure
from ...spec.clauses import CLAUSES
from ...spec.ratios import times_noise
from ..judging.comparison import THRESHOLD
from .standalone_program import standalone_program

__all__ = ["describe_failure", "failure_in_brief", "repeat_command"]

# In characters, of the text of an exception that is shown in brief.
_LONGEST_BRIEF = 200


def describe_failure(clause_id: str, failure: FoundFailure, target: str) -> str:
    """The text on a failure: the clause, the case, the element, and how to repeat it.

    Args:
        clause_id: of the clause that is broken.
        failure: as in the results.
        target: as on the command line.
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
    if failure["traceback"]:
        lines += ["", *failure["traceback"].rstrip().splitlines()]
    program = standalone_program(failure, target)
    if program:
        lines += ["", "The same with torch and numpy alone:", "", program]
    return printable("\n".join(lines))


def failure_in_brief(clause_id: str, failure: FoundFailure) -> str:
    """Two lines on a failure: the clause and what is wrong, and the case."""
    finding = failure["finding"]
    if not finding:
        how, what = "raises", one_line(failure["exception"])
    elif finding["index"] is not None:
        observed, expected = (float(finding[name] or 0.0) for name in ("observed", "expected"))
        place = f"{finding['tensor']}{list(finding['index'])}"
        short = f"{observed:.6g}", f"{expected:.6g}"
        shown = short if short[0] != short[1] else (str(observed), str(expected))
        how, what = "fails", f"{place} is {shown[0]}, expected {shown[1]}"
    else:
        how, what = "fails", one_line(f"{finding['tensor']}: {finding['message']}")
    if len(what) > _LONGEST_BRIEF:
        what = what[:_LONGEST_BRIEF].rstrip() + "..."
    return f"{clause_id} {CLAUSES[clause_id].title} {how}: {what}\n  {failure['case']}"


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
            ("observed", str(finding["observed"])),
            ("expected", f"{finding['expected']} +- {float(finding['noise'] or 0.0):.2g}"),
            ("ratio", f"{times_noise(finding['ratio'] or 0.0)}, {THRESHOLD:g} allowed"),
        ]
    if finding["message"]:
        facts.append(("because", finding["message"]))
    return facts
