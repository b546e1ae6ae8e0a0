"""Fills the templates. Everything that comes from results is escaped."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ..spec.clean_text import counted
from .escaping import printable
from .ratio_picture import ratio_picture
from .tables import ratio_text
from .verdict import cases_text

__all__ = ["SYMBOLS", "render"]

# Each verdict has its own shape, so that it can be recognized without colours.
SYMBOLS = {
    "pass": "✓",
    "fail": "✗",
    "error": "!",
    "inconclusive": "?",
    "waived": "≈",
    "unsupported": "\u2013",
    "not tested": "○",
}


def render(template: str, **values: Any) -> str:
    """``template`` filled with ``values``: a page, or a picture."""
    return _environment().get_template(template).render(**values) + "\n"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalized,
    )
    environment.globals.update(
        symbols=SYMBOLS,
        inline=_inline,
        hash_of=_hash_of,
        cases_text=cases_text,
        counted=counted,
        ratio_picture=ratio_picture,
    )
    environment.filters.update(ratio=ratio_text, short=_short, breakable=_breakable)
    return environment


def _short(value: Any) -> str:
    """A number with two digits, or a word like "nan" as it is."""
    return f"{value:.2g}" if isinstance(value, int | float) else str(value)


def _breakable(text: str) -> Markup:
    """A long name, in which lines may break after a point, a colon and the like."""
    parts = re.split(r"(?<=[.:/_-])(?=.)", printable(text))
    return Markup("<wbr>").join(parts)


def _finalized(value: Any) -> Any:
    """Text without control characters; markup that was made here is not changed."""
    return printable(value) if type(value) is str else value


def _inline(name: str) -> Markup:
    """The content of a style sheet or a script among the templates."""
    environment = _environment()
    assert environment.loader is not None
    return Markup(environment.loader.get_source(environment, name)[0])


def _hash_of(name: str) -> str:
    """The hash with which a page's security policy allows this file, and no other."""
    digest = hashlib.sha256(_inline(name).encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
