"""Text that any file, terminal and protocol can hold."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["clean_text", "counted", "listed"]

_KEPT = "\n\t"


def clean_text(value: object) -> str:
    """``value`` as text, in which what cannot be printed is shown by its code, as ``\\x1b``.

    Implementations supply names and messages. Control characters change a terminal, and UTF-8
    cannot hold half a surrogate pair.
    """
    try:
        text = str(value)
    except Exception as error:  # the method of an implementation
        text = f"<no text: {type(error).__name__}>"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in _KEPT else _code(c) for c in text)


def listed(items: Sequence[object]) -> str:
    """``items``, of which there is at least one, as in "a, b and c"."""
    *most, last = map(str, items)
    return f"{', '.join(most)} and {last}" if most else last


def counted(number: float, one: str, many: str = "") -> str:
    """``number`` and what is counted, as in "1 clause" and "3 clauses".

    Args:
        number: how many there are.
        one: a single one of them, in words.
        many: several of them; by default ``one`` with an s.
    """
    text = f"{number:g}" if isinstance(number, float) else str(number)
    return f"{text} {one if number == 1 else many or f'{one}s'}"


def _code(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
