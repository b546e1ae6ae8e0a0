"""Findings: what released frameworks do differently, each with a program that shows it."""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from ..spec.clauses import CLAUSES
from ..spec.usage_error import UsageError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["KINDS", "SEVERITIES", "Finding", "read_findings"]

FindingKind = Literal[
    "crash", "silently wrong numbers", "argument check", "exception", "precision", "interface"
]
Severity = Literal["high", "medium", "low"]

# Each from the worst on.
KINDS: tuple[FindingKind, ...] = get_args(FindingKind)
SEVERITIES: tuple[Severity, ...] = get_args(Severity)


@dataclass(frozen=True)
class Finding:
    """One deviation of a released framework.

    Attributes:
        id: name of its program, without ``.py`` or ``.mjs``.
        framework: its name.
        api: the class, function or operator that deviates.
        seen: versions in which the program failed.
        clauses: ids of what is broken.
        kind: one of ``KINDS``.
        severity: one of ``SEVERITIES``; ``findings.toml`` says what they mean.
        sentence: what happens.
        fixed: the first version that is right; empty if there is none yet.
        absent: other versions in which the program passed, such as those before the deviation came.
        upstream: address of the framework's issue; empty if there is none.
    """

    id: str
    framework: str
    api: str
    seen: tuple[str, ...]
    clauses: tuple[str, ...]
    kind: FindingKind
    severity: Severity
    sentence: str
    fixed: str = ""
    absent: tuple[str, ...] = ()
    upstream: str = ""

    @property
    def rank(self) -> tuple[int, int, str, str]:
        """The most severe finding has the smallest."""
        order = SEVERITIES.index(self.severity), KINDS.index(self.kind)
        return (*order, self.framework.lower(), self.id)


def read_findings(path: Path) -> list[Finding]:
    """The findings in a file, the most severe first.

    Args:
        path: of a TOML file with a table for each finding, by its id.

    Raises:
        UsageError: the file cannot be read, or an entry lacks something or has something else.
    """
    try:
        with path.open("rb") as file:
            content = tomllib.load(file)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no TOML: {error}.") from error
    found = [_finding(name, entry, f"{path}, [{name}]") for name, entry in content.items()]
    return sorted(found, key=lambda finding: finding.rank)


_LISTS = ("seen", "clauses", "absent")
_OPTIONAL = ("fixed", "absent", "upstream")


def _finding(name: str, entry: Any, place: str) -> Finding:
    names = [field.name for field in fields(Finding) if field.name != "id"]
    if not isinstance(entry, dict):
        raise UsageError(f"{place} is no table.")
    unknown = sorted(set(entry) - set(names))
    if unknown:
        raise UsageError(
            f"{place}: there is no {', '.join(unknown)}: choose from {', '.join(names)}."
        )
    for key in names:
        if key not in entry and key not in _OPTIONAL:
            raise UsageError(f"{place} needs {key}.")
        if key not in entry:
            continue
        values = entry[key]
        several = values if key in _LISTS and isinstance(values, list) else [values]
        if (
            not several
            or (key in _LISTS) != isinstance(values, list)
            or not all(isinstance(value, str) and value.strip() for value in several)
        ):
            raise UsageError(
                f"{place}: {key} is {'a list of texts' if key in _LISTS else 'a text'}."
            )
    for key, allowed in (("kind", KINDS), ("severity", SEVERITIES)):
        if entry[key] not in allowed:
            raise UsageError(
                f"{place}: there is no {key} {entry[key]!r}: choose from {', '.join(allowed)}."
            )
    for clause in entry["clauses"]:
        if clause not in CLAUSES:
            raise UsageError(f"{place}: there is no clause {clause!r}.")
    if both := set(entry["seen"]) & set(entry.get("absent", [])):
        raise UsageError(f"{place}: {', '.join(sorted(both))} is in seen and in absent.")
    if not entry.get("upstream", "https://").startswith("https://"):
        raise UsageError(f"{place}: upstream is an address that begins with https://.")
    lists = {key: tuple(entry[key]) for key in _LISTS if key in entry}
    return Finding(**{"id": name, **entry, **lists})
