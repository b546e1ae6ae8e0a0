"""Whether results belong to one run, so that they can be joined."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from ...reports.results import AskedResult, KnownDeviation, PartResult, Results
from ...spec.case import Case
from ...spec.usage_error import UsageError
from ..failures.explanation import describe_failure
from .options import recorded_options
from .test_outcome import TestOutcome

__all__ = ["asked_of", "differing", "outcomes_of"]

# A longer difference is only named.
_LONGEST = 100


def asked_of(results: Results | AskedResult) -> AskedResult:
    """What was judged and how: the part of results that is known before any test runs."""
    deviations: list[KnownDeviation] = [
        {name: d[name] for name in KnownDeviation.__annotations__}  # type: ignore[misc,literal-required]
        for d in results["deviations"]
    ]
    asked = {name: value for name, value in results.items() if name in _ASKED}
    return cast(AskedResult, {**asked, "deviations": deviations})


_ASKED = frozenset(AskedResult.__annotations__)


def outcomes_of(
    results: Results, tests: Mapping[str, tuple[str, ...]], name: str
) -> dict[str, TestOutcome]:
    """The outcomes of tests in results that can be resumed or merged.

    Args:
        results: that hold them.
        tests: name of each test that may be there to the clauses that it judges.
        name: of the file of results, for the message.

    Raises:
        UsageError: no run of these tests can have written them.
    """
    outcomes = {}
    for test, plain in results["parts"].items():
        if not _is_possible(plain, tests.get(test, ())):
            raise UsageError(f"{name} is damaged: the test {test} cannot have this outcome.")
        outcomes[test] = TestOutcome.from_json(plain)
    return outcomes


def _is_possible(plain: PartResult, clauses: tuple[str, ...]) -> bool:
    """Whether a test of ``clauses`` can have this outcome."""
    try:
        outcome = TestOutcome.from_json(plain)
        for record in outcome.records:
            for failure in (*record.failures, *record.waived):
                Case.parse(failure.case)
                describe_failure(record.clause, failure.to_json(), "")
    except (LookupError, TypeError, ValueError):
        return False
    return outcome.clauses == clauses and all(r.clause in clauses for r in outcome.records)


def differing(
    one: Results | AskedResult, other: Results | AskedResult, ignoring: tuple[str, ...] = ()
) -> str | None:
    """The first difference between two runs, as "--seed (0 and 7)"; None if they can be joined.

    Args:
        one: results of one run, or what :func:`asked_of` gives.
        other: the same of another run.
        ignoring: names of fields that may differ.
    """
    mine, its = cast(Mapping[str, Any], one), cast(Mapping[str, Any], other)
    fields = [*recorded_options(), "missing_devices", "threshold"]
    pairs = [
        *_both("implementation", ("name", "version", "target"), mine, its),
        *_both("environment", ("python", "machine"), mine, its),
        # torch is listed only by runs that imported it.
        *_packages(one["environment"]["packages"], other["environment"]["packages"]),
        *(
            (recorded_options().get(name, f"the {name.replace('_', ' ')}"), mine[name], its[name])
            for name in fields
            if name not in ignoring
        ),
        # What --without took away is missing here too, so this comes after the options.
        *_both("implementation", ("capabilities",), mine, its),
        ("the known deviations", asked_of(one)["deviations"], asked_of(other)["deviations"]),
    ]
    for name, value, other_value in pairs:
        if value != other_value:
            return _described(name, value, other_value)
    return None


def _both(
    part: str, names: tuple[str, ...], one: Mapping[str, Any], other: Mapping[str, Any]
) -> list[tuple[str, Any, Any]]:
    return [(_PHRASES[name], one[part][name], other[part][name]) for name in names]


_PHRASES = {
    "name": "the name of the implementation",
    "version": "the version of the implementation",
    "target": "the target",
    "capabilities": "the capabilities",
    "python": "the version of Python",
    "machine": "the kind of machine",
}


def _packages(one: dict[str, str], other: dict[str, str]) -> list[tuple[str, str, str]]:
    return [(f"the version of {name}", one[name], other[name]) for name in one if name in other]


def _described(name: str, value: object, other_value: object) -> str:
    values = f"{_text(value)} and {_text(other_value)}"
    return f"{name} ({values})" if values.isprintable() and len(values) < _LONGEST else name


def _text(value: Any) -> str:
    if isinstance(value, dict) and set(value) == {"index", "count"}:
        return f"{value['index']}/{value['count']}"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)
