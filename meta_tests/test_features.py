"""Every alternative of a domain is visited, whatever Hypothesis draws."""

from __future__ import annotations

from itertools import combinations, product
from typing import Any

import pytest

from lstm_conformance.adapters.reference import ReferenceLSTM
from lstm_conformance.runner.judging.rules import Rule, close
from lstm_conformance.runner.searching.case_judge import CaseOutcome
from lstm_conformance.runner.searching.checker import Checker
from lstm_conformance.runner.searching.features import features, missing_parts, strength_for
from lstm_conformance.runner.searching.profiles import PROFILES
from lstm_conformance.runner.searching.record import Record
from lstm_conformance.runner.searching.settings import Settings
from lstm_conformance.runner.session.suite import all_tests, clauses_of
from lstm_conformance.spec.capabilities import ALL
from lstm_conformance.spec.case import Case
from lstm_conformance.spec.contract import Observation
from lstm_conformance.spec.precision import PRECISIONS
from lstm_conformance.spec.strategies import PLAIN, Domain

from .helpers.modified_reference import Modified

SMALLEST = Case.parse("v1 input_size=1 hidden_size=1 bias=False")
VARIED = Domain(cotangents=(("output",), ("h_n", "c_n")))


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


class Watched(Checker):
    """Notes each domain, and the cases that were drawn from it."""

    def __init__(self, test: str, clauses: tuple[str, ...], profile: str) -> None:
        settings = Settings(PROFILES[profile], 0, tuple(PRECISIONS), ("cpu",))
        self.judge = PassesAll()
        super().__init__(Everything(), settings, test, clauses, self.judge)
        self.domains: list[tuple[Domain, list[Case], int]] = []

    def forall(
        self,
        domain: Domain,
        rule: Rule,
        at_most: int | None = None,
        shrink: bool = True,
        share_stack: bool = True,
    ) -> None:
        before = len(self.judge.cases)
        super().forall(domain, rule, at_most, shrink, share_stack)
        examples = min(self.settings.profile.per_clause, at_most or 10**6)
        self.domains.append((domain, self.judge.cases[before:], examples))


def unvisited(domain: Domain, cases: list[Case], strength: int) -> list[dict[str, Any]]:
    """Choices of alternatives that no case has; counted in another way than in the product."""
    found = [features(case) for case in cases]
    fields = [name for name in found[0] if len(getattr(domain, name)) > 1]
    return [
        wanted
        for chosen in combinations(fields, strength)
        for values in product(*(getattr(domain, name) for name in chosen))
        if not any(
            (wanted := dict(zip(chosen, values, strict=True))).items() <= one.items()
            for one in found
        )
    ]


def impossible(wanted: dict[str, Any], domain: Domain) -> bool:
    return wanted.get("state_scale", 1.0) != 1.0 and not (
        wanted.get("states", True) and True in domain.states
    )


def check_every_test(profile: str) -> None:
    added = total = 0
    for name, test in all_tests().items():
        clauses = clauses_of(test)
        marks = {mark.name for mark in getattr(test, "pytestmark", [])}
        if not clauses or "parametrize" in marks or "combination" in name:
            continue
        watched = Watched(test.__name__, clauses, profile)
        test(watched)
        for domain, cases, examples in watched.domains:
            missing = unvisited(domain, cases, strength_for(examples)) if cases else []
            if strength_for(examples):
                assert [m for m in missing if m and not impossible(m, domain)] == [], name
            added += max(0, len(cases) - examples)
            total += examples
    assert added < 0.25 * total


def test_each_alternative_is_visited_in_smoke() -> None:
    check_every_test("smoke")


@pytest.mark.whole
def test_each_pair_of_alternatives_is_visited_by_default() -> None:
    check_every_test("default")


def test_parts_have_what_was_never_drawn() -> None:
    """As many alternatives as go together in each part: the field with the most decides."""
    parts = list(missing_parts(VARIED, [SMALLEST], 1))
    assert len(parts) == 3, "weight_scale and layout have three more alternatives each"
    asked: dict[str, set[Any]] = {}
    for part in parts:
        for name, values in vars(part).items():
            if values != getattr(VARIED, name):
                asked.setdefault(name, set()).update(values)
    smallest = features(SMALLEST)
    for name, values in asked.items():
        possible = set(getattr(VARIED, name))
        assert {*values, smallest[name]} & possible == possible, name
    several = {n for n in smallest if len(getattr(VARIED, n)) > 1}
    assert asked.keys() == several


def test_what_was_added_is_not_asked_for_again() -> None:
    cases: list[Case] = [SMALLEST]
    parts = missing_parts(VARIED, cases, 1)
    next(parts)
    for layout, scale in (("unbatched", 0.5), ("packed_sorted lengths=1", 3.0)):
        line = f"v1 input_size=1 hidden_size=1 layout={layout} weight_scale={scale}"
        cases.append(Case.parse(line))
    asked = [part.weight_scale for part in parts]
    assert (0.5,) not in asked
    assert (3.0,) not in asked


def test_nothing_is_missing_from_one_alternative() -> None:
    assert list(missing_parts(PLAIN.but(dtype=("float64",)), [SMALLEST], 0)) == []
    only = PLAIN.but(
        dtype=("float64",), weight_scale=(1.0,), input_scale=(1.0,), state_scale=(1.0,)
    )
    assert list(missing_parts(only, [SMALLEST], 2)) == []


def test_an_added_case_can_fail() -> None:
    """Of so many alternatives, ten examples cannot have all."""
    scales = tuple(1 + k / 16 for k in range(15))
    domain = PLAIN.but(dtype=("float64",), weight_scale=scales)
    settings = Settings(PROFILES["smoke"], 0, ("float64",), ("cpu",))
    judge = PassesAll()
    Checker(ReferenceLSTM(), settings, "t", ["EQ-4"], judge).forall(domain, close("output"))
    assert {case.weight_scale for case in judge.cases} == set(scales)
    added = judge.cases[-1].weight_scale

    def raising(case: Case, observation: Observation) -> Observation:
        if case.weight_scale == added:
            raise RuntimeError
        return observation

    checker = Checker(Modified(raising), settings, "t", ["EQ-4"])
    checker.forall(domain, close("output"))
    assert checker.records["EQ-4"].failures
