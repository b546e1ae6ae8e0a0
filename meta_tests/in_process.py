"""The tests of one clause, run on one implementation in this process."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import lstm_conformance.tests
from lstm_conformance.checker import Checker, Record, Settings
from lstm_conformance.plugin import MARKER
from lstm_conformance.profiles import PROFILES
from lstm_conformance.spec.combinations import covering_array
from lstm_conformance.spec.contract import Implementation
from lstm_conformance.spec.precision import PRECISIONS

__all__ = ["clauses_of", "judge", "suite"]


def suite() -> dict[str, FunctionType]:
    """All tests of the suite, by file and name."""
    return {
        f"{path.stem}.{name}": function
        for path in sorted(Path(lstm_conformance.tests.__file__).parent.glob("test_*.py"))
        for name, function in vars(_module(path)).items()
        if name.startswith("test_") and isinstance(function, FunctionType)
    }


def _module(path: Path) -> ModuleType:
    return importlib.import_module(f"lstm_conformance.tests.{path.stem}")


def clauses_of(test: FunctionType) -> tuple[str, ...]:
    """The clauses that a test names."""
    marks = [mark.args for mark in getattr(test, "pytestmark", []) if mark.name == MARKER]
    return marks[0] if marks else ()


def judge(implementation: Implementation, clause: str, profile: str = "smoke") -> list[Record]:
    """What the tests of ``clause`` find out about ``implementation``, one record a test."""
    settings = Settings(PROFILES[profile], 0, tuple(PRECISIONS), ("cpu",))
    records = []
    for test in suite().values():
        if clause not in clauses_of(test):
            continue
        for arguments in _parameters(test):
            checker = Checker(implementation, settings, test.__name__, clauses_of(test))
            test(checker, *arguments)
            records.append(checker.records[clause])
    return records


def _parameters(test: FunctionType) -> list[tuple[Any, ...]]:
    """What a test is called with besides the checker."""
    if "lstm_combinations" in inspect.signature(test).parameters:
        return [(covering_array(),)]
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    return [(value,) for value in marks[0].args[1]] if marks else [()]
