"""The tests of one clause, run on one implementation in this process, without pytest."""

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

__all__ = ["TEST_MODULES", "Run", "clauses_of", "judge", "judged", "judging_tests", "runs", "suite"]

# Names of the modules of the suite.
TEST_MODULES = tuple(
    f"{tests.__name__}.{path.stem}"
    for folder in tests.__path__
    for path in sorted(Path(folder).glob("test_*.py"))
)


def suite() -> dict[str, FunctionType]:
    """All tests of the suite, by file and name."""
    return {
        f"{module.rpartition('.')[2]}.{name}": function
        for module in TEST_MODULES
        for name, function in vars(importlib.import_module(module)).items()
        if name.startswith("test_") and isinstance(function, FunctionType)
    }


def clauses_of(test: FunctionType) -> tuple[str, ...]:
    """The clauses that a test names."""
    marks = [mark.args for mark in getattr(test, "pytestmark", []) if mark.name == MARKER]
    return marks[0] if marks else ()


class Run(NamedTuple):
    """One run of a test, as pytest would do it.

    Attributes:
        name: that pytest gives it; the draws of its checker follow from it.
        clauses: that the test names.
        test: lacks nothing but the checker.
    """

    name: str
    clauses: tuple[str, ...]
    test: Callable[[Checker], None]


def runs(clause: str, profile: Profile) -> Iterator[Run]:
    """How often and with what pytest would run the tests of ``clause``."""
    for test in suite().values():
        clauses = clauses_of(test)
        if clause in clauses:
            for label, arguments in _arguments(test, profile).items():
                yield Run(test.__name__ + label, clauses, partial(test, **arguments))


def judging_tests(
    clauses: Collection[str], profile: Profile, given_case: bool = False
) -> dict[str, tuple[str, ...]]:
    """The tests that judge any of ``clauses``, by file and name as in results, with their clauses.

    They are in the order in which pytest runs them.
    """
    return {
        name + label: clauses_of(test)
        for name, test in suite().items()
        if not set(clauses).isdisjoint(clauses_of(test))
        for label in _arguments(test, profile, given_case)
    }


def _arguments(
    test: FunctionType, profile: Profile, given_case: bool = False
) -> dict[str, dict[str, object]]:
    """What a test is called with besides the checker, by what pytest appends to its name."""
    if "lstm_combinations" in inspect.signature(test).parameters:
        groups = {"given": []} if given_case else combination_groups(profile.every_combination)
        return {f"[{name}]": {"lstm_combinations": group} for name, group in groups.items()}
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    if not marks:
        return {"": {}}
    (name, values), ids = marks[0].args, marks[0].kwargs["ids"]
    return {f"[{label}]": {name: value} for label, value in zip(ids, values, strict=True)}


def judged(
    implementation: Implementation, clause: str, profile: str = "smoke"
) -> Iterator[Checker]:
    """The checker of each run of the tests of ``clause`` on ``implementation``, after the run.

    The cases are those of ``lstm-conformance check`` with seed 0.
    """
    settings = Settings(PROFILES[profile], 0, tuple(PRECISIONS), ("cpu",))
    for run in runs(clause, settings.profile):
        checker = Checker(implementation, settings, run.name, run.clauses)
        run.test(checker)
        yield checker


def judge(implementation: Implementation, clause: str, profile: str = "smoke") -> list[Record]:
    """What the tests of ``clause`` find out about ``implementation``, one record a run."""
    return [checker.records[clause] for checker in judged(implementation, clause, profile)]
