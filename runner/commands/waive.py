"""``lstm-conformance waive``: a first draft of a file of known deviations, from results."""

from __future__ import annotations

import re
import sys
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...reports.escaping import one_line
from ...reports.reading import ResultsError, read_results
from ...reports.tables import broken
from ...reports.writing import not_writable, write_text
from ...spec.clauses import TESTABLE, prerequisites
from ..judging.known_deviations import Deviation, KnownDeviationsError, deviation_of
from ..session.results_builder import GONE

__all__ = ["draft", "waive"]

Results = dict[str, Any]
Clause = dict[str, Any]

_WRITTEN, _USAGE = 0, 2

_LONGEST_REASON = 400

_HEADER = """\
# Known deviations of {name}: a first draft.
#
# Say in each entry what the implementation does instead, and where that is discussed. Conditions
# (`when`) keep watching the cases that are right.
"""
_NOTHING = "# Nothing is broken: there is nothing to waive.\n"


def waive(options: Namespace) -> int:
    """Prints a draft from ``options.results``, or writes it to ``options.toml``.

    Returns:
        The exit status.
    """
    try:
        _check_file(options.toml)
        results = read_results(options.results)
        deviations = draft(results, str(options.results))
        text = _toml(deviations, results["implementation"]["name"])
    except (ResultsError, _CannotWaive) as problem:
        print(f"lstm-conformance: {problem}", file=sys.stderr)
        return _USAGE
    for remark in _remarks(results, deviations):
        print(f"lstm-conformance: {remark}", file=sys.stderr)
    if options.toml is None:
        print(text, end="")
    else:
        write_text(options.toml, text)
        clauses = len({clause for deviation in deviations for clause in deviation.clauses})
        print(f"{options.toml}: {len(deviations)} known deviations of {clauses} clauses.")
    return _WRITTEN


class _CannotWaive(Exception):
    """Why, in one sentence."""


def _check_file(path: Path | None) -> None:
    if path is None:
        return
    problem = not_writable(path)
    if problem:
        raise _CannotWaive(problem)
    if path.exists():  # reasons and links in it were written by hand
        raise _CannotWaive(f"{path} is there already: name a new file, and compare the two.")


def _remarks(results: Results, deviations: list[Deviation]) -> list[str]:
    """What somebody who waives should know besides."""
    remarks = []
    if results["stopped"]:
        remarks.append(f"the run was not completed ({results['stopped']}): more may be broken.")
    waived = {clause for deviation in deviations for clause in deviation.clauses}
    unclear = [c["id"] for c in _inconclusive(results) if c["id"] not in waived]
    if unclear:
        remarks.append(f"inconclusive, which cannot be waived: {', '.join(unclear)}.")
    return remarks


def draft(results: Results, name: str) -> list[Deviation]:
    """One known deviation for each cause of what is broken.

    Those that the results were judged with stay, unless they are no longer any. Clauses that need
    not hold, a SHOULD, are left out: breaking them is no reason to fail.

    Args:
        results: in the newest version of the schema.
        name: of their file, for the message.

    Raises:
        ResultsError: they name what this version of the suite does not know.
    """
    known = []
    for number, found in enumerate(results["deviations"], 1):
        entry = {"clause": found["clauses"], **{k: found[k] for k in ("when", "reason", "link")}}
        try:
            deviation = deviation_of(entry, f"{name}, deviation {number}")
        except KnownDeviationsError as error:
            raise ResultsError(one_line(str(error))[:_LONGEST_REASON]) from None
        if found["outcome"] != "gone":
            known.append(deviation)
    clauses = [clause for clause in broken(results) if GONE not in clause["reasons"]]
    clauses += _inconclusive(results)
    for clause in clauses:
        if clause["id"] not in TESTABLE:
            raise ResultsError(
                f"{one_line(name)}: there is no clause {clause['id']} in this lstm-conformance: "
                f"judge the implementation anew."
            )
    in_order = [clause["id"] for clause in results["clauses"]]
    return known + [
        Deviation(tuple(sorted(entry.clauses, key=in_order.index)), entry.reason)
        for entry in _entries(clauses)
    ]


def _inconclusive(results: Results) -> list[Clause]:
    must = [clause for clause in results["clauses"] if clause["level"] == "MUST"]
    return [clause for clause in must if clause["verdict"] == "inconclusive"]


@dataclass
class _Entry:
    clauses: set[str]
    reason: str


def _entries(clauses: list[Clause]) -> list[_Entry]:
    """Clauses that are broken in the same way, or only because another is, are one entry.

    Wrong results of one can make another inconclusive, too. By itself that shows no deviation.
    """
    ids = {clause["id"] for clause in clauses if clause["verdict"] != "inconclusive"}
    entries: dict[object, _Entry] = {}
    # Causes first: the others are sorted to them.
    for clause in sorted(clauses, key=lambda clause: bool(prerequisites(clause["id"]) & ids)):
        causes = prerequisites(clause["id"]) & ids
        of_causes = [entry for entry in entries.values() if entry.clauses & causes]
        look = _look(clause)
        if clause["verdict"] == "inconclusive":
            for entry in of_causes[:1]:
                entry.clauses.add(clause["id"])
        elif look is not None and look in entries:
            entries[look].clauses.add(clause["id"])
        elif len(of_causes) == 1 and not _matched(clause):
            of_causes[0].clauses.add(clause["id"])
        else:
            entries[look or clause["id"]] = _Entry({clause["id"]}, _reason(clause))
    return list(entries.values())


def _matched(clause: Clause) -> list[str]:
    """The catalogued defects that behave as the clause's failure does."""
    failure = clause["failure"] or {"diagnosis": {}}
    return list(failure["diagnosis"].get("defects", []))


def _look(clause: Clause) -> tuple[str, ...] | None:
    """By what failures of one cause are told; None if nothing tells."""
    if _matched(clause):
        return ("defects", *sorted(_matched(clause)))
    failure = clause["failure"]
    if failure is None:
        return None
    if failure["exception"]:  # in which only sizes differ from case to case
        return ("exception", re.sub(r"\d+", "0", failure["exception"]))
    text = failure["diagnosis"].get("text")
    return ("diagnosis", text) if text else None


def _reason(clause: Clause) -> str:
    failure = clause["failure"]
    if failure is None:
        text = "; ".join(clause["reasons"])
    elif failure["diagnosis"].get("text"):
        text = f"Diagnosis: {failure['diagnosis']['text']}"
    else:
        text = failure["exception"] or _of_finding(failure["finding"])
    return one_line(text)[:_LONGEST_REASON] or f"{clause['id']} is broken."


def _of_finding(finding: dict[str, Any]) -> str:
    tensor = finding.get("tensor", "")
    if finding.get("index") is None:
        return f"{tensor}: {finding.get('message', '')}"
    observed, expected = (_short(finding.get(name)) for name in ("observed", "expected"))
    return f"{tensor} has {observed} where {expected} is expected."


def _short(number: object) -> str:
    return f"{number:.6g}" if isinstance(number, float) else str(number)


def _toml(deviations: list[Deviation], name: str) -> str:
    try:
        import tomli_w
    except ModuleNotFoundError:
        raise _CannotWaive("waive needs tomli-w: pip install 'lstm-conformance[waive]'.") from None
    entries = [_entry(deviation) for deviation in deviations]
    text = tomli_w.dumps({"deviation": entries}) if entries else _NOTHING
    # What is left is in strings: it must not rewrite a terminal.
    visible = "".join(c if c.isprintable() or c == "\n" else f"\\U{ord(c):08x}" for c in text)
    return f"{_HEADER.format(name=one_line(name))}\n{visible}"


def _entry(deviation: Deviation) -> dict[str, Any]:
    clauses, when = list(deviation.clauses), deviation.when
    entry: dict[str, Any] = {"clause": clauses if len(clauses) > 1 else clauses[0]}
    if when:
        entry["when"] = {
            condition: list(values) if len(values) > 1 else values[0]
            for condition, values in when.items()
        }
    return {**entry, "reason": deviation.reason, "link": deviation.link}
