"""Makes text that an implementation supplies safe and short: for a terminal, Markdown, one line."""

from __future__ import annotations

import re

__all__ = ["escaped", "fenced", "one_line", "printable", "shortened"]


def printable(text: str) -> str:
    """``text`` without control characters, which could change a terminal; line breaks are kept."""
    if text.isprintable():
        return text
    return "\n".join(
        "".join(c if c.isprintable() else " " for c in line) for line in text.split("\n")
    )


def one_line(text: str) -> str:
    """``text`` on one line, without control characters."""
    return " ".join(printable(text).split())


def shortened(text: str, longest: int) -> str:
    """``text`` in at most so many characters."""
    return text if len(text) <= longest else text[: longest - 3].rstrip() + "..."


def escaped(text: str) -> str:
    """``text`` for Markdown, so that nothing in it is markup."""
    return re.sub(r"([\\`*_{}\[\]<>#|&~!])", r"\\\1", printable(text))


def fenced(text: str) -> str:
    """Markdown that shows ``text`` as it is."""
    # A fence longer than any run of backticks inside cannot be closed from inside.
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}text\n{text.rstrip()}\n{fence}"
