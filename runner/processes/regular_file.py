"""Reads files that others have written: an implementation, or whoever shares a folder."""

from __future__ import annotations

import os
import stat
from pathlib import Path

__all__ = ["read_regular_file"]


def read_regular_file(path: Path, largest: int) -> bytes:
    """The content of a file. It never waits, as opening a pipe does.

    Args:
        path: of a regular file. A link is not followed.
        largest: size in bytes that is still read.

    Raises:
        OSError: it is no regular file, is larger, or cannot be read.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise OSError("it is not a regular file")
        # The size is asked first: a file with holes takes no space until it is read.
        if found.st_size > largest:
            raise OSError(f"it is larger than {largest:,} bytes")
        return file.read(largest)
