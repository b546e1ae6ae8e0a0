"""What is said of mistakes that people make and that the catalogue lacks.

Each text has to say what is wrong, and must not blame anything else.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest

from lstm_conformance.adapters.reference import ReferenceLSTM
from lstm_conformance.runner.failures.behaviour import Behaviour
from lstm_conformance.runner.failures.conditions import conditions, variations
from lstm_conformance.runner.failures.recomputation import recomputed
from lstm_conformance.runner.judging.rules import close
from lstm_conformance.runner.judging.trial import Trial
from lstm_conformance.spec.case import Case
from lstm_conformance.spec.config import LSTMConfig
from lstm_conformance.spec.contract import Implementation

from .helpers.modified_reference import Modified, with_output

pytest.importorskip("torch")

import torch

from lstm_conformance.adapters.target import load
from lstm_conformance.adapters.torch_module import TorchModule
from lstm_conformance.defects.catalogue import catalogue
from lstm_conformance.defects.readable import ReadableLSTM
from lstm_conformance.runner.failures.diagnosis import Diagnostician, Evidence
from lstm_conformance.runner.judging.dropout_masks import close_for_some_mask
from tools.rounded_products import with_rounded_products

from .helpers.selection import one_in_three
from .implementations import mistakes

IDS = [defect.id for defect in catalogue()]


class Said(NamedTuple):
    """What is said of a mistake.

    Attributes:
        case: small, as a search finds it.
        has: what the text has to contain.
        lacks: what it must not contain.
    """

    case: str
    has: tuple[str, ...]
    lacks: tuple[str, ...] = ()


BLAMED = ("gate", "what a step takes", "dropout")
PACKED = "input_size=1 hidden_size=1 seq_len=2 batch_size=2 layout=packed_sorted lengths=2,1"
PLAIN = "input_size=1 hidden_size=1 bias=False"

SAID = {
    "LateRowsReadTheFirst": Said(
        "input_size=1 hidden_size=2 batch_size=4", ("Wrong only in rows 3 and up.",), BLAMED
    ),
    "LateUnitsNeverForget": Said(
        "input_size=1 hidden_size=5 bias=False bidirectional=True seq_len=2",
        (
            "c_n and h_n of layer 0 reverse, only in units 4 and up",
            "Wrong only in the reverse direction.",
        ),
        ("what a step takes", "rows"),
    ),
    "ForgottenWhereRowsEnd": Said(
        PACKED,
        (
            "in output only in the steps after the first row has ended",
            "in h_n and c_n only in the rows that are not the shortest",
            "Right if the input is not packed",
        ),
        BLAMED,
    ),
    "BatchFirstIgnored": Said(
        f"{PLAIN} batch_first=True seq_len=2",
        ("As if batch_first had no effect",),
        (*BLAMED, "layer 0"),
    ),
    "LengthsIgnored": Said(PACKED, ("As if lengths had no effect",), (*BLAMED, "layer 0")),
    "DropoutOnFinalState": Said(
        f"{PLAIN} dropout=0.5 training=True",
        (
            "Right with dropout=0, or in evaluation mode: the mistake is in dropout.",
            "h_n of layer 0, while c_n is right",
        ),
        ("gate",),
    ),
    "SinglePrecisionProducts": Said(
        PLAIN, ("The error is that of float32", "nearly none is to within that of float64"), BLAMED
    ),
    "TensorFloatProducts": Said(PLAIN, ("The error is that of TF32 or float16",), BLAMED),
    "BfloatWeights": Said(
        f"{PLAIN} seq_len=2", ("As if the parameters were rounded to bfloat16",), BLAMED
    ),
    "OutputClipped": Said(
        f"{PLAIN} weight_scale=10.0 seed=92", ("output is clipped: never above 0.2.",), BLAMED
    ),
    "CellClipped": Said(
        f"{PLAIN} seq_len=8", ("c_n is clipped: never below -0.3 and never above 0.3.",), BLAMED
    ),
    "OutputSlightlyTooLarge": Said(
        PLAIN, ("output is 1.001 times what is documented.",), (*BLAMED, "TF32")
    ),
    "FinalHiddenNegative": Said(PLAIN, ("h_n is -1 times what is documented.",), BLAMED),
    "InputGradientTooSmall": Said(
        f"{PLAIN} cotangents=output", ("input.grad is 0.99 times what is documented.",), BLAMED
    ),
    "WrongInTraining": Said(
        f"{PLAIN} seq_len=2 training=True", ("Right in evaluation mode",), BLAMED
    ),
    "BiasGradientOfLastStep": Said(
        "input_size=1 hidden_size=1 seq_len=2 cotangents=output,h_n,c_n",
        ("Outputs are right. First wrong with 2 steps: bias_ih_l0.grad, bias_hh_l0.grad.",),
        (*BLAMED, "weight"),
    ),
}


def said(implementation: Implementation, case: str, rule: Any = None) -> str:
    """The diagnosis of a failing case, with a catalogue that has no defects."""
    trial = Trial(Case.parse(f"v1 {case}"), implementation)
    assert trial.observation
    evidence = [Evidence(trial, close() if rule is None else rule)]
    found = Diagnostician(implementation, without=IDS).diagnose("COMB-1", evidence)
    assert found is not None
    assert not found.defects
    return found.text


def mistake(name: str) -> TorchModule:
    return TorchModule(name, getattr(mistakes, name), "")


def test_every_mistake_is_tried() -> None:
    assert {*SAID, "DropoutNotScaled"} == set(mistakes.__all__)


@pytest.mark.parametrize("name", one_in_three(SAID))
def test_what_is_said(name: str) -> None:
    case, has, lacks = SAID[name]
    text = said(mistake(name), case)
    assert [part for part in has if part not in text] == [], text
    assert [part for part in lacks if part in text] == [], text


@pytest.mark.parametrize(
    ("products", "has"),
    [
        ("tf32", "The error is that of TF32 or float16"),
        ("bfloat16", "The error is that of bfloat16"),
    ],
)
def test_torch_with_products_of_fewer_digits(products: str, has: str) -> None:
    implementation = with_rounded_products(torch.nn.LSTM, products)
    case = "input_size=3 hidden_size=4 seq_len=5 batch_size=3 dtype=float32 states=True"
    assert has in said(implementation, f"{case} cotangents=output,h_n,c_n")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("DropoutNotScaled", "what is kept were not divided by 1 - 0.1"),
        (
            "DropoutScaleInFloat32",
            "1 - 0.1, by which what is kept is divided, were rounded to float32",
        ),
    ],
)
def test_random_dropout(name: str, why: str) -> None:
    case = "input_size=1 hidden_size=1 num_layers=2 dropout=0.1 training=True seed=1"
    text = said(mistake(name), case, close_for_some_mask(lambda name: True))
    assert text == (
        f"Right with dropout=0, or in evaluation mode: the mistake is in dropout (right if {why})."
    )


def test_random_dropout_with_a_probability_that_rounds_to_1() -> None:
    case = "input_size=1 hidden_size=1 num_layers=2 dropout=0.999 training=True seed=1"
    text = said(mistake("DropoutScaleInFloat32"), case, close_for_some_mask(lambda name: True))
    assert "the mistake is in dropout" in text


def test_an_exception_of_some_modes() -> None:
    case = Case.parse(f"v1 {PLAIN} batch_first=True seq_len=2 states=True")
    implementation = mistake("BatchFirstIgnored")
    evidence = [Evidence(Trial(case, implementation), close())]
    found = Diagnostician(implementation, without=IDS).diagnose("COMB-1", evidence)
    assert found is not None
    assert "Right with batch_first=False" in found.text


GATES = {
    "InputGateMissing": "the gate i (right if it is saturated)",
    "SigmoidForCandidate": "the gate g (right if it is saturated)",
    "ForgetGateMissing": "the gate f (right if it is saturated)",
    "OldCellStateLost": "the gate f, or what it multiplies (right if c_0 is zero)",
    "OutputGateMissing": "the gate o (right if it is saturated)",
    "CandidateReadsInputOnly": "the gate g",
    "H0Ignored": "right if h_0 is zero",
    "HiddenStateNotCarried": "the mistake is in what a step takes from those before it",
    # No single gate is wrong.
    "InputAndForgetGateSwapped": "",
    "GatesInOrderIOGF": "",
    "TanhOfCellMissing": "",
    "InputGateAdded": "",
    "FinalHiddenBatchFirst": "",
}


@pytest.mark.parametrize("name", one_in_three(GATES))
def test_gates_are_blamed_if_a_run_shows_it(name: str) -> None:
    (target,) = [defect.target for defect in catalogue() if defect.id == name]
    batch_first = " batch_first=True" if "BatchFirst" in name else ""
    text = said(load(target), f"input_size=2 hidden_size=3 states=True seq_len=2{batch_first}")
    assert GATES[name] in text
    if not GATES[name]:
        assert "gate" not in text, text
        assert "mistake" not in text, text


class AddedWhereBothAreSmall(ReadableLSTM):
    """Right if i is 1, and if g is."""

    def cell(self, x: Any, h: Any, c: Any, w: Any) -> Any:
        i, f, g, o = self.gates(x, h, w)
        c_t = f * c + i * g + (1 - i) * (1 - g)
        return self.project(o * self.tanh(c_t), w), c_t


class FinalCellWithInitialOne(ReadableLSTM):
    """c_n has c_0 in it, while all steps are right."""

    def forward(self, input: Any, hx: Any = None) -> Any:
        output, (h_n, c_n) = super().forward(input, hx)
        return output, (h_n, c_n if hx is None else c_n + 0.1 * hx[1])


class LateRowsStartFromTheFirst(ReadableLSTM):
    """Rows from 3 on start from the cell state of row 0."""

    def initial_states(self, input: Any, hx: Any, steps: Any) -> Any:
        h, c = super().initial_states(input, hx, steps)
        return h, torch.cat([c[:, :3], c[:, :1].expand_as(c[:, 3:])], dim=1)


@pytest.mark.parametrize(
    ("cls", "has"),
    [
        (AddedWhereBothAreSmall, "First wrong in a single step: c_n and h_n"),
        (FinalCellWithInitialOne, "c_n of layer 0, while h_n is right"),
        (LateRowsStartFromTheFirst, "Wrong only in rows 3 and up."),
    ],
)
def test_no_gate_is_blamed(cls: Any, has: str) -> None:
    text = said(
        TorchModule("wrong", cls, ""), "input_size=2 hidden_size=3 batch_size=4 states=True"
    )
    assert has in text
    assert "gate" not in text, text


# -------------------------------------------------------------- what explains nothing

CASE = Case.parse("v1 input_size=3 hidden_size=5 batch_size=4 seq_len=3 weight_scale=3.0")
SIGNS = np.array([1, -1, 1, 1, -1])
UNEXPLAINED = {
    "far smaller than the rounding of any format": lambda x: x * (1 + 1e-12 * SIGNS),
    "as in float32, but in few elements": lambda x: np.where(np.arange(5) < 4, x, x * (1 + 6e-8)),
    "as in float32, but not in all elements": lambda x: np.where(
        np.arange(5) < 2, x, x * (1 + 6e-8)
    ),
    "clipped, and wrong besides": lambda x: np.where(
        np.abs(x) < 0.01, x + 0.01, np.clip(x, -0.2, 0.2)
    ),
    "far larger": lambda x: x * (1 + 0.1 * SIGNS),
    "a constant": lambda x: np.full_like(x, 0.1),
    "clipped, but not where it should be": lambda x: np.clip(x, -0.2, 0.2)[:, ::-1],
    "one element": lambda x: np.where(x == x.max(), 0.99 * x, x),
    "zero": lambda x: 0 * x,
    "right": lambda x: x,
}


@pytest.mark.parametrize("name", UNEXPLAINED)
def test_no_change_explains_it(name: str) -> None:
    wrong = Modified(lambda case, o: with_output(o, UNEXPLAINED[name]))
    assert recomputed([Behaviour(CASE, wrong.run(CASE))]) is None


@pytest.mark.parametrize(
    "name",
    ["BiasHHIgnored", "H0Ignored", "GatesInOrderIOFG", "BatchFirstByReshape", "BiasHHFrozen"],
)
def test_catalogued_defects_are_not_explained_by_another_change(name: str) -> None:
    (target,) = [defect.target for defect in catalogue() if defect.id == name]
    case = Case.parse(
        "v1 input_size=2 hidden_size=3 num_layers=2 dropout=1.0 training=True batch_first=True "
        "seq_len=3 batch_size=3 states=True cotangents=output,h_n,c_n"
    )
    assert recomputed([Behaviour(case, load(target).run(case))]) is None


def test_a_change_explains_all_cases_or_none() -> None:
    clipped = Modified(lambda case, o: with_output(o, lambda x: np.clip(x, -0.2, 0.2)))
    shifted = Modified(lambda case, o: with_output(o, lambda x: x + 0.1))
    both = [Behaviour(CASE, implementation.run(CASE)) for implementation in (clipped, shifted)]
    assert recomputed(both[:1]) == "output is clipped: never below -0.2 and never above 0.2."
    assert recomputed(both) is None


def test_conditions() -> None:
    case = Case.parse(
        "v1 input_size=1 hidden_size=2 num_layers=2 batch_first=True dropout=1.0 bidirectional=True"
        " proj_size=1 training=True states=True"
    )
    modes, others = variations(case, True), variations(case, False)
    assert len({str(changed) for changed in (*modes.values(), *others.values())}) == 9
    found = conditions(lambda c: not (c.training and c.config.bidirectional), [case, case])
    assert found.of_mode == ("in evaluation mode",)
    assert found.of_equations == ("with bidirectional=False",)
    assert str(found) == "Right in evaluation mode, or with bidirectional=False."
    of_one = conditions(lambda c: not c.training and c.seed == 0, [case, replace(case, seed=1)])
    assert not str(of_one), "it has to hold for all cases"
    assert not str(conditions(lambda c: False, [case]))
    # A case without the wrong gradient says nothing about it.
    without = conditions(lambda c: not c.config.bias, [case], ["bias_ih_l0.grad"])
    assert not str(without)


def test_small_numbers_are_not_alike_where_huge_ones_are_right() -> None:
    """The noise of a huge cell state is larger than what two wrong programs make of it."""
    case = Case(LSTMConfig(1, 1), states=True, dtype="float64")
    huge = case.with_values({"c_0": np.full((1, 1, 1), 2.0**100)})
    observation = ReferenceLSTM().run(huge)
    observation.tensors["c_n"].values[...] = 50.0
    behaviour = Behaviour(huge, observation)
    right = behaviour.expectation.values
    assert behaviour.distance({**right, "c_n": np.full((1, 1, 1), 1.0)}, ["c_n"]) == np.inf
    assert behaviour.distance({**right, "c_n": np.full((1, 1, 1), 50.0)}, ["c_n"]) == 0
