"""The cases of each clause have what the clause is about, whatever Hypothesis draws.

``tox -e oldest-hypothesis`` runs this module with the oldest Hypothesis that is supported.
"""

from __future__ import annotations

import importlib
from dataclasses import replace
from itertools import combinations, product
from typing import Any

import hypothesis
import pytest
from packaging.version import Version

from lstm_conformance.runner.searching import checker
from lstm_conformance.runner.searching.features import features, outside, shows
from lstm_conformance.spec.case import Case
from lstm_conformance.spec.clauses import TESTABLE
from lstm_conformance.spec.config import LSTMConfig
from lstm_conformance.spec.strategies import Domain, FirstSupported

from .helpers import drawn_cases as helper
from .helpers.drawn_cases import drawn_cases, searches
from .helpers.needed_features import FEATURES, NEEDED, needs_of, too_few
from .helpers.selection import elsewhere

PLAIN = Case(LSTMConfig(2, 3), seq_len=4, batch_size=2)

# Others than the one of a default run are for a schedule.
SEEDS = [0, *map(elsewhere, (1, 2, 3))]


# ---------------------------------------------------------------- features of a clause


def test_the_table_has_every_clause_and_no_unknown_feature() -> None:
    assert set(NEEDED) == set(TESTABLE)
    for clause in NEEDED:
        for _, names in needs_of(clause):
            assert names, clause
            assert set(names) <= set(FEATURES), clause


def all_too_few(profile: str, seed: int) -> list[str]:
    return [
        sentence
        for clause in NEEDED
        for sentence in too_few(clause, needs_of(clause), drawn_cases(clause, profile, seed))
    ]


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_cases_of_smoke_have_what_their_clauses_need(seed: int) -> None:
    assert all_too_few("smoke", seed) == []


@pytest.mark.whole
@pytest.mark.parametrize("seed", range(4))
def test_cases_by_default_have_what_their_clauses_need(seed: int) -> None:
    assert all_too_few("default", seed) == []


# -------------------------------------------------------------- alternatives of a domain


def unvisited(
    domain: Domain, cases: list[Case], strength: int, without: str = "nothing"
) -> list[dict[str, Any]]:
    """Choices of alternatives that no case has; counted in another way than in the product.

    Of fields whose names do not contain ``without``.
    """
    found = [features(case) for case in cases]
    values = {name: getattr(domain, name) for name in found[0] if without not in name}
    fields = [n for n, v in values.items() if len(v) > 1 and not isinstance(v, FirstSupported)]
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
    """Only given states have a scale; with dropout, the mode follows from its kind."""
    kinds = (wanted["dropout"],) if "dropout" in wanted else domain.dropout
    modes = {
        m for kind in kinds for m in (domain.training if kind == "none" else (kind != "eval",))
    }
    has_states = wanted.get("states", True) and True in domain.states
    scaled = wanted.get("state_scale", 1.0) != 1.0
    return (scaled and not has_states) or ("training" in wanted and wanted["training"] not in modes)


def check_every_domain(profile: str) -> None:
    added = total = 0
    for clause in TESTABLE:
        for domain, cases, examples in searches(clause, profile):
            shown = [case for case in cases if shows(domain, case)]
            missing = unvisited(domain, shown, 1) if examples >= 4 else []
            if examples >= 50:
                missing += unvisited(domain, cases, 2)
            elif examples >= 8 and profile == "default":
                missing += unvisited(domain, cases, 2, without="scale")
            assert [m for m in missing if m and not impossible(m, domain)] == [], clause
            added += len(cases) - examples
            total += examples
    # What is added costs time. Old versions of Hypothesis draw the same case more often.
    is_old = Version(hypothesis.__version__) < Version("6.150")
    assert 0 <= added < (0.3 if is_old else 0.2) * total


@pytest.mark.slow
def test_each_alternative_is_visited_in_smoke() -> None:
    check_every_domain("smoke")


@pytest.mark.whole
def test_each_pair_of_alternatives_is_visited_by_default() -> None:
    check_every_domain("default")


@pytest.mark.slow
def test_no_case_is_outside_of_its_domain() -> None:
    for clause in TESTABLE:
        for domain, cases, _ in searches(clause, "smoke"):
            assert [case for case in cases if outside(domain, case) is not None] == [], clause


def test_a_case_that_lacks_what_the_clause_is_about_is_outside() -> None:
    assert outside(Domain(states=(True,)), PLAIN) == (
        "the case has states False, and the clause is about True"
    )
    assert outside(Domain(layout=("packed_sorted", "packed_unsorted")), PLAIN) is not None
    assert outside(Domain(num_layers=(2, 3)), PLAIN) is not None
    assert outside(Domain(seq_len=(5, 8)), replace(PLAIN, seq_len=4)) is not None
    assert outside(Domain(), replace(PLAIN, seq_len=400, dtype="float16")) is None


def test_a_case_that_has_what_the_clause_is_not_about_is_outside() -> None:
    assert outside(Domain(bidirectional=(True,)), PLAIN) == (
        "the clause is not about cases with bidirectional=False"
    )
    assert outside(Domain(num_layers=(1,)), two_layers()) is not None
    assert outside(Domain(num_layers=(2, 3)), two_layers()) is None
    assert outside(Domain(batch_first=(True,)), PLAIN) is not None
    assert outside(Domain(batch_size=(0, 0)), PLAIN) is not None
    assert outside(Domain(hidden_size=(7, 7)), PLAIN) is not None
    assert outside(Domain(dropout=("none",), training=(not PLAIN.training,)), PLAIN) is not None
    packed = replace(PLAIN, layout="packed_sorted", seq_len=3, batch_size=2, lengths=(3, 3))
    assert outside(Domain(unequal_lengths=True), packed) is not None
    assert outside(Domain(), packed) is None


def test_a_case_without_the_cotangents_or_values_of_the_clause_is_outside() -> None:
    both = Domain(cotangents=(("output", "h_n"),))
    assert outside(both, replace(PLAIN, cotangents=("output",))) == (
        "the clause is about gradients with cotangents of output and h_n"
    )
    assert outside(both, replace(PLAIN, cotangents=("output", "h_n", "c_n"))) is None
    assert outside(Domain(dtype=("bfloat16",)), PLAIN) is not None
    assert outside(Domain(dtype=("float16", "float64")), replace(PLAIN, dtype="float32"))
    assert outside(Domain(weight_scale=(30.0, 300.0)), PLAIN) is not None
    assert outside(Domain(weight_scale=(0.5, 2.0)), replace(PLAIN, weight_scale=1.5)) is None
    states = replace(PLAIN, states=True)
    assert outside(Domain(states=(True,), state_scale=(0.0,)), states) is not None


def two_layers() -> Case:
    return replace(PLAIN, config=replace(PLAIN.config, num_layers=2))


# ------------------------------------------------------------------------ planted defects


@pytest.fixture
def _drawn_anew() -> Any:
    """Draws cases in a test, and again after it."""

    def forget() -> None:
        for function in (helper.searches, helper.drawn_cases, helper._watched):
            function.cache_clear()

    forget()
    yield
    forget()


@pytest.mark.usefixtures("_drawn_anew")
@pytest.mark.parametrize(
    ("clause", "module", "name", "changes", "said"),
    [
        ("USE-36", "use", "PACKED", {"projection": (False,)}, "unequal, projection"),
        ("USE-34", "use", "EQUAL_LENGTHS", {"seq_len": (1, 8)}, "equal, float32, no-projection"),
        ("DIR-2", "directions", "ONE_LAYER", {"seq_len": (1, 1)}, "directions, steps"),
        ("PACK-8", "packed", "PACKED", {"unequal_lengths": False}, "packed, rows, unequal"),
        ("GRAD-4", "gradients", "BATCHED", {"num_layers": (1,)}, "layers, steps, sizes"),
    ],
)
def test_a_domain_that_loses_a_feature_is_reported(
    clause: str,
    module: str,
    name: str,
    changes: dict[str, Any],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert too_few(clause, needs_of(clause), drawn_cases(clause, "smoke")) == []
    for function in (helper.searches, helper.drawn_cases, helper._watched):
        function.cache_clear()
    tests = importlib.import_module(f"lstm_conformance.tests.test_{module}")
    monkeypatch.setattr(tests, name, getattr(tests, name).but(**changes))
    sentences = too_few(clause, needs_of(clause), drawn_cases(clause, "smoke"))
    assert any(s.startswith(f"{clause}: ") and f" cases have {said}; " in s for s in sentences)


@pytest.mark.usefixtures("_drawn_anew")
def test_what_is_left_to_the_draw_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checker, "missing_parts", lambda *_: iter(()))
    few = [
        c
        for c in ("GRAD-1", "USE-36", "PARAM-1", "PROJ-4")
        if too_few(c, needs_of(c), drawn_cases(c, "smoke"))
    ]
    assert few
