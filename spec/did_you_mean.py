"""The name that somebody probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["meant"]


def meant(name: str, names: Iterable[str]) -> str:
    """ ", did you mean ..." with the name that is most like ``name``; empty if none is like it.

    The only name that begins with ``name`` is most like it. Capital letters make no difference.
    """
    known = {other.lower(): other for other in names}
    written = name.lower()
    begun = [other for other in known if other.startswith(written)]
    close = begun if len(begun) == 1 else get_close_matches(written, known, 1)
    return f", did you mean {known[close[0]]}" if close else ""
