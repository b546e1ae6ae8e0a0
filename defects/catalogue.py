"""The catalogue of defects: what each of them is, and which clause it breaks."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from ..spec.clauses import CLAUSES

__all__ = [
    "FORWARD",
    "GRADIENT",
    "INTERFACE",
    "KINDS",
    "NUMERICAL",
    "Defect",
    "catalogue",
    "defect",
    "variant",
]

# Outputs are wrong; only gradients are; how it is called and what it leaves behind; right but
# for the accuracy or the range of its numbers.
KINDS = FORWARD, GRADIENT, INTERFACE, NUMERICAL = "forward", "gradient", "interface", "numerical"

Class = TypeVar("Class", bound=type)


@dataclass(frozen=True)
class Defect:
    """One wrong LSTM.

    Attributes:
        id: name of its class; never reused.
        target: what ``lstm-conformance check`` judges it by.
        text: its difference from the right thing, in one sentence.
        breaks: id of the clause that has to name it.
        kind: one of ``KINDS``.
        shows: the configurations and calls in which it can be seen.
    """

    id: str
    target: str
    text: str
    breaks: str
    kind: str
    shows: str


_CATALOGUE: list[Defect] = []


def defect(breaks: str, kind: str, shows: str) -> Callable[[Class], Class]:
    """Enters a class into the catalogue; its docstring is the defect's text.

    Args:
        breaks, kind, shows: as in :class:`Defect`.
    """

    def enter(cls: Class) -> Class:
        text = " ".join(inspect.cleandoc(cls.__doc__ or "").split())
        target = f"{cls.__module__}:{cls.__qualname__}"
        _CATALOGUE.append(Defect(cls.__qualname__, target, text, breaks, kind, shows))
        return cls

    return enter


def variant(
    module: str, cls: type, name: str, text: str, breaks: str, kind: str, shows: str
) -> None:
    """Enters a class that a function has made, for a family of defects that differ in a name only.

    A loop over a table calls it for each of them. The class becomes an attribute of the module,
    as if it had been written there.

    Args:
        module: ``__name__`` of the module that has the table.
        cls: the class, made for this defect alone.
        name: what the class is called, the defect's id.
        text: its docstring, the defect's text.
        breaks, kind, shows: as in :class:`Defect`.
    """
    cls.__module__, cls.__name__, cls.__qualname__, cls.__doc__ = module, name, name, text
    setattr(sys.modules[module], name, defect(breaks, kind, shows)(cls))


def catalogue() -> tuple[Defect, ...]:
    """All defects, by clause as in the specification, then by module and their order in it.

    Raises:
        ImportError: torch is not installed.
    """
    package: Any = importlib.import_module(__package__)
    for module in pkgutil.walk_packages(package.__path__, f"{__package__}."):
        importlib.import_module(module.name)
    clauses = list(CLAUSES)
    return tuple(
        sorted(
            _CATALOGUE,
            key=lambda entry: (clauses.index(entry.breaks), entry.target.partition(":")[0]),
        )
    )
