"""The verdicts on a case, on a clause, and the words for them in results."""

from __future__ import annotations

from typing import Final, Literal

__all__ = [
    "BROKEN",
    "ERROR",
    "FAIL",
    "INCONCLUSIVE",
    "NOT_TESTED",
    "PASS",
    "UNSUPPORTED",
    "WAIVED",
    "Verdict",
]

Verdict = Literal["pass", "fail", "error", "unsupported", "inconclusive", "waived", "not tested"]

PASS: Final = "pass"
FAIL: Final = "fail"  # a result is wrong
ERROR: Final = "error"  # the implementation raised or crashed, or the test itself did
UNSUPPORTED: Final = "unsupported"  # the implementation does not declare what the case needs
INCONCLUSIVE: Final = "inconclusive"  # rounding noise is too large to tell
WAIVED: Final = "waived"  # fails as a known deviation says
NOT_TESTED: Final = "not tested"

# The verdicts that show a mistake.
BROKEN: tuple[Verdict, ...] = (FAIL, ERROR)
