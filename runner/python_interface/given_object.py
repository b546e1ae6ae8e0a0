"""What a user hands over: how reports name it, and how it is made or imported."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ...adapters.target import is_instance, object_text, of_object
from ...reports.escaping import one_line
from ...spec.contract import Implementation
from ...spec.usage_error import UsageError

__all__ = ["GivenObject", "given_object"]

# Modules that another process cannot import, or that do more than define something.
_NOT_FOR_IMPORT = ("__main__", "conftest", "test_", "lstm_implementation_", "ipykernel")


@dataclass(frozen=True)
class GivenObject:
    """What a user hands over.

    Attributes:
        target: as results name it.
        importable: the target that another process can import; None if there is none.
        make: returns the implementation; None if the target names it.
    """

    target: str
    importable: str | None
    make: Callable[[], Implementation] | None

    def for_other_process(self, keyword: str) -> str:
        """The target that another process can import.

        Raises:
            UsageError: there is none.
        """
        if self.importable is None:
            raise UsageError(
                f"{keyword} needs an object that another process can import, such as "
                f"'my_package.rnn:FastLSTM', and {self.target} is in memory only: leave {keyword} "
                "out, or put the object into a module."
            )
        return self.importable


def given_object(
    value: Any,
    capabilities: Collection[str] | None = None,
    differentiate: Callable[..., Any] | None = None,
) -> GivenObject:
    """What ``value`` is, without making it.

    Args:
        value: an object, or a target as on the command line.
        capabilities: of a function over arrays, or of a cell.
        differentiate: of a function over arrays.

    Raises:
        UsageError: arguments do not go together.
    """
    if isinstance(value, str | Path):
        if capabilities is not None or differentiate is not None:
            raise UsageError("capabilities and differentiate go with an object, not with a text.")
        return GivenObject(str(value), str(value), None)
    if isinstance(capabilities, str):
        capabilities = (capabilities,)
    name = _name_of(value)
    plain = capabilities is None and differentiate is None
    importable = _importable(value) if plain else None
    target = object_text(name) if importable is None else importable
    return GivenObject(
        target, importable, partial(of_object, value, name, capabilities, differentiate)
    )


def _name_of(value: Any) -> str:
    if is_instance(value):
        kind = type(getattr(value, "_orig_mod", value)).__name__
        return one_line(f"instance of {getattr(value, 'original_name', kind)}")
    name = getattr(value, "__qualname__", None)
    if not isinstance(name, str):
        given = getattr(value, "name", None)
        name = given if isinstance(given, str) else type(value).__qualname__
    return one_line(name.rpartition("<locals>.")[2])


def _importable(value: Any) -> str | None:
    """``package.module:Attribute`` of a class or a function that another process can import."""
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(name, str):
        return None
    if module.rpartition(".")[2].startswith(_NOT_FOR_IMPORT):
        return None
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is not value:
        return None
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError, AttributeError):
        return None
    return None if spec is None or spec.origin is None else f"{module}:{name}"
