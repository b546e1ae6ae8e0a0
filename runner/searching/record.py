"""What one test found out about one clause, as it travels between processes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ...reports.results import RecordResult
from ...spec.ratios import LARGEST_RATIO
from ...spec.verdicts import Verdict
from ..failures.failure import Failure
from .statistics import Statistics

__all__ = ["Record"]


@dataclass
class Record:
    """What one test found out about one clause.

    Attributes:
        clause: its id.
        verdicts: number of cases with each verdict; cases that were tried while shrinking do not
            count.
        statistics: errors over rounding noise of these cases.
        reasons: why cases were unsupported or not tested, and how many.
        lacking: capabilities that cases of the clause may need and the implementation lacks.
            Cases without them were drawn instead.
        failures: the smallest failing case of each search.
        waived: the smallest case of each search that fails as a known deviation says.
        deviations: index of each known deviation, as text, to the number of cases to which it
            applies and the number of those that failed.
        combinations: each parameter combination that was tried, to the reason why it was left
            out; empty if it was visited.
        sizes: the sizes of each case of chapter SIZE, to the reason why it was left out; empty if
            it was judged.
        seconds: spent inside the implementation.
    """

    clause: str
    verdicts: dict[Verdict, int] = field(default_factory=dict)
    statistics: Statistics = field(default_factory=Statistics)
    reasons: dict[str, int] = field(default_factory=dict)
    lacking: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    waived: list[Failure] = field(default_factory=list)
    deviations: dict[str, tuple[int, int]] = field(default_factory=dict)
    combinations: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def cases(self) -> int:
        """Number of cases with a verdict of any kind."""
        return sum(self.verdicts.values())

    def count(self, verdict: Verdict, reason: str = "") -> None:
        """Adds one case with ``verdict``."""
        self.verdicts[verdict] = self.verdicts.get(verdict, 0) + 1
        if reason:
            self.reasons[reason] = self.reasons.get(reason, 0) + 1

    def count_deviation(self, index: str, judged: int, failed: int) -> None:
        """Adds cases to which the known deviation at ``index`` applies."""
        before = self.deviations.get(index, (0, 0))
        self.deviations[index] = (before[0] + judged, before[1] + failed)

    def add(self, other: Record) -> None:
        """Adds all counts and measurements of ``other``, without its failures."""
        for verdict, number in other.verdicts.items():
            self.verdicts[verdict] = self.verdicts.get(verdict, 0) + number
        for reason, number in other.reasons.items():
            self.reasons[reason] = self.reasons.get(reason, 0) + number
        self.statistics.add(other.statistics)
        for index, (judged, failed) in other.deviations.items():
            self.count_deviation(index, judged, failed)
        self.lacking = sorted({*self.lacking, *other.lacking})
        self.combinations.update(other.combinations)
        for sizes, reason in other.sizes.items():
            self.note_sizes(sizes, reason)
        self.seconds += other.seconds

    @classmethod
    def sum(cls, clause: str, records: Iterable[Record]) -> Record:
        """One record with the cases and the failures of all ``records``."""
        total = cls(clause)
        for record in records:
            total.add(record)
            total.failures += record.failures
            total.waived += record.waived
        return total

    def note_sizes(self, sizes: str, reason: str) -> None:
        """Notes why no case of ``sizes`` was judged; an empty reason says that one was."""
        if self.sizes.get(sizes) != "":
            self.sizes[sizes] = reason

    def to_json(self) -> RecordResult:
        """The record as plain JSON, without infinities."""
        found = self.statistics
        worst = found.worst_ratio
        return {
            "clause": self.clause,
            "verdicts": self.verdicts,
            "worst_ratio": None if worst is None else min(worst, LARGEST_RATIO),
            "tensors": {
                kind: [cases, min(ratio, LARGEST_RATIO)]
                for kind, (cases, ratio) in found.tensors.items()
            },
            "histograms": found.histograms,
            "reasons": self.reasons,
            "lacking": self.lacking,
            "failures": [failure.to_json() for failure in self.failures],
            "waived": [failure.to_json() for failure in self.waived],
            "deviations": {index: list(counts) for index, counts in self.deviations.items()},
            "combinations": self.combinations,
            "sizes": self.sizes,
            "seconds": self.seconds,
        }

    @classmethod
    def from_json(cls, plain: RecordResult) -> Record:
        """The record that :meth:`to_json` wrote."""
        statistics = Statistics(
            plain["worst_ratio"],
            {kind: (int(cases), ratio) for kind, (cases, ratio) in plain["tensors"].items()},
            {kind: dict(histogram) for kind, histogram in plain["histograms"].items()},
        )
        return cls(
            plain["clause"],
            dict(plain["verdicts"]),
            statistics,
            dict(plain["reasons"]),
            list(plain["lacking"]),
            [Failure.from_json(failure) for failure in plain["failures"]],
            [Failure.from_json(failure) for failure in plain["waived"]],
            {index: (judged, failed) for index, (judged, failed) in plain["deviations"].items()},
            dict(plain["combinations"]),
            dict(plain["sizes"]),
            plain["seconds"],
        )
