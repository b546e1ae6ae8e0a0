"""The page "Python reference" has every public name, and the line that imports it.

test_site has what the site makes of the page.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import lstm_conformance

from .helpers.pages import blocks

FILE = Path(__file__).parents[1] / "docs" / "python-reference.md"
PAGE = FILE.read_text("utf-8")

# Path of each object that is explained.
EXPLAINED = re.findall(r"^::: (\S+)$", PAGE, re.MULTILINE)


def test_it_has_every_public_name() -> None:
    paths = {f"lstm_conformance.{name}" for name in lstm_conformance.__all__}
    assert paths <= {*EXPLAINED}
    assert len({*EXPLAINED}) == len(EXPLAINED)


def test_every_import_works_and_imports_what_is_explained() -> None:
    imported: dict[str, Any] = {}
    for block in blocks(FILE):
        assert block.language == "python"
        if "jax" not in block.code or find_spec("jax"):
            exec(block.code, imported)
    not_imported = {path.rpartition(".")[2] for path in EXPLAINED} - {*imported}
    # A test gets the first from `parametrize`.
    assert not_imported <= {"ClauseToCheck", "JaxFunction"}
    assert {*imported} - {"__builtins__"} <= {path.rpartition(".")[2] for path in EXPLAINED}


def test_other_pages_use_names_that_are_explained() -> None:
    """What they import from this package."""
    names = {path.rpartition(".")[2] for path in EXPLAINED}
    for page in ("python.md", "test-your-own.md"):
        text = (FILE.parent / page).read_text("utf-8")
        lines = re.findall(r"from lstm_conformance[\w.]* import ([\w, ]+)", text)
        used = {re.sub(r" as .*", "", name.strip()) for line in lines for name in line.split(",")}
        assert used
        assert used <= names
