"""Reads files in TOML that users write."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from .usage_error import UsageError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["read_toml"]


def read_toml(path: Path, name: str) -> dict[str, Any]:
    """The content of a file.

    Args:
        path: of the file.
        name: of the file, in messages.

    Raises:
        UsageError: it cannot be read, or is no TOML.
    """
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{name} is no TOML: {error}.") from error
