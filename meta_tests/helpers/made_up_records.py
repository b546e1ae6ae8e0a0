"""Records made up for a session that judges three clauses of the reference."""

from __future__ import annotations

from typing import Any

from lstm_conformance.adapters.reference import ReferenceLSTM
from lstm_conformance.runner.failures.failure import Failure
from lstm_conformance.runner.judging.known_deviations import Deviation
from lstm_conformance.runner.searching.checker import Settings
from lstm_conformance.runner.searching.profiles import PROFILES
from lstm_conformance.runner.searching.record import Record
from lstm_conformance.runner.session.session import JudgingSession
from lstm_conformance.spec.precision import PRECISIONS

CLAUSES = ("EQ-1", "EQ-2", "COMB-1")
CASE = "v1 input_size=1 hidden_size=1"
KNOWN = Deviation(("EQ-1",), "The gates are in another order.", "https://example.org/1")


def session(*known: Deviation) -> JudgingSession:
    """A session that judges the three clauses, with these known deviations."""
    settings = Settings(PROFILES["smoke"], 0, tuple(PRECISIONS), ("cpu",), deviations=known)
    return JudgingSession("reference", ReferenceLSTM(), settings, CLAUSES, {}, None, None)


def passed(clause: str, **changes: Any) -> dict[str, Any]:
    """The record of a clause that passed, as JSON; ``changes`` replace its fields."""
    return {**Record(clause, verdicts={"pass": 3}, worst_ratio=1.5).as_json(), **changes}


def known_to_fail(**changes: Any) -> dict[str, Any]:
    """The record of EQ-1 whose one failure is the known deviation, as JSON."""
    failure = Failure("fail", CASE, CASE, {"tensor": "h_n", "index": None, "message": "shape"})
    record = Record("EQ-1", {"waived": 1}, waived=[failure], deviations={"0": (1, 1)})
    return {**record.as_json(), **changes}
