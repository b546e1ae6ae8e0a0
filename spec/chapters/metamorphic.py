"""Chapter META: what must stay the same if the question is put in another way."""

from __future__ import annotations

from ..clause import Chapter

CHAPTER = Chapter(
    "META",
    "Metamorphic relations",
    "What must stay the same if the question is put in another way.",
    (),
)
