"""Tells of the first failure while the run goes on: shrinking it and finding its cause take longer.

Each process that runs tests may find it. The first of them writes a file, and ``lstm-conformance
check`` shows it.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from ...spec.clauses import must_hold
from ..failures.explanation import describe_failure
from ..failures.failure import Failure

__all__ = ["EarlyNotice"]


class EarlyNotice:
    """Writes the first failure of a run into a file, all at once.

    Args:
        file: that no other run uses.
        target: as on the command line.
        strict: whether each SHOULD has to hold.
    """

    def __init__(self, file: Path, target: str, strict: bool = False) -> None:
        self._file = file
        self._target = target
        self._strict = strict
        self._is_known = False

    def note(self, clause: str, failure: Failure) -> None:
        """Writes ``failure``, unless it is not the first one, or its clause need not hold."""
        if self._is_known or not must_hold(clause, self._strict):
            return
        self._is_known = True
        text = describe_failure(clause, failure.to_json(), self._target, short=True)
        # What is known early is no more than a help: the results have it in any case.
        with suppress(OSError):
            number, name = tempfile.mkstemp(dir=self._file.parent)
            with os.fdopen(number, "w", encoding="utf-8") as stream:
                stream.write(text)
            os.link(name, self._file)  # raises FileExistsError if another process was faster
