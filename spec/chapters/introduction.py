"""Chapter INTRO: what the layer is, in words."""

from __future__ import annotations

from ..clause import Chapter

CHAPTER = Chapter(
    "INTRO",
    "Introduction",
    "What the layer is, in words.",
    (),
)
