"""A progress bar that counts cases."""

from __future__ import annotations

from typing import TextIO

__all__ = ["Progress"]


class Progress:
    """One line that is written over and over.

    Args:
        stream: where it is written; only to be used on a terminal.
        tests: how many tests there will be, 0 if that is not known.
    """

    WIDTH = 30

    def __init__(self, stream: TextIO, tests: int = 0) -> None:
        self.tests = tests
        self._stream = stream
        self._done = 0
        self._cases = 0

    def advance(self, cases: int, failed: int) -> None:
        """One more test is done, in which ``cases`` were judged; ``failed`` tests in all."""
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
