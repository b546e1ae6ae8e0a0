"""How one test ended, and what it found out: a part of results that can be joined again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from ...reports.results import PartResult, State
from ..searching.record import Record

__all__ = ["BROKEN_OFF", "CUT_SHORT", "FINISHED", "NOT_REACHED", "TestOutcome"]

FINISHED: Final = "finished"
CUT_SHORT: Final = "cut short"  # its time was over before all cases were judged
BROKEN_OFF: Final = "broken off"  # by a crash, or by an error in the test
NOT_REACHED: Final = "not reached"

# Of the reason why a test broke off, in characters.
_LONGEST_REASON = 2000


@dataclass
class TestOutcome:
    """How one test ended, and what it found out.

    Attributes:
        clauses: that the test judges.
        state: how it ended.
        why: the reason why it broke off; empty if it did not.
        seconds: that it took.
        records: one for each clause; none if the test never got so far.
    """

    __test__ = False  # no test class for pytest

    clauses: tuple[str, ...]
    state: State = NOT_REACHED
    why: str = ""
    seconds: float = 0.0
    records: list[Record] = field(default_factory=list)

    @property
    def cases(self) -> int:
        """Number of verdicts on cases, of all clauses."""
        return sum(record.cases for record in self.records)

    def add(
        self,
        clauses: tuple[str, ...],
        records: Iterable[Record],
        broken_off: str,
        seconds: float,
        cut_short: bool,
    ) -> None:
        """Adds one report of the test. A test that breaks off twice has two.

        Args:
            clauses: that the test judges.
            records: that it made.
            broken_off: why it came to no verdict; empty if it did.
            seconds: that it took.
            cut_short: whether its time was over before all cases were judged.
        """
        self.clauses = tuple(dict.fromkeys((*self.clauses, *clauses)))
        self.records += records
        self.seconds += seconds
        if broken_off:
            self.state, self.why = BROKEN_OFF, broken_off[-_LONGEST_REASON:]
        elif self.state != BROKEN_OFF:
            self.state = CUT_SHORT if cut_short else FINISHED

    def to_json(self) -> PartResult:
        """The outcome as plain JSON, without infinities."""
        return {
            "clauses": list(self.clauses),
            "state": self.state,
            "why": self.why,
            "seconds": self.seconds,
            "records": [record.to_json() for record in self.records],
        }

    @classmethod
    def from_json(cls, plain: PartResult) -> TestOutcome:
        """The outcome that :meth:`to_json` wrote."""
        records = [Record.from_json(record) for record in plain["records"]]
        return cls(tuple(plain["clauses"]), plain["state"], plain["why"], plain["seconds"], records)
