"""Whether results are of one run, so that they can be joined."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...spec.case import Case
from ..failures.explanation import explain
from .test_outcome import Part, failure_as_json

__all__ = ["asked_of", "differing", "parts_of"]

Results = dict[str, Any]

# What was judged and how, besides the implementation, the environment, and known deviations.
_OPTIONS = (
    "seed",
    "profile",
    "dtypes",
    "devices",
    "missing_devices",
    "required",
    "without",
    "case",
    "shard",
)

# How a difference is told, where "the seed" would not do.
_PHRASES = {
    "name": "the name of the implementation",
    "version": "the version of the implementation",
    "python": "the version of Python",
    "machine": "the kind of machine",
    "missing_devices": "the missing devices",
    "required": "--require",
    "without": "--without",
    "case": "--case",
    "shard": "--shard",
}

_OF_A_DEVIATION = ("clauses", "when", "reason", "link")


def asked_of(results: Results) -> Results:
    """What was judged and how: the part of results that is known before any test is run."""
    deviations = [{name: d[name] for name in _OF_A_DEVIATION} for d in results["deviations"]]
    asked = {name: results[name] for name in ("implementation", "environment", *_OPTIONS)}
    return {**asked, "deviations": deviations}


def parts_of(results: Results, tests: Mapping[str, tuple[str, ...]]) -> dict[str, Part]:
    """What each test found out, in results that were written so that they can be joined.

    Args:
        results: of the schema.
        tests: of which they may be, with their clauses.

    Raises:
        ValueError: they hold what none of these tests can have written; the message names it.
    """
    parts = {name: Part.of_json(plain) for name, plain in results["parts"].items()}
    for name, part in parts.items():
        if not _can_be(part, tests.get(name, ())):
            raise ValueError(name)
    return parts


def _can_be(part: Part, clauses: tuple[str, ...]) -> bool:
    """Whether a test of ``clauses`` can have written ``part``."""
    if part.clauses != clauses or any(record.clause not in clauses for record in part.records):
        return False
    try:
        for record in part.records:
            for failure in (*record.failures, *record.waived):
                Case.parse(failure.case)
                explain(record.clause, failure_as_json(failure), "")
    except (LookupError, TypeError, ValueError):
        return False
    return True


def differing(one: Results, other: Results, ignoring: tuple[str, ...] = ()) -> str | None:
    """In what two runs differ, as "the seed (0 and 7)"; None if they can be joined.

    Args:
        one, other: results, or what :func:`asked_of` gives.
        ignoring: names of options that may differ.
    """
    pairs = {
        **_of_both(one["implementation"], other["implementation"], ("name", "version", "target")),
        "capabilities": (
            one["implementation"]["capabilities"],
            other["implementation"]["capabilities"],
        ),
        **_of_both(one["environment"], other["environment"], ("python", "machine")),
        # Torch is listed only where something imported it.
        **_packages(one["environment"]["packages"], other["environment"]["packages"]),
        **_of_both(one, other, _OPTIONS),
        "known deviations": (asked_of(one)["deviations"], asked_of(other)["deviations"]),
    }
    for name, (mine, its) in pairs.items():
        if mine != its and name not in ignoring:
            return _told(name, mine, its)
    return None


def _of_both(
    one: dict[str, Any], other: dict[str, Any], names: tuple[str, ...]
) -> dict[str, tuple[Any, Any]]:
    return {name: (one[name], other[name]) for name in names}


def _packages(one: dict[str, str], other: dict[str, str]) -> dict[str, tuple[str, str]]:
    return {f"version of {name}": (one[name], other[name]) for name in one if name in other}


def _told(name: str, mine: Any, its: Any) -> str:
    values = f"{_text(mine)} and {_text(its)}"
    short = values.isprintable() and len(values) < 100
    phrase = _PHRASES.get(name, f"the {name}")
    return f"{phrase} ({values})" if short else phrase


def _text(value: Any) -> str:
    if isinstance(value, dict) and set(value) == {"index", "count"}:
        return f"{value['index']}/{value['count']}"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)
