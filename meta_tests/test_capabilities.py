"""Capabilities: undeclared ones are not used, required ones must be there, others are found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lstm_conformance.adapters.reference import ReferenceLSTM
from lstm_conformance.adapters.without import Without
from lstm_conformance.runner.session.suite import records_of
from lstm_conformance.runner.session.undeclared import PROBES, works
from lstm_conformance.spec.capabilities import ALL, unsupported
from lstm_conformance.spec.case import Case
from lstm_conformance.spec.clauses import CLAUSES, TESTABLE
from lstm_conformance.spec.config import LSTMConfig
from lstm_conformance.spec.contract import Observation
from lstm_conformance.spec.narrowing import narrowed
from lstm_conformance.spec.strategies import PLAIN

from .helpers.command_line import check
from .helpers.selection import elsewhere, one_in_three


def test_needs_are_capabilities() -> None:
    for clause in CLAUSES.values():
        assert ALL.issuperset(clause.needs)


class OneLayer(ReferenceLSTM):
    """Has capabilities that it does not declare, and declares one that it does not have."""

    name = "one-layer"
    capabilities = frozenset({"float32", "layers", "packed"})

    def run(self, case: Case) -> Observation:
        if case.config.num_layers > 1 or case.states:
            raise NotImplementedError
        return super().run(case)


def test_a_case_beyond_the_capabilities_is_not_run() -> None:
    case = Case(LSTMConfig(2, 3), dtype="float32")
    assert unsupported(OneLayer(), case) is None
    several = replace(case, config=LSTMConfig(2, 3, bidirectional=True, bias=False), states=True)
    assert unsupported(OneLayer(), several) == "no bidirectional, no no-bias, no states"
    assert unsupported(OneLayer(), replace(case, dtype="float64")) == "no float64"


@pytest.mark.parametrize(
    ("missing", "bias", "lacking"),
    [((), (False,), ()), (("no-bias",), (True,), ("no-bias",))],
)
def test_what_always_has_biases_is_asked_too(
    missing: tuple[str, ...], bias: tuple[bool, ...], lacking: tuple[str, ...]
) -> None:
    part, found = narrowed(PLAIN, ALL - {*missing})
    assert part is not None
    assert part.bias == bias
    assert found == lacking


class GatesInAnotherOrder(OneLayer):
    """Always has biases, and reads the candidate before the forget gate."""

    capabilities = ReferenceLSTM.capabilities - {"no-bias"}

    def run(self, case: Case) -> Observation:
        arguments = case.arguments()
        for name in case.config.parameter_shapes():
            if name != "weight_hr_l0":
                i, f, g, o = np.split(arguments[name], 4)
                arguments[name] = np.concatenate([i, g, f, o])
        return ReferenceLSTM.run(self, case.with_values(arguments))


def test_gates_in_another_order_are_named_without_no_bias() -> None:
    (record,) = records_of(GatesInAnotherOrder(), "EQ-1")
    assert record.verdicts.get("fail")


def test_an_implementation_may_have_further_limits() -> None:
    class Short(OneLayer):
        def unsupported(self, case: Case) -> str | None:
            return "at most 3 steps" if case.seq_len > 3 else None

    case = Case(LSTMConfig(2, 3), dtype="float32", seq_len=4)
    assert unsupported(Short(), case) == "refused: at most 3 steps"
    assert unsupported(Short(), replace(case, seq_len=3)) is None
    assert unsupported(Short(), replace(case, states=True)) == "no states"


def test_undeclared_capabilities_that_work_are_found() -> None:
    found = {name for name in PROBES if works(OneLayer(), name)}
    assert found == set(PROBES) - {"layers", "states", "bfloat16"}


def test_capabilities_that_are_taken_away_are_not_used() -> None:
    less = Without(ReferenceLSTM(), frozenset({"projection", "gradients"}))
    assert less.name == "reference"
    case = Case(LSTMConfig(2, 3, proj_size=1))
    assert unsupported(less, case) == "no projection"
    assert unsupported(less, replace(case, config=LSTMConfig(2, 3))) is None


@pytest.mark.parametrize(
    ("required", "status"), [elsewhere(("float64", "states"), 0), (("bfloat16",), 1)]
)
def test_a_missing_required_capability_is_a_failure(
    required: tuple[str, ...], status: int, tmp_path: Path
) -> None:
    options = [word for name in required for word in ("--require", name)]
    clauses = ("--clause", "DTYPE-3", "--clause", "DTYPE-4", "--profile", "smoke")
    ended, results = check("reference", *clauses, *options, cwd=tmp_path)
    assert ended.status == status, ended.out
    if status:
        (failure,) = (c["failure"] for c in results["clauses"] if c["failure"])
        assert failure["finding"]["message"] == "required, but no bfloat16"


def test_a_missing_required_capability_of_a_clause_is_a_failure(tmp_path: Path) -> None:
    ended, _ = check("reference", "--clause", "PARAM-1", "--require", "module", cwd=tmp_path)
    assert ended.status == 1
    assert "required, but no module" in ended.out


class ForwardOnly(ReferenceLSTM):
    """Has no backward pass."""

    capabilities = ReferenceLSTM.capabilities - {"gradients"}


# `test_sizes.py` has those of chapter SIZE.
@pytest.mark.parametrize(
    "clause",
    one_in_three(
        c.id for c in TESTABLE.values() if {"gradients"}.issuperset(c.needs) and c.chapter != "SIZE"
    ),
)
def test_without_gradients_the_forward_pass_is_judged(clause: str) -> None:
    verdicts = {
        verdict for record in records_of(ForwardOnly(), clause) for verdict in record.verdicts
    }
    if TESTABLE[clause].needs:
        assert verdicts == {"unsupported"}
    else:
        assert "pass" in verdicts or clause == "DTYPE-4"  # NumPy has no bfloat16
        assert verdicts <= {"pass", "inconclusive", "unsupported"}
