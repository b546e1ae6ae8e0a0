"""Chapter PARAM: names, shapes and initial values of the parameters."""

from __future__ import annotations

from ..clause import Chapter

CHAPTER = Chapter(
    "PARAM",
    "Parameters",
    "Names, shapes and initial values of the parameters, and what a module lets one do with them.",
    (),
)
