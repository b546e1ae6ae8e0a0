"""The verdicts on a case and on a clause, as results name them."""

from __future__ import annotations

from typing import Final, Literal

__all__ = [
    "BROKEN",
    "ERROR",
    "FAIL",
    "INCONCLUSIVE",
    "NOT_TESTED",
    "PASS",
    "UNEXPLAINED",
    "UNSUPPORTED",
    "WAIVED",
    "Verdict",
]

Verdict = Literal["pass", "fail", "error", "unsupported", "inconclusive", "waived", "not tested"]

PASS: Final = "pass"
FAIL: Final = "fail"  # a result is wrong
ERROR: Final = "error"  # the implementation or the test raised an exception or crashed
UNSUPPORTED: Final = "unsupported"  # the implementation does not declare what the case needs
INCONCLUSIVE: Final = "inconclusive"  # the case proves nothing, for example in much noise
WAIVED: Final = "waived"  # broken, and listed as a known deviation
NOT_TESTED: Final = "not tested"  # not selected, or not reached

# The verdicts that mean that a clause is broken.
BROKEN: tuple[Verdict, ...] = (FAIL, ERROR)

# The reason of an inconclusive case in which values are wrong because of another clause.
UNEXPLAINED = "wrong, but not in the way that this clause is about"
