"""Known deviations as they are given in Python: a mapping, tables, or a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ...spec.usage_error import UsageError
from ..judging.known_deviations import Deviation, deviation_of

__all__ = ["known_deviations_in_python"]


def known_deviations_in_python(given: Any) -> tuple[Path | None, tuple[Deviation, ...]]:
    """The file of known deviations, and those that are given otherwise.

    Args:
        given: the path of a TOML file; a mapping from ids of clauses to reasons; or the tables of
            such a file, as ``[{"clause": "USE-24", "when": {"packed": True}, "reason": "..."}]``.

    Raises:
        UsageError: it is none of these.
    """
    if given is None:
        return None, ()
    if isinstance(given, str | Path):
        return Path(given), ()
    if isinstance(given, Mapping):
        given = [{"clause": clause, "reason": reason} for clause, reason in given.items()]
    if not isinstance(given, Iterable):
        raise UsageError(
            "known_deviations is a path, a mapping from clauses to reasons, or a list of tables."
        )
    return None, tuple(
        deviation_of(entry, f"known_deviations, entry {number}")
        for number, entry in enumerate(given, 1)
    )
