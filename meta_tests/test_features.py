"""Parts of a domain have the alternatives that no case had, or too few cases."""

from __future__ import annotations

from itertools import combinations, product
from typing import Any

from lstm_conformance.adapters.reference import ReferenceLSTM
from lstm_conformance.runner.judging.rules import close
from lstm_conformance.runner.searching.checker import Checker
from lstm_conformance.runner.searching.features import features, missing_parts, shows
from lstm_conformance.runner.searching.profiles import PROFILES
from lstm_conformance.runner.searching.settings import Settings
from lstm_conformance.spec.case import Case
from lstm_conformance.spec.contract import Observation
from lstm_conformance.spec.strategies import PLAIN, Domain
from tools.random_cases import drawn

from .helpers.drawn_cases import PassesAll
from .helpers.modified_reference import Modified

SMALLEST = Case.parse("v1 input_size=1 hidden_size=1 bias=False")
ONE_SCALE = PLAIN.but(
    dtype=("float64",),
    training=(False,),
    weight_scale=(1.0,),
    input_scale=(1.0,),
    state_scale=(1.0,),
)
VARIED = Domain(cotangents=(("output",), ("h_n", "c_n")))


def test_parts_have_what_was_never_drawn() -> None:
    """As many alternatives as go together in each part: the field with the most decides."""
    cases: list[Case] = [SMALLEST]
    asked: dict[str, set[Any]] = {}
    parts = 0
    for part in missing_parts(VARIED, cases, 10):
        cases.append(only_case_of(part))
        assert shows(VARIED, cases[-1])
        for name, value in features(cases[-1]).items():
            asked.setdefault(name, set()).add(value)
        parts += 1
    assert 4 <= parts <= 6, "weight_scale and layout have four alternatives each"
    for name, values in asked.items():
        assert values == set(getattr(VARIED, name)), name


def only_case_of(part: Domain) -> Case:
    """The smallest case of ``part``."""
    return drawn(part, 1)[0]


def test_an_alternative_is_not_visited_by_a_case_in_which_it_does_not_show() -> None:
    domain = ONE_SCALE.but(bias=(True, False))
    large = Case.parse("v1 input_size=2 hidden_size=2 bias=False seq_len=2 batch_size=2")
    assert not shows(domain, SMALLEST)
    assert shows(domain, large)
    wanted = [part.bias for part in missing_parts(domain, [SMALLEST, large], 10)]
    assert wanted[0] == (True,)
    assert (False,) not in wanted
    packed = "v1 input_size=2 hidden_size=2 seq_len=2 batch_size=2 layout=packed_sorted lengths="
    assert not shows(domain, Case.parse(packed + "2,2"))
    assert shows(domain, Case.parse(packed + "2,1"))
    equal = domain.but(seq_len=(2, 2))
    assert shows(equal, Case.parse(packed + "2,2")), "there are no others"


def test_dropout_shows_between_layers_only() -> None:
    domain = PLAIN.but(num_layers=(1, 2), dropout=("none", "one"))
    wanted = [p.num_layers for p in missing_parts(domain, [], 10) if p.dropout == ("one",)]
    assert set(wanted) == {(2,)}


def test_fields_together_are_visited_in_pairs() -> None:
    """However few cases there are."""
    names = ("num_layers", "bidirectional", "projection")
    cases: list[Case] = []
    domain = Domain(together=names)
    for part in missing_parts(domain, cases, 10):
        cases.append(only_case_of(part))
    found = [features(case) for case in cases]
    for one, other in combinations(names, 2):
        pairs = {(of_case[one], of_case[other]) for of_case in found}
        assert pairs == set(product(getattr(domain, one), getattr(domain, other)))
    assert 6 <= len(cases) <= 8


def test_nothing_is_missing_from_one_alternative() -> None:
    assert list(missing_parts(Domain(), [], 3)) == []
    assert list(missing_parts(ONE_SCALE, [SMALLEST], 60)) == []


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
