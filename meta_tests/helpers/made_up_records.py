"""Made-up records of a run that judges three clauses of the reference."""

from __future__ import annotations

from typing import Any

from lstm_conformance.runner.failures.failure import Failure
from lstm_conformance.runner.judging.comparison import Finding
from lstm_conformance.runner.judging.known_deviations import Deviation
from lstm_conformance.runner.searching.record import Record
from lstm_conformance.runner.searching.statistics import Statistics
from lstm_conformance.runner.session.options import Options

from .sessions import CASE, Run, run_of

__all__ = ["CASE", "CLAUSES", "FINDING", "KNOWN", "known_to_fail", "passed", "session"]

CLAUSES = ("EQ-1", "EQ-2", "COMB-1")
KNOWN = Deviation(("EQ-1",), "The gates are in another order.", "https://example.org/1")
FINDING = Finding("h_n", "fail", message="shape")


def session(
    *known: Deviation,
    planned: bool = False,
    clauses: tuple[str, ...] = CLAUSES,
    strict: bool = False,
) -> Run:
    """A run that judges the three clauses, with these known deviations."""
    options = Options(target="reference", profile="smoke", seed=0, clauses=clauses, strict=strict)
    return run_of(options, known=known, planned=planned)


def passed(clause: str, **changes: Any) -> dict[str, Any]:
    """The record of a clause that passed, as JSON; ``changes`` replace its fields."""
    record = Record(clause, {"pass": 3}, Statistics(worst_ratio=1.5))
    return {**record.to_json(), **changes}


def known_to_fail(**changes: Any) -> dict[str, Any]:
    """The record of EQ-1 whose one failure is the known deviation, as JSON."""
    failure = Failure("fail", CASE, CASE, FINDING)
    record = Record("EQ-1", {"waived": 1}, waived=[failure], deviations={"0": (1, 1)})
    return {**record.to_json(), **changes}
