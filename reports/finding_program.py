"""The program that shows a finding: a comment that describes it, then its code."""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import dataclass

__all__ = ["FindingProgram"]

# What a program in JavaScript begins with.
_COMMENT = re.compile(r"/\*\*\n(.*?) \*/\n", re.DOTALL)


@dataclass(frozen=True)
class FindingProgram:
    """A program in Python (``.py``) or JavaScript (``.mjs``).

    Attributes:
        file: its name.
        text: its content.
    """

    file: str
    text: str

    @property
    def language(self) -> str:
        """As a fenced block of Markdown names it."""
        return "javascript" if self.file.endswith(".mjs") else "python"

    @property
    def comment(self) -> str:
        """The docstring, or the comment in front, without its marks; empty if there is none."""
        if self.language == "python":
            return inspect.cleandoc(ast.get_docstring(ast.parse(self.text)) or "")
        found = _COMMENT.match(self.text)
        lines = found[1].splitlines() if found else []
        return "\n".join(line.removeprefix(" *").removeprefix(" ") for line in lines)

    @property
    def description(self) -> str:
        """What the comment says after its first lines."""
        return self.comment.partition("\n\n")[2]

    @property
    def code(self) -> str:
        """What follows the comment."""
        if self.language == "python":
            return self.text.partition('"""')[2].partition('"""')[2].strip()
        return _COMMENT.sub("", self.text, count=1).strip()
