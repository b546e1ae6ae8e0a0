"""Docstrings as Markdown, for the page ``docs/python-reference.md``.

Roles of Sphinx, such as ``:func:`expect```, are links there, and ``L*D`` begins no emphasis. Griffe
loads this for mkdocstrings, see ``mkdocs.yml``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import griffe

_PAGE = Path(__file__).parents[1] / "docs" / "python-reference.md"

# A role, and the name in it without the dot or the module in front.
_ROLE = re.compile(r":(class|data|func|meth):`[~.]?(?:[a-z_]+\.)*(\w+(?:\.\w+)?)`")

# Code, which stays as it is, or an asterisk.
_CODE_OR_ASTERISK = re.compile(r"(`+).*?\1|\*", re.DOTALL)


class DocstringsAsMarkdown(griffe.Extension):
    """The name in a role links to its place on the page; without one, it is code."""

    def __init__(self) -> None:
        paths = re.findall(r"^::: (\S+)$", _PAGE.read_text("utf-8"), re.MULTILINE)
        self._paths = {path.rpartition(".")[2]: path for path in paths}

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Called for each function, class, attribute and module."""
        if obj.docstring is not None:
            text = _ROLE.sub(self._link, obj.docstring.value)
            obj.docstring.value = _CODE_OR_ASTERISK.sub(_escaped, text)

    def _link(self, role: re.Match[str]) -> str:
        kind, name = role[1], role[2]
        owner, dot, member = name.partition(".")
        # A method without its class is one of the class that the docstring belongs to.
        path = None if kind == "meth" and not dot else self._paths.get(owner)
        return f"`{name}`" if path is None else f"[`{name}`][{path}{dot}{member}]"


def _escaped(found: re.Match[str]) -> str:
    return r"\*" if found[0] == "*" else found[0]
