"""The name that somebody probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["meant"]


def meant(name: str, names: Iterable[str]) -> str:
    """ ", did you mean ..." with the name that is most like ``name``; empty if none is like it.

    The only name that begins with ``name`` is most like it.
    """
    known = list(names)
    begun = [other for other in known if other.startswith(name)]
    close = begun if len(begun) == 1 else get_close_matches(name, known, 1)
    return f", did you mean {close[0]}" if close else ""
