"""What one test found out: the part of the results that can be joined with others, or replaced."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from ..failures.failure import Failure
from ..searching.record import Record

__all__ = [
    "BROKEN_OFF",
    "CUT_SHORT",
    "FINISHED",
    "LARGEST_RATIO",
    "NOT_REACHED",
    "Part",
    "failure_as_json",
]

# How a test ended.
FINISHED, CUT_SHORT, BROKEN_OFF, NOT_REACHED = "finished", "cut short", "broken off", "not reached"

# JSON has no infinity.
LARGEST_RATIO = 1e99


@dataclass
class Part:
    """One test of a run.

    Attributes:
        clauses: that the test judges.
        state: how it ended: ``finished``; ``cut short``, as its time was over; ``broken off``,
            by a crash or an error in it; ``not reached``.
        why: it broke off.
        seconds: that it took.
        records: what it found out, one a clause; none if it never got so far.
    """

    clauses: tuple[str, ...]
    state: str = NOT_REACHED
    why: str = ""
    seconds: float = 0.0
    records: list[Record] = field(default_factory=list)

    @property
    def cases(self) -> int:
        """Verdicts on cases, of all of its clauses."""
        return sum(record.cases for record in self.records)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON, without infinities."""
        records = [_record_as_json(record) for record in self.records]
        return {**vars(self), "clauses": list(self.clauses), "records": records}

    @classmethod
    def of_json(cls, plain: dict[str, Any]) -> Part:
        """The part that :meth:`as_json` gave."""
        records = [Record.of_json(record) for record in plain["records"]]
        return cls(**{**plain, "clauses": tuple(plain["clauses"]), "records": records})


def _record_as_json(record: Record) -> dict[str, Any]:
    ratio = record.worst_ratio
    return {
        **record.as_json(),
        "worst_ratio": None if ratio is None else min(ratio, LARGEST_RATIO),
        "tensors": {
            kind: [cases, min(worst, LARGEST_RATIO)]
            for kind, (cases, worst) in record.tensors.items()
        },
        "failures": [failure_as_json(failure) for failure in record.failures],
        "waived": [failure_as_json(failure) for failure in record.waived],
    }


def failure_as_json(failure: Failure) -> dict[str, Any]:
    """``failure`` as plain JSON, in which numbers that JSON lacks are text."""
    plain = asdict(failure)
    finding = plain["finding"]
    for name in ("observed", "expected", "noise"):
        value = finding.get(name)
        if isinstance(value, float) and not math.isfinite(value):
            finding[name] = str(value)
    if finding.get("ratio") is not None:
        finding["ratio"] = min(finding["ratio"], LARGEST_RATIO)
    return plain
