"""A progress bar that counts cases."""

from __future__ import annotations

from typing import Protocol, TextIO

__all__ = ["Progress", "ProgressShown"]


class ProgressShown(Protocol):
    """Shows how far a run has come.

    Attributes:
        tests: number of tests of the run; 0 if it is not known yet.
    """

    tests: int

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


class Progress:
    """One line that is overwritten again and again.

    Args:
        stream: a terminal.

    Attributes:
        tests: number of tests of the run; 0 if it is not known yet.
    """

    WIDTH = 30

    def __init__(self, stream: TextIO) -> None:
        self.tests = 0
        self._stream = stream
        self._done = 0
        self._cases = 0

    def advance(self, cases: int, failed: int) -> None:
        """See :class:`ProgressShown`."""
        self._done += 1
        self._cases += cases
        share = min(1.0, self._done / self.tests) if self.tests else 0.0
        bar = ("#" * round(share * self.WIDTH)).ljust(self.WIDTH, ".")
        failures = f", {failed} tests failed" if failed else ""
        self._stream.write(f"\r[{bar}] {share:4.0%}  {self._cases} cases{failures} ")
        self._stream.flush()

    def close(self) -> None:
        """Leaves the line empty."""
        self._stream.write("\r" + " " * (self.WIDTH + 50) + "\r")
        self._stream.flush()
