"""Chapter PURE: a call changes nothing but its results."""

from __future__ import annotations

from ..clause import Chapter

CHAPTER = Chapter(
    "PURE",
    "Purity",
    "A call depends on its arguments and the parameters, and changes nothing but its results.",
    (),
)
