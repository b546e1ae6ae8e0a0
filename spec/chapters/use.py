"""Chapter USE: how it is constructed and called, and what it has to refuse."""

from __future__ import annotations

from ..clause import Chapter

CHAPTER = Chapter(
    "USE",
    "Use and misuse",
    "How it is constructed and called, and what it has to refuse.",
    (),
)
