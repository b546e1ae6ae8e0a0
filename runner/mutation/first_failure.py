"""Judges an implementation by the tests of one clause until the first case fails."""

from __future__ import annotations

import time
from dataclasses import dataclass

from ...adapters.target import load
from ...spec.case import Case
from ...spec.contract import Implementation
from ...spec.precision import PRECISIONS
from ..judging.rules import Rule
from ..searching.case_judge import CaseJudge, CaseOutcome
from ..searching.checker import Checker
from ..searching.profiles import PROFILES
from ..searching.settings import Settings
from ..session.suite import runs_of

__all__ = ["SEED", "Attempt", "FirstFailure", "UntilFirstFailure", "first_failure"]

SEED = 0


@dataclass(frozen=True)
class Attempt:
    """The outcome of judging an implementation by one clause, until the first failure.

    Attributes:
        case: the line of the case that failed; None if none did.
        cases: number of cases that were judged, including the failing one.
        seconds: that they took.
    """

    case: str | None
    cases: int
    seconds: float


def first_failure(target: str, clause: str, profile: str) -> Attempt:
    """Judges ``target`` by the tests of ``clause`` until the first case that breaks it.

    Args:
        target: as for ``lstm-conformance check``, which judges the same cases.
        clause: id of a clause that can be tested.
        profile: name of a profile.

    Raises:
        UsageError: the target cannot be judged.
    """
    settings = Settings(PROFILES[profile], SEED, tuple(PRECISIONS), ("cpu",))
    planned = list(runs_of(clause, settings.profile))
    implementation = load(target)
    cases, start = 0, time.perf_counter()
    for run in planned:
        judge = UntilFirstFailure(implementation, settings, clause)
        checker = Checker(implementation, settings, run.name, (clause,), judge)
        case = None
        try:
            run.test(checker)
        except FirstFailure as failure:
            case = failure.case
        cases += judge.cases
        if case is not None:
            return Attempt(case, cases, time.perf_counter() - start)
    return Attempt(None, cases, time.perf_counter() - start)


class FirstFailure(BaseException):
    """Ends a test at its first failing case.

    It is not a subclass of Exception: Hypothesis would catch that, and start to shrink.

    Attributes:
        case: the line of that case.
    """

    def __init__(self, case: str) -> None:
        self.case = case


class UntilFirstFailure(CaseJudge):
    """Judges cases by one of the clauses of a test, and ends the test at the first failure.

    Args:
        implementation: that is judged.
        settings: how cases are judged.
        clause: id of the clause.

    Attributes:
        cases: number of cases that were judged so far.

    Raises:
        FirstFailure: from within the test.
    """

    def __init__(self, implementation: Implementation, settings: Settings, clause: str) -> None:
        super().__init__(implementation, settings)
        self._clause = clause
        self.cases = 0

    def judge(self, case: Case, rules: dict[str, Rule]) -> CaseOutcome:
        """See :class:`~lstm_conformance.runner.searching.case_judge.Judge`."""
        self.cases += 1
        own = {clause: rule for clause, rule in rules.items() if clause == self._clause}
        outcome = super().judge(case, own)
        if any(record.failures for record in outcome.records):
            raise FirstFailure(str(case))
        return outcome
