"""Markdown that is no longer than GitHub shows: less important sections are left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..spec.clean_text import counted, listed

__all__ = ["LONGEST_NAME", "LONGEST_PAGE", "Section", "fitted", "length", "shortened_lines"]

# In characters: the longest comment, and the longest description of a pull request.
LONGEST_PAGE = 65_536

# In characters, of the name of an implementation, or of its version.
LONGEST_NAME = 200

# In characters, for the sentence that says what was left out.
_LONGEST_REMARK = 600


@dataclass(frozen=True)
class Section:
    """A part of a page.

    Attributes:
        text: in Markdown.
        rank: sections of a smaller rank are more important.
        what: it is, in the singular, as "failure"; or "the table of clauses" if there is one.
        instead: a shorter text, if ``text`` is too long; empty for none.
        lacking: what ``instead`` lacks.
    """

    text: str
    rank: int
    what: str
    instead: str = ""
    lacking: str = ""


def length(text: str) -> int:
    """The number of characters of ``text``, as JavaScript counts them."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def fitted(sections: Sequence[Section], longest: int = LONGEST_PAGE) -> str:
    """The page of the sections that fit, in their order, and a sentence on what was left out.

    Args:
        sections: in the order of the page. Those of rank 0 are short, and never left out.
        longest: number of characters of the page.
    """
    left = longest - _LONGEST_REMARK
    texts: dict[int, str] = {}
    left_out: Counter[str] = Counter()
    for place, section in sorted(enumerate(sections), key=lambda item: item[1].rank):
        choices = [section.text, section.instead]
        chosen = next((text for text in choices if text and length(text) + 2 <= left), "")
        if section.rank == 0:
            chosen = section.text
        if chosen:
            texts[place] = chosen
            left -= length(chosen) + 2
        if chosen != section.text:
            left_out[section.lacking if chosen else section.what] += 1
    parts = [text for _, text in sorted(texts.items())]
    if left_out:
        parts.append(
            f"To fit into a comment on GitHub, this page leaves out "
            f"{listed([_counted(what, number) for what, number in left_out.items()])}. The results "
            f"that `check --json` writes have them."
        )
    return "\n\n".join(parts) + "\n"


def _counted(what: str, number: int) -> str:
    return what if what.startswith("the ") else counted(number, what)


def shortened_lines(lines: Sequence[str], longest: int) -> list[str]:
    """The first of ``lines``, up to a number of characters; the others are counted."""
    kept: list[str] = []
    for line in lines:
        longest -= length(line)
        if longest < 0:
            kept.append(f"{counted(len(lines) - len(kept), 'line')} more.")
            break
        kept.append(line)
    return kept
