"""Chapter EDGE: numbers that are hardly any: not a number, infinite, denormal, signed zeros."""

from __future__ import annotations

from ..clause import Chapter

CHAPTER = Chapter(
    "EDGE",
    "Values at the edge",
    "Numbers that are hardly any: not a number, infinite, denormal, signed zeros.",
    (),
)
