"""The outcomes of all tests of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..searching.record import Record
from .test_outcome import BROKEN_OFF, CUT_SHORT, NOT_REACHED, TestOutcome

__all__ = ["Outcomes"]


class Outcomes:
    """Name of each test to its outcome.

    Args:
        tests: name of each test that is to be run, to the clauses that it judges.
        resumed: outcomes of tests that an earlier run finished.
    """

    def __init__(
        self,
        tests: Mapping[str, tuple[str, ...]] | None = None,
        resumed: Mapping[str, TestOutcome] | None = None,
    ) -> None:
        self.by_test: dict[str, TestOutcome] = dict(resumed or {})
        for test, clauses in (tests or {}).items():
            self.by_test.setdefault(test, TestOutcome(clauses))

    def __iter__(self) -> Iterator[TestOutcome]:
        # In the order of names, so that sums do not depend on the order in which tests ended.
        return iter(outcome for _, outcome in sorted(self.by_test.items()))

    def of(self, test: str) -> TestOutcome:
        """The outcome of a test, which is added if it was not expected."""
        return self.by_test.setdefault(test, TestOutcome(()))

    def keep_longer(self, earlier: Mapping[str, TestOutcome]) -> None:
        """Takes the outcome of an earlier run of a test that was cut short, if it got further.

        The same cases are drawn in the same order, so the outcome with more cases has all cases of
        the other one.
        """
        for name, before in earlier.items():
            now = self.by_test[name]
            if now.state in (CUT_SHORT, NOT_REACHED) and now.cases < before.cases:
                self.by_test[name] = before

    @property
    def clauses(self) -> set[str]:
        """Ids of the clauses that any of the tests judges."""
        return {clause for outcome in self for clause in outcome.clauses}

    @property
    def records(self) -> dict[str, Record]:
        """Clause to the sum of its records; no clause without a record."""
        by_clause: dict[str, list[Record]] = {}
        for outcome in self:
            for record in outcome.records:
                by_clause.setdefault(record.clause, []).append(record)
        return {clause: Record.sum(clause, records) for clause, records in by_clause.items()}

    def in_state(self, *states: str) -> list[TestOutcome]:
        """The outcomes in any of the states."""
        return [outcome for outcome in self if outcome.state in states]

    @property
    def unfinished(self) -> list[TestOutcome]:
        """The outcomes of tests that did not come to their end."""
        return self.in_state(NOT_REACHED, CUT_SHORT, BROKEN_OFF)

    @property
    def unseen_clauses(self) -> set[str]:
        """Ids of the clauses that have a test which was not reached, or was cut short."""
        return {c for outcome in self.in_state(NOT_REACHED, CUT_SHORT) for c in outcome.clauses}

    @property
    def broken_off_clauses(self) -> dict[str, str]:
        """Id of each clause that has a test which broke off, to the reason."""
        return {c: outcome.why for outcome in self.in_state(BROKEN_OFF) for c in outcome.clauses}
