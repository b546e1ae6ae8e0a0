"""Reads files of results in any version of the schema, as results of the newest version."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from ..spec.clauses import CLAUSES
from ..spec.clean_text import counted
from ..spec.ratios import times_noise
from ..spec.usage_error import UsageError
from ..spec.verdicts import BROKEN, INCONCLUSIVE, PASS
from .results import ClauseResult, Results, VerdictResult
from .verdict import broken, verdict_of

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

__all__ = ["NEWEST", "read_results", "results_of", "upgraded"]

# Version of the schema.
NEWEST: Final = 7

# The threshold of all results that do not state one.
_FORMER_THRESHOLD = 30.0

# An object of JSON that is not validated yet.
Json = dict[str, Any]

# Largest size of a file, in bytes. Results of all clauses have less than a megabyte.
_LARGEST = 100_000_000

# Largest number of digits of an integer, which must not exceed the largest float.
_MOST_DIGITS = 300


def read_results(path: Path) -> Results:
    """The results that ``path`` holds, in the newest version of the schema.

    Args:
        path: a file that ``check --json`` wrote, in this version or in an older one.

    Raises:
        UsageError: the file cannot be read, is damaged, or does not hold results.
    """
    name = _shown(str(path))
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        why = getattr(error, "strerror", None) or error
        raise UsageError(f"{name} cannot be read: {_shown(str(why))}.") from None
    if len(content) > _LARGEST:
        raise UsageError(f"{name} holds no results: it is larger than {_LARGEST:,} bytes.")
    return results_of(content, name)


def results_of(content: bytes, name: str) -> Results:
    """The results that the JSON ``content`` holds.

    Args:
        content: of a file, for example.
        name: of the file, for the message.

    Raises:
        UsageError: it does not hold results.
    """
    return _validated(_newest(_parsed(content, name), name), name)


def upgraded(results: Json) -> Json:
    """``results`` of an older version, as results of the newest. Fields that it lacks are empty.

    Commands and programs are taken from the texts of the failures. Invalid results stay invalid.
    """
    passed = results.get("conformant", False)
    new: Json = {
        "gate_passed": passed,
        "threshold": _FORMER_THRESHOLD,
        "working_precision": "",
        "kinds": [],
        "strict": False,
        "required": [],
        "without": [],
        "sizes": [],
        "case": None,
        "shard": None,
        "tests": {},
        "deviations": [],
        **results,
        "schema_version": NEWEST,
    }
    new.pop("conformant", None)
    new.pop("growth", None)
    new["deviations"] = _each(
        new["deviations"], lambda deviation: {"versions": [], "findings": [], **deviation}
    )
    if "clauses" in results:
        new["clauses"] = _each(results["clauses"], _upgraded_clause)
    if isinstance(results.get("coverage"), dict):
        new["coverage"] = {"sizes": _NO_SIZES, **results["coverage"]}
    if isinstance(results.get("parts"), dict):
        new["parts"] = {name: _upgraded_part(part) for name, part in results["parts"].items()}
    if "tensors" in results:
        new["tensors"] = _each(results["tensors"], lambda tensor: {"histogram": [], **tensor})
    new.setdefault("verdict", _verdict(new))
    return new


def _verdict(results: Json) -> VerdictResult:
    """The verdict that the clauses give; if they are damaged, validation says so."""
    try:
        return verdict_of(results["clauses"], results["gate_passed"])
    except (AttributeError, KeyError, TypeError):
        return verdict_of([], False)


_NO_SIZES: Json = {"classes": [], "visited": {}, "pairs": [], "left_out": []}


def _upgraded_part(part: Any) -> Any:
    if not isinstance(part, dict) or "records" not in part:
        return part
    return {**part, "records": _each(part["records"], _upgraded_record)}


def _upgraded_record(record: Json) -> Json:
    return {name: item for name, item in {"sizes": {}, **record}.items() if name != "growth"}


def _each(items: Any, change: Callable[[Json], Json]) -> Any:
    if not isinstance(items, list):
        return items
    return [change(item) if isinstance(item, dict) else item for item in items]


def _upgraded_clause(clause: Json) -> Json:
    kind = CLAUSES[clause["id"]].kind if clause.get("id") in CLAUSES else "numbers"
    must_hold = clause.get("level") == "MUST"
    new = {"kind": kind, "must_hold": must_hold, "lacking": [], "seconds": 0, **clause}
    if "failure" in clause:
        new["failure"] = _upgraded_failure(clause)
    return new


def _upgraded_failure(clause: Json) -> Any:
    failure = clause.get("failure")
    explanation = failure.get("explanation") if isinstance(failure, dict) else None
    if not isinstance(failure, dict) or not isinstance(explanation, str):
        return failure
    # Messages of the implementation come before it, so only a command for the clause is taken.
    of_clause = re.escape(str(clause.get("id")))
    line = rf"^  repeat    (lstm-conformance check .* --clause {of_clause} .*)$"
    command = re.search(line, explanation, re.MULTILINE)
    program = explanation.partition("\nThe same with torch and numpy alone:\n\n")[2]
    return {"command": command[1] if command else "", "program": program, **failure}


def _parsed(content: bytes, name: str) -> object:
    try:
        return json.loads(
            content.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_float=_number,
            parse_int=_integer,
            parse_constant=_not_a_number,
        )
    except UnicodeDecodeError:
        why = "it is not UTF-8"
    except json.JSONDecodeError as error:
        text = error.doc.strip()
        cut_off = not error.doc[error.pos :].strip() or (text[0] == "{" and text[-1] != "}")
        what = "it is cut off" if cut_off else "it is not JSON"
        why = f"{what} (line {error.lineno}, column {error.colno})"
    except RecursionError:
        why = "it is nested too deeply"
    except _NotResults as error:
        why = str(error)
    raise UsageError(f"{name} holds no results: {why}.")


class _NotResults(Exception):
    pass


def _object(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise _NotResults(f"the name {_shown(repr(twice))} stands twice in one object")
    return found


def _number(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise _NotResults(f"the number {_shown(text)} is too large")
    return number


def _integer(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise _NotResults(f"the number {_shown(text)} is too large")
    return int(text)


def _not_a_number(text: str) -> float:
    raise _NotResults(f"{text} is no number in JSON")


def _newest(found: object, name: str) -> Json:
    version = found.get("schema_version") if isinstance(found, dict) else None
    if not isinstance(found, dict) or version is None:
        raise UsageError(
            f"{name} holds no results: it is JSON, but not what `lstm-conformance check --json` "
            f"writes."
        )
    if version in range(1, NEWEST) and version is not True:
        return upgraded(found)
    if version == NEWEST:
        return found
    if isinstance(version, int | float) and version > NEWEST:
        raise UsageError(
            f"{name} has schema version {version}, and this lstm-conformance reads up to "
            f"{NEWEST}: install a newer one."
        )
    raise UsageError(
        f"{name} has schema version {_shown(repr(version))}: there are only 1 to {NEWEST}."
    )


def _validated(results: Json, name: str) -> Results:
    # Imported when something is read: processes that judge only ask for the newest version.
    from jsonschema.exceptions import best_match

    error = best_match(_validator().iter_errors(results))
    if error is not None:
        where, what = _shown(error.json_path), _shown(error.message)
        raise UsageError(f"{name} is damaged: at {where}, {what}.")
    ids = [clause["id"] for clause in results["clauses"]]
    if len(set(ids)) < len(ids):
        twice = next(one for one in ids if ids.count(one) > 1)
        raise UsageError(f"{name} is damaged: clause {twice} stands in it twice.")
    try:
        json.dumps(results, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise UsageError(f"{name} is damaged: it holds half of a surrogate pair.") from None
    valid = cast(Results, results)
    for clause in valid["clauses"]:
        what = _contradiction(clause, valid["threshold"]) if clause["verdict"] == PASS else ""
        if what:
            raise UsageError(f"{name} is damaged: {clause['id']} is said to pass, {what}.")
    if valid["gate_passed"]:
        for clause in broken(valid):
            what = f"its gate passed, though {clause['id']} is broken"
            raise UsageError(f"{name} is damaged: {what}.")
    return valid


def _contradiction(clause: ClauseResult, threshold: float) -> str:
    """Why a clause cannot have passed; empty if it can."""
    counts, ratio = clause["counts"], clause["worst_ratio"]
    failed = sum(counts.get(verdict, 0) for verdict in BROKEN)
    if failed:
        return f"and {counted(failed, 'case')} failed"
    # An inconclusive case may have any error: other clauses say what is wrong.
    if ratio is not None and ratio > threshold and INCONCLUSIVE not in counts:
        return f"with an error of {times_noise(ratio)}, where {threshold:g} are allowed"
    return ""


@cache
def _validator() -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    schema = files(__package__).joinpath("results.schema.json").read_text("utf-8")
    return Draft202012Validator(json.loads(schema))


def _shown(text: str, longest: int = 200) -> str:
    """``text`` on one line, without control characters."""
    clean = "".join(c if c.isprintable() else "?" for c in text)
    return clean if len(clean) <= longest else f"{clean[:longest]}..."
