"""The tests of the suite, and how to run those of one clause without pytest."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Collection, Iterator
from functools import partial
from pathlib import Path
from types import FunctionType
from typing import NamedTuple

from ... import tests
from ...spec.contract import Implementation
from ...spec.precision import PRECISIONS
from ...tests import MARKER
from ..searching.checker import Checker
from ..searching.combination_groups import combination_groups
from ..searching.profiles import PROFILES, Profile
from ..searching.record import Record
from ..searching.settings import Settings

__all__ = [
    "TEST_MODULES",
    "Run",
    "all_tests",
    "checkers_of",
    "clauses_of",
    "judging_runs",
    "judging_tests",
    "records_of",
    "runs_of",
]

# Names of the modules with tests.
TEST_MODULES = tuple(
    f"{tests.__name__}.{path.stem}"
    for folder in tests.__path__
    for path in sorted(Path(folder).glob("test_*.py"))
)


def all_tests() -> dict[str, FunctionType]:
    """All tests of the suite, by file and name, as ``test_states.test_zeros``."""
    return {
        f"{module.rpartition('.')[2]}.{name}": function
        for module in TEST_MODULES
        for name, function in vars(importlib.import_module(module)).items()
        if name.startswith("test_") and isinstance(function, FunctionType)
    }


def clauses_of(test: FunctionType) -> tuple[str, ...]:
    """Ids of the clauses that a test is marked with."""
    marks = [mark.args for mark in getattr(test, "pytestmark", []) if mark.name == MARKER]
    return marks[0] if marks else ()


class Run(NamedTuple):
    """One run of a test, as pytest would do it.

    Attributes:
        name: that pytest gives it. The cases that its checker draws follow from it.
        clauses: ids of the clauses that the test is marked with.
        test: the test with all arguments but the checker.
    """

    name: str
    clauses: tuple[str, ...]
    test: Callable[[Checker], None]


def runs_of(clause: str, profile: Profile) -> Iterator[Run]:
    """The runs of tests by which pytest would judge ``clause``."""
    yield from judging_runs((clause,), profile).values()


def judging_runs(
    clauses: Collection[str], profile: Profile, given_case: bool = False
) -> dict[str, Run]:
    """Name of each test that judges any of ``clauses``, to its run.

    Names are those in results. The order is that in which pytest runs the tests.
    """
    return {
        name + label: Run(test.__name__ + label, clauses_of(test), partial(test, **arguments))
        for name, test in all_tests().items()
        if not set(clauses).isdisjoint(clauses_of(test))
        for label, arguments in _arguments(test, profile, given_case).items()
    }


def judging_tests(
    clauses: Collection[str], profile: Profile, given_case: bool = False
) -> dict[str, tuple[str, ...]]:
    """Name of each test that judges any of ``clauses``, to all clauses that it judges."""
    runs = judging_runs(clauses, profile, given_case)
    return {name: run.clauses for name, run in runs.items()}


def _arguments(
    test: FunctionType, profile: Profile, given_case: bool = False
) -> dict[str, dict[str, object]]:
    """What pytest appends to the name of a test, to the arguments of that run."""
    if "lstm_combinations" in inspect.signature(test).parameters:
        groups = {"given": []} if given_case else combination_groups(profile.every_combination)
        return {f"[{name}]": {"lstm_combinations": group} for name, group in groups.items()}
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    if not marks:
        return {"": {}}
    (name, values), ids = marks[0].args, marks[0].kwargs["ids"]
    return {f"[{label}]": {name: value} for label, value in zip(ids, values, strict=True)}


def checkers_of(
    implementation: Implementation, clause: str, profile: str = "smoke"
) -> Iterator[Checker]:
    """The checker of each run of the tests of ``clause`` on ``implementation``, after the run.

    The cases are the same as those of ``lstm-conformance check`` with seed 0.
    """
    settings = Settings(PROFILES[profile], 0, tuple(PRECISIONS), ("cpu",))
    for run in runs_of(clause, settings.profile):
        checker = Checker(implementation, settings, run.name, run.clauses)
        run.test(checker)
        yield checker


def records_of(implementation: Implementation, clause: str, profile: str = "smoke") -> list[Record]:
    """The record of each run of the tests of ``clause`` on ``implementation``."""
    return [checker.records[clause] for checker in checkers_of(implementation, clause, profile)]
