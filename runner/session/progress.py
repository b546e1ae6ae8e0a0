"""Shows how far a run has come: a bar on a terminal, and each failure as it is found."""

from __future__ import annotations

import shutil
from typing import Protocol, TextIO

from ...reports.escaping import one_line, printable, shortened
from ...spec.clean_text import counted

__all__ = ["FailureLines", "Progress", "ProgressShown"]

# So many failures are shown as they are found. A thoroughly wrong LSTM has hundreds.
_SHOWN_FAILURES = 10


class ProgressShown(Protocol):
    """Shows how far a run has come."""

    def start(self, tests: int) -> None:
        """Begins with a run of so many tests; 0 if the number is not known yet."""
        ...

    def begin(self, test: str) -> None:
        """Is told of a test that begins, by its file and name."""
        ...

    def found(self, clause: str, text: str) -> None:
        """Is told, in a few lines, of a failure that breaks ``clause``."""
        ...

    def advance(self, cases: int, failed: int) -> None:
        """Counts one more test.

        Args:
            cases: number of cases that it judged.
            failed: number of tests that have failed so far.
        """
        ...

    def close(self) -> None:
        """Is called at the end of the run."""
        ...


class FailureLines:
    """Prints the first failure of each clause, and nothing else.

    Args:
        stream: that need be no terminal.

    Attributes:
        clauses: those of which a failure was found.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.clauses: set[str] = set()

    def start(self, tests: int) -> None:
        """See :class:`ProgressShown`."""

    def begin(self, test: str) -> None:
        """See :class:`ProgressShown`."""

    def found(self, clause: str, text: str) -> None:
        """See :class:`ProgressShown`."""
        if clause in self.clauses:
            return
        self.clauses.add(clause)
        if len(self.clauses) > _SHOWN_FAILURES + 1:
            return
        if len(self.clauses) > _SHOWN_FAILURES:
            text = "More clauses are broken. The report at the end has them."
        self._stream.write(f"{printable(text)}\n")
        self._stream.flush()

    def advance(self, cases: int, failed: int) -> None:
        """See :class:`ProgressShown`."""

    def close(self) -> None:
        """See :class:`ProgressShown`."""


class Progress:
    """One line that is overwritten again and again, and above it the failures.

    Args:
        stream: a terminal.
        failures: whether they are shown.
    """

    WIDTH = 20

    def __init__(self, stream: TextIO, failures: bool = True) -> None:
        self._stream = stream
        self._lines = FailureLines(stream) if failures else None
        self._tests = self._done = self._cases = self._failed = 0
        self._test = ""
        self._shown = 0  # characters of the line

    @property
    def clauses(self) -> set[str]:
        """Those of which a failure was found and shown."""
        return set() if self._lines is None else self._lines.clauses

    def start(self, tests: int) -> None:
        """See :class:`ProgressShown`."""
        self._tests, self._done, self._test = tests, 0, "starting"
        self._draw()

    def begin(self, test: str) -> None:
        """See :class:`ProgressShown`."""
        self._test = test.rpartition(".")[2]
        self._draw()

    def found(self, clause: str, text: str) -> None:
        """See :class:`ProgressShown`."""
        if self._lines is not None:
            self._erase()
            self._lines.found(clause, text)
            self._draw()

    def advance(self, cases: int, failed: int) -> None:
        """See :class:`ProgressShown`."""
        self._done += 1
        self._cases += cases
        self._failed = failed
        self._draw()

    def close(self) -> None:
        """Leaves the line empty, and another one below failures."""
        self._erase()
        if self.clauses:
            self._stream.write("\n")

    def _line(self) -> str:
        share = min(1.0, self._done / self._tests) if self._tests else 0.0
        bar = ("#" * round(share * self.WIDTH)).ljust(self.WIDTH, ".")
        failures = f", {self._failed} failed" if self._failed else ""
        cases = counted(self._cases, "case")
        return f"[{bar}] {share:4.0%}  {cases}{failures}  {one_line(self._test)}"

    def _draw(self) -> None:
        # A line that fills the terminal would begin a second one.
        line = shortened(self._line(), shutil.get_terminal_size().columns - 1)
        self._stream.write(f"\r{line.ljust(self._shown)}")
        self._stream.flush()
        self._shown = len(line)

    def _erase(self) -> None:
        self._stream.write("\r" + " " * self._shown + "\r")
        self._stream.flush()
        self._shown = 0
