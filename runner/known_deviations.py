"""Known deviations: clauses that an implementation is known to break, each with a reason.

A file of them, TOML::

    [[deviation]]
    clause = "USE-24"
    reason = "A packed sequence with too many features is read as if it had fewer."
    link = "https://github.com/..."

A clause that is broken as known is ``waived``. One that is no longer broken is an error: the
entry has to go, so that the clause is watched again.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .spec.clauses import TESTABLE

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["Deviation", "KnownDeviationsError", "read_known_deviations"]


class KnownDeviationsError(Exception):
    """The file cannot be used; the message is one sentence for the user."""


@dataclass(frozen=True)
class Deviation:
    """One known deviation.

    Attributes:
        clause: its id.
        reason: what the implementation does instead.
        link: to where it is discussed; empty if nowhere.
    """

    clause: str
    reason: str
    link: str = ""

    def __str__(self) -> str:
        return f"{self.reason} ({self.link})" if self.link else self.reason


def read_known_deviations(path: Path) -> dict[str, Deviation]:
    """Clause to its known deviation.

    Raises:
        KnownDeviationsError: the file cannot be read, or says something else.
    """
    try:
        with path.open("rb") as file:
            content = tomllib.load(file)
    except OSError as error:
        raise KnownDeviationsError(f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise KnownDeviationsError(f"{path} is no TOML: {error}.") from error
    entries = content.pop("deviation", [])
    if content or not isinstance(entries, list):
        raise KnownDeviationsError(f"{path} has to consist of [[deviation]] entries.")
    known: dict[str, Deviation] = {}
    for number, entry in enumerate(entries, 1):
        deviation = _deviation(entry, f"{path}, entry {number}")
        if deviation.clause in known:
            raise KnownDeviationsError(f"{path} has two entries for {deviation.clause}.")
        known[deviation.clause] = deviation
    return known


def _deviation(entry: Any, place: str) -> Deviation:
    allowed = {"clause", "reason", "link"}
    if not isinstance(entry, dict) or not all(isinstance(v, str) for v in entry.values()):
        raise KnownDeviationsError(f"{place}: clause, reason and link are texts.")
    if set(entry) - allowed:
        raise KnownDeviationsError(
            f"{place}: there is no {', '.join(sorted(set(entry) - allowed))}."
        )
    if not entry.get("clause") or not entry.get("reason", "").strip():
        raise KnownDeviationsError(f"{place} needs a clause and a reason.")
    if entry["clause"] not in TESTABLE:
        raise KnownDeviationsError(f"{place}: there is no clause {entry['clause']!r}.")
    return Deviation(**entry)
