"""The cases that the tests of the suite draw. Nothing is run."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from lstm_conformance.adapters.reference import ReferenceLSTM
from lstm_conformance.runner.judging.rules import Rule
from lstm_conformance.runner.searching.case_judge import CaseOutcome
from lstm_conformance.runner.searching.checker import Checker
from lstm_conformance.runner.searching.profiles import PROFILES
from lstm_conformance.runner.searching.record import Record
from lstm_conformance.runner.searching.settings import Settings
from lstm_conformance.runner.session.suite import runs_of
from lstm_conformance.spec.capabilities import ALL
from lstm_conformance.spec.case import Case
from lstm_conformance.spec.precision import PRECISIONS
from lstm_conformance.spec.strategies import Domain

__all__ = ["Everything", "PassesAll", "Searched", "drawn_cases", "searches"]


class Everything(ReferenceLSTM):
    """It declares every capability, and is not run."""

    capabilities = ALL


class PassesAll:
    """A judge that runs nothing."""

    def __init__(self) -> None:
        self.cases: list[Case] = []

    def prepare(self, cases: Any) -> None:
        """Nothing."""

    def judge(self, case: Case, rules: dict[str, Rule]) -> CaseOutcome:
        self.cases.append(case)
        return CaseOutcome([Record(clause, {"pass": 1}) for clause in rules])

    def diagnose(self, diagnostician: Any, clause: Any, failure: Any, evidence: Any) -> Any:
        return failure


class Searched(NamedTuple):
    """A domain of a test.

    Attributes:
        domain: from which cases were drawn.
        cases: that were drawn.
        examples: the number of cases that were asked for.
    """

    domain: Domain
    cases: list[Case]
    examples: int


class _Watched(Checker):
    """Notes each domain, and the cases that were drawn from it."""

    def __init__(self, test: str, clauses: tuple[str, ...], profile: str, seed: int) -> None:
        settings = Settings(PROFILES[profile], seed, tuple(PRECISIONS), ("cpu",))
        self.judge = PassesAll()
        super().__init__(Everything(), settings, test, clauses, self.judge)
        self.searched: list[Searched] = []

    def _draw(
        self, clause: str, domain: Domain, rule: Rule, at_most: int | None, *more: Any
    ) -> None:
        before = len(self.judge.cases)
        super()._draw(clause, domain, rule, at_most, *more)
        per_clause = self.settings.profile.per_clause
        examples = per_clause if at_most is None else min(per_clause, at_most)
        self.searched.append(Searched(domain, self.judge.cases[before:], examples))


@cache
def searches(clause: str, profile: str, seed: int = 0) -> tuple[Searched, ...]:
    """The domains of the tests of ``clause``; none for cases of all combinations or sizes."""
    return tuple(one for watched in _watched(clause, profile, seed) for one in watched.searched)


@cache
def drawn_cases(clause: str, profile: str, seed: int = 0) -> tuple[Case, ...]:
    """The cases of the tests of ``clause``."""
    return tuple(c for watched in _watched(clause, profile, seed) for c in watched.judge.cases)


@cache
def _watched(clause: str, profile: str, seed: int) -> tuple[_Watched, ...]:
    found = []
    for run in runs_of(clause, PROFILES[profile]):
        watched = _Watched(run.name, run.clauses, profile, seed)
        run.test(watched)
        found.append(watched)
    return tuple(found)
