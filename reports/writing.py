"""Writes files of results and reports: each as a whole, and never over a file that is read."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..spec.usage_error import UsageError

__all__ = ["cannot_create_in", "check_outputs", "several", "write_results", "write_text"]


def write_results(path: Path, results: Mapping[str, Any]) -> None:
    """Writes ``results`` as JSON (UTF-8, no NaN), replacing the file at once."""
    write_text(path, json.dumps(results, indent=1, allow_nan=False, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Writes a temporary file beside ``path`` and renames it.

    A link is followed. A device or a pipe is written to.
    """
    if path.exists() and not path.is_file():
        with path.open("w", encoding="utf-8") as stream:
            stream.write(text)
        return
    path = path.resolve()
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".lstm-conformance-")
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


def check_outputs(
    written: Mapping[str, Path | None], read: Mapping[str, Path | None] | None = None
) -> None:
    """Makes sure, before anything is done, that all files can be written.

    Args:
        written: option to the file that it names; None if it was not given.
        read: description of each file that the command reads, to the file; None if not given.

    Raises:
        UsageError: a file cannot be written, is named twice, or is read as well.
    """
    inputs = {path.resolve(): what for what, path in (read or {}).items() if path is not None}
    outputs: dict[Path, str] = {}
    for option, path in written.items():
        if path is None:
            continue
        _check_writable(path)
        place = path.resolve()
        if place in inputs:
            raise UsageError(
                f"{option} would replace {path}, which is {inputs[place]}: name another file."
            )
        if place in outputs:
            raise UsageError(
                f"{outputs[place]} and {option} both name {path}: give each a file of its own."
            )
        outputs[place] = option


def _check_writable(path: Path) -> None:
    problem = ""
    try:
        path.lstat()
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise UsageError(f"{path} cannot be written: {_reason(error)}.") from None
    if path.is_dir():
        problem = "it is a folder"
    elif path.exists() and not path.is_file():
        problem = "" if os.access(path, os.W_OK) else "no permission"
    elif not path.resolve().parent.is_dir():
        problem = f"there is no folder {path.parent}"
    else:
        problem = cannot_create_in(path.resolve().parent)
    if problem:
        raise UsageError(f"{path} cannot be written: {problem}.")


def cannot_create_in(folder: Path) -> str:
    """Why no file can be made in ``folder``; empty if one can."""
    # Permissions do not tell: a file system may be read-only, full, or not for files of users.
    try:
        with tempfile.TemporaryFile(dir=folder):
            return ""
    except OSError as error:
        return f"no file can be made in {folder}: {_reason(error)}"


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def several(what: str, paths: Iterable[Path]) -> dict[str, Path | None]:
    """``paths`` for :func:`check_outputs`, each described by its number."""
    return {f"{what} {number}": path for number, path in enumerate(paths, 1)}
