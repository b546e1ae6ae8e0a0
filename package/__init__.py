"""lstm-conformance: decides whether an LSTM is right.

Public names, each imported when it is first used: importing this package takes no time and needs
no torch. See ``docs/python.md``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .reference.oracle import Expectation, expect
    from .runner.judging.comparison import compare
    from .runner.python_interface.check import check, check_case
    from .runner.python_interface.check_results import CheckedClause, CheckFailure, CheckResults
    from .runner.python_interface.close_to_rounding import assert_close_to_rounding
    from .runner.python_interface.parametrize import parametrize
    from .spec.case import Case
    from .spec.usage_error import UsageError

__version__ = "1.0.0"

__all__ = [
    "Case",
    "CheckFailure",
    "CheckResults",
    "CheckedClause",
    "Expectation",
    "UsageError",
    "assert_close_to_rounding",
    "check",
    "check_case",
    "compare",
    "expect",
    "parametrize",
]

# Public name to the module that defines it.
_MODULES = {
    "Case": "spec.case",
    "CheckFailure": "runner.python_interface.check_results",
    "CheckResults": "runner.python_interface.check_results",
    "CheckedClause": "runner.python_interface.check_results",
    "Expectation": "reference.oracle",
    "UsageError": "spec.usage_error",
    "assert_close_to_rounding": "runner.python_interface.close_to_rounding",
    "check": "runner.python_interface.check",
    "check_case": "runner.python_interface.check",
    "compare": "runner.judging.comparison",
    "expect": "reference.oracle",
    "parametrize": "runner.python_interface.parametrize",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
