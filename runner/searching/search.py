"""The smallest failure that a search through one domain has found."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ..failures.diagnosis import Evidence
from ..failures.failure import Failure
from .case_judge import CaseOutcome

__all__ = ["COST_OF_A_PROCESS", "Search"]

# A process that hung was waited for, and starting another one takes as long as many cases. While
# shrinking, a case that broke its process counts as so many.
COST_OF_A_PROCESS = 10


@dataclass
class Search:
    """The smallest failure of each clause so far.

    Attributes:
        smallest: clause to its smallest failure.
        waived: clause to the smallest failure that is a known deviation.
        evidence: clause to the lines of the first and the smallest failing case, and their
            evidence.
        seconds: line of each failing case to the seconds that judging it took.
        shrunk: number of cases that were tried after the first failure, to find a smaller one.
    """

    smallest: dict[str, Failure] = field(default_factory=dict)
    waived: dict[str, Failure] = field(default_factory=dict)
    evidence: dict[str, dict[str, Evidence]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    shrunk: int = 0
    _first: str = ""

    @property
    def is_shrinking(self) -> bool:
        """Whether a failure was found, so that further cases only make it smaller."""
        return bool(self.smallest)

    def add(self, outcome: CaseOutcome, seconds: float) -> None:
        """Keeps the failures of one more case. Known deviations break no clause.

        Args:
            outcome: of the case.
            seconds: that judging it took.
        """
        self.shrunk += self.is_shrinking
        self.shrunk += COST_OF_A_PROCESS * outcome.broke_process
        for record in outcome.records:
            for failure in record.failures:
                self.seconds[failure.case] = seconds
                self._add(record.clause, failure, outcome.evidence.get(record.clause))
            for failure in record.waived:
                _keep_smaller(self.waived, record.clause, failure)

    def _add(self, clause: str, failure: Failure, evidence: Evidence | None) -> None:
        self._first = self._first or failure.case
        known = self.evidence.setdefault(clause, {})
        if evidence is not None:
            known.setdefault(failure.case, evidence)
        _keep_smaller(self.smallest, clause, replace(failure, first_case=self._first))
        # Evidence holds arrays. A diagnosis needs that of two cases.
        needed = self._first, self.smallest[clause].case
        self.evidence[clause] = {line: e for line, e in known.items() if line in needed}


def _keep_smaller(found: dict[str, Failure], clause: str, failure: Failure) -> None:
    known = found.get(clause)
    if known is None or failure.size < known.size:
        found[clause] = failure
