"""Reading and writing results, never half of them."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["not_writable", "write_results", "write_text"]


def write_results(path: Path, results: Mapping[str, Any]) -> None:
    """Writes ``results`` as JSON (UTF-8, no NaN), replacing the file at once."""
    write_text(path, json.dumps(results, indent=1, allow_nan=False, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Writes a temporary file beside ``path`` and renames it."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        # mkstemp makes files private; results are as readable as any file of the user.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def not_writable(path: Path) -> str | None:
    """Why ``path`` cannot be written, as a sentence; None if it can."""
    if path.is_dir():
        return f"{path} cannot be written: it is a folder."
    if not path.parent.is_dir():
        return f"{path} cannot be written: there is no folder {path.parent}."
    if not os.access(path.parent, os.W_OK):
        return f"{path} cannot be written: no permission in {path.parent}."
    return None
