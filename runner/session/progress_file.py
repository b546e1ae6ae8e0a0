"""How the processes of a run tell ``lstm-conformance check`` how far they have come.

Each of them appends lines of JSON to one file. What is told is shown and nothing more: no verdict
depends on it, so whatever cannot be read is passed over.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from .progress import ProgressShown

__all__ = ["ProgressFile", "ProgressReader"]

# In bytes, of what is read at once. An implementation may write to any file.
_MOST_BYTES = 1_000_000


class ProgressFile:
    """Tells the process that reads the file; see :class:`.ProgressShown`.

    Args:
        path: of the file, which no other run uses.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def start(self, tests: int) -> None:
        """See :class:`.ProgressShown`."""
        self._write("start", tests)

    def begin(self, test: str) -> None:
        """See :class:`.ProgressShown`."""
        self._write("begin", test)

    def found(self, clause: str, text: str) -> None:
        """See :class:`.ProgressShown`."""
        self._write("found", clause, text)

    def advance(self, cases: int, failed: int) -> None:
        """See :class:`.ProgressShown`."""
        self._write("advance", cases, failed)

    def close(self) -> None:
        """See :class:`.ProgressShown`."""

    def _write(self, *told: Any) -> None:
        with suppress(OSError):
            # A line that is appended at once is not mixed with those of other processes.
            file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(file, json.dumps(told).encode() + b"\n")
            finally:
                os.close(file)


class ProgressReader:
    """Shows what was told in a file.

    Args:
        path: of the file, which need not exist yet.
        shown: where it is shown.
    """

    def __init__(self, path: Path, shown: ProgressShown) -> None:
        self._path = path
        self._shown = shown
        self._place = 0

    def read(self) -> None:
        """Shows what was told since the last call."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._place)
                new = file.read(_MOST_BYTES)
        except OSError:
            return
        whole = new.rfind(b"\n") + 1
        self._place += whole or (len(new) if len(new) == _MOST_BYTES else 0)
        for line in new[:whole].splitlines():
            self._show(line)

    def _show(self, line: bytes) -> None:
        with suppress(ValueError, RecursionError):
            match json.loads(line):
                case ["start", int(tests)]:
                    self._shown.start(tests)
                case ["begin", str(test)]:
                    self._shown.begin(test)
                case ["found", str(clause), str(text)]:
                    self._shown.found(clause, text)
                case ["advance", int(cases), int(failed)]:
                    self._shown.advance(cases, failed)
