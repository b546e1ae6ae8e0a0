"""Drafts a file of known deviations from results."""

from __future__ import annotations

import re
from dataclasses import dataclass

import tomli_w

from ...reports.escaping import one_line
from ...reports.results import ClauseResult, FindingResult, Results
from ...reports.verdict import broken, deviates
from ...spec.clauses import TESTABLE, prerequisites
from ...spec.usage_error import UsageError
from ...spec.verdicts import UNEXPLAINED
from ..judging.known_deviations import Deviation, deviation_of

__all__ = ["draft", "remarks", "toml_text"]

_LONGEST_REASON = 400

_HEADER = """\
# Known deviations of {name}: a first draft.
#
# Say in each entry what the implementation does instead, and where that is discussed. If only
# some cases are wrong, say which (`when`): the others are then still watched.
"""
_NOTHING = "# Nothing is broken: there is nothing to waive.\n"


def remarks(results: Results, deviations: list[Deviation]) -> list[str]:
    """What users should know about a draft, a sentence each."""
    found = []
    if results["stopped"]:
        found.append(f"the run was not completed ({results['stopped']}): more may be broken.")
    waived = {clause for deviation in deviations for clause in deviation.clauses}
    unclear = [c["id"] for c in _inconclusive(results) if c["id"] not in waived]
    if unclear:
        found.append(f"inconclusive, which cannot be waived: {', '.join(unclear)}.")
    return found


def draft(results: Results, name: str) -> list[Deviation]:
    """One known deviation for each cause of broken clauses.

    The known deviations of the run are kept, unless they are gone. Clauses that need not hold are
    left out.

    Args:
        results: in the newest version of the schema.
        name: of their file, for the message.

    Raises:
        UsageError: they name a clause or a condition that this version does not know.
    """
    known = []
    for number, found in enumerate(results["deviations"], 1):
        when = dict(found["when"]) | ({"version": found["versions"]} if found["versions"] else {})
        entry = {"clause": found["clauses"], "when": when, "finding": found["findings"]}
        entry |= {"reason": found["reason"], "link": found["link"]}
        try:
            deviation = deviation_of(entry, f"{name}, deviation {number}")
        except UsageError as error:
            raise UsageError(one_line(str(error))[:_LONGEST_REASON]) from None
        if found["outcome"] != "gone":
            known.append(deviation)
    clauses = [clause for clause in broken(results) if deviates(clause)]
    clauses += _inconclusive(results)
    for clause in clauses:
        if clause["id"] not in TESTABLE:
            raise UsageError(
                f"{one_line(name)}: there is no clause {clause['id']} in this lstm-conformance: "
                f"judge the implementation anew."
            )
    in_order = [clause["id"] for clause in results["clauses"]]
    others_are_broken = any(deviates(clause) for clause in results["clauses"])
    return known + [
        Deviation(tuple(sorted(entry.clauses, key=in_order.index)), entry.reason)
        for entry in _entries(clauses, others_are_broken)
    ]


def _inconclusive(results: Results) -> list[ClauseResult]:
    must = [clause for clause in results["clauses"] if clause["must_hold"]]
    return [clause for clause in must if clause["verdict"] == "inconclusive"]


@dataclass
class _Entry:
    clauses: set[str]
    reason: str


def _entries(clauses: list[ClauseResult], others_are_broken: bool) -> list[_Entry]:
    """One entry for clauses that are broken in the same way, or because another one is.

    A broken clause can also make others inconclusive. They join its entry if they build on it. If
    they do not, but have wrong values, they have an entry of their own. A clause that is
    inconclusive for no such reason has no entry.
    """
    ids = {clause["id"] for clause in clauses if clause["verdict"] != "inconclusive"}
    entries: dict[object, _Entry] = {}
    # Causes first, so that the clauses that build on them find their entries.
    for clause in sorted(clauses, key=lambda clause: bool(prerequisites(clause["id"]) & ids)):
        causes = prerequisites(clause["id"]) & ids
        of_causes = [entry for entry in entries.values() if entry.clauses & causes]
        key = _cause_key(clause)
        if clause["verdict"] == "inconclusive":
            if of_causes:
                of_causes[0].clauses.add(clause["id"])
            elif others_are_broken and UNEXPLAINED in clause["reasons"]:
                entries[clause["id"]] = _Entry({clause["id"]}, f"Inconclusive: {UNEXPLAINED}.")
        elif key is not None and key in entries:
            entries[key].clauses.add(clause["id"])
        elif len(of_causes) == 1 and not _matched(clause):
            of_causes[0].clauses.add(clause["id"])
        else:
            entries[key or clause["id"]] = _Entry({clause["id"]}, _reason(clause))
    return list(entries.values())


def _matched(clause: ClauseResult) -> list[str]:
    """The catalogued defects that match the failure of the clause."""
    failure = clause["failure"]
    return [] if failure is None else failure["diagnosis"].get("defects", [])


def _cause_key(clause: ClauseResult) -> tuple[str, ...] | None:
    """A key that failures of the same cause share; None if nothing shows the cause."""
    if _matched(clause):
        return ("defects", *sorted(_matched(clause)))
    failure = clause["failure"]
    if failure is None:
        return None
    if failure["exception"]:  # only sizes in it differ from case to case
        return ("exception", re.sub(r"\d+", "0", failure["exception"]))
    text = failure["diagnosis"].get("text")
    return ("diagnosis", text) if text else None


def _reason(clause: ClauseResult) -> str:
    failure = clause["failure"]
    if failure is None:
        text = "; ".join(clause["reasons"])
    elif failure["diagnosis"].get("defects"):
        text = f"Diagnosis: {failure['diagnosis']['text']}"
    elif failure["exception"]:  # it says more than the conditions under which it is raised
        text = failure["exception"]
    elif failure["diagnosis"].get("text"):
        text = f"Diagnosis: {failure['diagnosis']['text']}"
    else:
        text = _of_finding(failure["finding"])
    return one_line(text)[:_LONGEST_REASON] or f"{clause['id']} is broken."


def _of_finding(finding: FindingResult) -> str:
    tensor = finding.get("tensor", "")
    if finding.get("index") is None:
        return f"{tensor}: {finding.get('message', '')}"
    observed, expected = (_short(finding.get(name)) for name in ("observed", "expected"))
    return f"{tensor} has {observed} where {expected} is expected."


def _short(number: object) -> str:
    return f"{number:.6g}" if isinstance(number, float) else str(number)


def toml_text(deviations: list[Deviation], name: str) -> str:
    """The draft as TOML.

    Args:
        deviations: of the draft.
        name: of the implementation.
    """
    entries = [_entry(deviation) for deviation in deviations]
    text = tomli_w.dumps({"deviation": entries}) if entries else _NOTHING
    # Control characters that are left are in strings. They must not reach a terminal.
    visible = "".join(c if c.isprintable() or c == "\n" else f"\\U{ord(c):08x}" for c in text)
    return f"{_HEADER.format(name=one_line(name))}\n{visible}"


def _entry(deviation: Deviation) -> dict[str, object]:
    clauses, findings = list(deviation.clauses), list(deviation.findings)
    when = deviation.when | ({"version": deviation.versions} if deviation.versions else {})
    entry: dict[str, object] = {"clause": clauses if len(clauses) > 1 else clauses[0]}
    if when:
        entry["when"] = {
            condition: list(values) if len(values) > 1 else values[0]
            for condition, values in when.items()
        }
    if findings:
        entry["finding"] = findings if len(findings) > 1 else findings[0]
    return {**entry, "reason": deviation.reason, "link": deviation.link}
