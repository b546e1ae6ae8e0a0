"""The diagnosis names the defect that a failure looks like, or where results first differ."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from lstm_conformance.runner.judging.comparison import Finding
from lstm_conformance.runner.judging.rules import close
from lstm_conformance.runner.judging.trial import Trial
from lstm_conformance.spec.case import OUTPUTS, Case
from lstm_conformance.spec.config import LSTMConfig
from lstm_conformance.spec.contract import Implementation

pytest.importorskip("torch")

import torch

from lstm_conformance.adapters.target import load
from lstm_conformance.adapters.torch_module import TorchModule, torch_lstm
from lstm_conformance.defects.catalogue import catalogue
from lstm_conformance.defects.readable import ReadableLSTM
from lstm_conformance.runner.failures.behaviour import Behaviour, run
from lstm_conformance.runner.failures.diagnosis import Diagnostician, Evidence
from lstm_conformance.runner.failures.divergence import first_divergence
from lstm_conformance.runner.failures.failure import Diagnosis, Failure
from lstm_conformance.runner.failures.suspects import none_hides_another
from lstm_conformance.runner.session.suite import checkers_of
from tools.diagnosis_figures import computed_differently, diagnosis

from .helpers.selection import elsewhere

CATALOGUE = {defect.id: defect for defect in catalogue()}

NAMED = (
    "GatesInOrderIOFG",
    "BiasHHIgnored",
    "OutputWithoutBatchFirst",
    "ReverseStartsAtPadding",
    "StatesDirectionMajor",
    "GradientOfC0Missing",
    "CotangentOfHNIgnored",
    "DropoutInEvaluation",
    "GradientPassesDropout",
)

# Much like one of the others.
NAMED_ELSEWHERE = (
    *("StatesDirectionMajor", "CotangentOfHNIgnored", "ReverseStartsAtPadding"),
    *("BiasHHIgnored", "DropoutInEvaluation", "GradientPassesDropout"),
)

# A case with everything: two layers, both directions, unequal lengths, a projection.
RICH = Case(
    LSTMConfig(2, 3, num_layers=2, bidirectional=True, proj_size=2),
    seq_len=4,
    batch_size=2,
    layout="packed_unsorted",
    lengths=(2, 4),
    states=True,
    cotangents=OUTPUTS,
)
PLAIN = Case(LSTMConfig(2, 3), seq_len=4, batch_size=2, states=True, cotangents=OUTPUTS)


def seen(implementation: Implementation, case: Case = RICH) -> list[Evidence]:
    """The evidence of one case in which something is wrong."""
    trial = Trial(case, implementation)
    assert trial.observation
    return [Evidence(trial, close())]


def diagnosed(implementation: Implementation, case: Case = RICH, **how: Any) -> Diagnosis:
    found = Diagnostician(implementation, **how).diagnose("COMB-1", seen(implementation, case))
    assert found is not None
    return found


def class_of(name: str) -> Any:
    module, _, cls = CATALOGUE[name].target.partition(":")
    return getattr(sys.modules[module], cls)


@pytest.mark.parametrize(
    "name", [elsewhere(name) if name in NAMED_ELSEWHERE else name for name in NAMED]
)
def test_defect_is_named(name: str) -> None:
    found = diagnosis(CATALOGUE[name])
    assert found["defects"] == [name]
    assert CATALOGUE[name].text.rstrip(".") in found["text"]
    assert found["documented_ratio"] > 1e3 * max(found["ratio"], 1.0)


@pytest.mark.whole
@pytest.mark.parametrize(
    "name",
    [
        "InputGateAdded",
        "DropoutNeverActs",
        "DropoutOfEverythingInEvaluation",
        "CotangentOfOutputLostBesideThatOfCN",
    ],
)
def test_a_defect_is_told_from_those_like_it(name: str) -> None:
    found = diagnosis(CATALOGUE[name])
    assert found["defects"] == [name]
    assert found["alternatives"] == []


@pytest.mark.parametrize(
    ("names", "right", "expected"),
    [
        # The second one hides the first with batch_first.
        (("GapsAfterRowsOfCotangentsIgnored", "RingOf32Workspaces"), ["batch_first=True"], False),
        (("BiasHHIgnored", "StatesDirectionMajor"), ["bias=False"], True),
        (("BiasHHIgnored", "StatesDirectionMajor"), ["bias=False", "bias=True"], False),
    ],
)
def test_no_defect_hides_another(names: tuple[str, ...], right: list[str], expected: bool) -> None:
    group = tuple(CATALOGUE[name] for name in names)
    sizes = "input_size=3 hidden_size=4 num_layers=2 proj_size=2 seq_len=5 batch_size=3"
    behaviours = []
    for text in right:
        case = Case.parse(f"v1 {sizes} {text} cotangents=output,h_n,c_n seed=9")
        observation = run(torch_lstm(), case)
        assert observation is not None
        behaviours.append(Behaviour(case, observation))
    assert none_hides_another(group, behaviours) is expected


def test_defects_that_cannot_be_told_apart_are_all_told() -> None:
    found = diagnosis(CATALOGUE["C0IgnoredIfH0IsZero"])
    assert found["alternatives"] == ["CellStateGoesWithHiddenState"]
    for name in (*found["defects"], *found["alternatives"]):
        assert f"{name}: {CATALOGUE[name].text.rstrip('.')}" in found["text"]


@pytest.mark.parametrize(
    "name", ["SigmoidForCandidate", "GradientOfC0Missing", "OutputReverseFirst"]
)
def test_unknown_defect_is_not_named(name: str) -> None:
    assert not diagnosis(CATALOGUE[name], without=(name,)).get("defects")


@pytest.mark.whole
def test_two_defects_at_once_are_named() -> None:
    pair = "BiasHHIgnored", "H0Ignored"
    both = TorchModule("both", type("Both", tuple(map(class_of, pair)), {}), "")
    assert set(diagnosed(both, PLAIN).defects) == set(pair)


class OnnxOrder(torch.nn.LSTM):
    """torch's own LSTM, its parameters read in the order of ONNX: i, o, f, g."""

    def forward(self, *arguments: Any) -> Any:
        order = {
            name: p if "hr" in name else torch.cat([p.chunk(4)[k] for k in (0, 2, 3, 1)])
            for name, p in self.named_parameters()
        }
        inner = torch.nn.LSTM(
            self.input_size,
            self.hidden_size,
            self.num_layers,
            self.bias,
            self.batch_first,
            bidirectional=self.bidirectional,
            proj_size=self.proj_size,
            dtype=self.weight_ih_l0.dtype,
        )
        return torch.func.functional_call(inner, order, arguments)


@pytest.mark.whole
def test_defect_of_another_implementation_is_named() -> None:
    assert diagnosed(TorchModule("onnx order", OnnxOrder, "")).defects == ("GatesInOrderIOFG",)


@pytest.mark.whole
def test_a_defect_of_some_cases_is_not_confused_with_one_of_all_cases() -> None:
    found = diagnosed(computed_differently(CATALOGUE["PackedReverseNotReversed"]))
    assert found.defects == ("PackedReverseNotReversed",)


def test_a_right_implementation_has_no_diagnosis() -> None:
    right = TorchModule("right", ReadableLSTM, "")
    assert Diagnostician(right).diagnose("COMB-1", seen(right)) is None


class FailingElsewhere(ReadableLSTM):
    """Ignores bias_hh, and raises in all cases but one."""

    def bias(self, w: Any) -> Any:
        if w.b_ih is not None and len(w.b_ih) != 12:
            raise RuntimeError
        return w.b_ih


def test_an_implementation_that_also_raises_is_diagnosed() -> None:
    found = diagnosed(TorchModule("raises", FailingElsewhere, ""), PLAIN)
    assert found.defects == ("BiasHHIgnored",)


def test_after_some_searches_no_more_are_made() -> None:
    implementation = computed_differently(CATALOGUE["BiasHHIgnored"])
    diagnostician = Diagnostician(implementation, without=CATALOGUE)
    evidence = seen(implementation, PLAIN)
    found = [diagnostician.diagnose("EQ-5", evidence) for _ in range(4)]
    assert [s is None for s in found] == [False, False, False, True]
    assert all(s is None or not s.defects for s in found)


def test_a_search_is_left_for_a_cause() -> None:
    implementation = computed_differently(CATALOGUE["BiasHHIgnored"])
    diagnostician = Diagnostician(implementation, without=CATALOGUE)
    evidence = seen(implementation, PLAIN)
    clauses = ("COMB-1", "GRAD-1", "COMB-2", "GRAD-2", "EQ-5", "EQ-6", "EQ-4", "EQ-5")
    found = [diagnostician.diagnose(clause, evidence) is not None for clause in clauses]
    assert found == [True, True, True, False, True, False, True, False]


# Defect to the beginning of its diagnosis, if the catalogue lacks it.
DIVERGES = {
    "CandidateWithoutTanh": "First wrong in a single step: c_n and h_n of layer 0",
    "OutputGateMissing": "First wrong in a single step: h_n of layer 0, while c_n is right",
    "HiddenStateOfTwoStepsBefore": "First wrong with the first 2 steps: c_n and h_n of layer 0",
    "UpperInitialStatesIgnored": "First wrong in a single step: c_n and h_n of layer 1",
    "GradientOfInputOnlyAtLastStep": "Outputs are right. First wrong with 2 steps: input.grad",
}


@pytest.mark.parametrize("name", DIVERGES)
def test_divergence(name: str) -> None:
    case = Case(LSTMConfig(2, 3, num_layers=2), seq_len=3, states=True, cotangents=OUTPUTS)
    text = first_divergence(load(CATALOGUE[name].target), case)
    assert text is not None
    assert text.startswith(DIVERGES[name])


@pytest.mark.parametrize(
    ("gate", "name"), [("gate f", "ForgetGateMissing"), ("gate g", "BiasHHMissingFromCandidate")]
)
def test_divergence_names_the_gate(gate: str, name: str) -> None:
    text = first_divergence(load(CATALOGUE[name].target), PLAIN)
    assert text is not None
    assert gate in text


def test_divergence_names_the_direction_and_the_output() -> None:
    both = Case(LSTMConfig(2, 3, bidirectional=True), seq_len=3, states=True)
    text = first_divergence(load(CATALOGUE["ReverseUsesForwardBiases"].target), both)
    assert text is not None
    assert "layer 0 reverse" in text
    text = first_divergence(load(CATALOGUE["OutputReverseFirst"].target), both)
    assert text == (
        "First wrong in a single step: output, while h_n and c_n are right. Wrong everywhere. "
        "Right with bidirectional=False. Seen in v1 input_size=4 hidden_size=7 bidirectional=True "
        "seq_len=6 batch_size=4 states=True"
    )


def test_divergence_names_the_case_that_it_is_about_if_it_is_not_the_one_shown() -> None:
    implementation = load(CATALOGUE["OutputReverseFirst"].target)
    both = Case(LSTMConfig(40, 40, bidirectional=True), seq_len=2)  # too large for larger ones
    text, other = (first_divergence(implementation, both, shown=case) for case in (None, PLAIN))
    assert text is not None
    assert "Seen in" not in text
    assert other == f"{text} Seen in {both}"


def test_divergence_names_the_cotangent() -> None:
    text = first_divergence(load(CATALOGUE["CotangentOfCNIgnored"].target), PLAIN)
    assert text is not None
    assert "Right if only output or only h_n has a cotangent" in text


def test_no_divergence_if_right_or_if_it_raises() -> None:
    class Raising(ReadableLSTM):
        def forward(self, *arguments: Any) -> Any:
            raise SystemExit

    assert first_divergence(TorchModule("right", ReadableLSTM, ""), RICH) is None
    assert first_divergence(TorchModule("raises", Raising, ""), RICH) is None


def test_defects_are_loaded_for_failures_only() -> None:
    program = (
        "import sys\n"
        "import lstm_conformance.runner.searching.checker\n"
        "import lstm_conformance.runner.session.session\n"
        "assert not [m for m in sys.modules if m.startswith('lstm_conformance.defects')]"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_without_evidence_there_is_no_diagnosis() -> None:
    assert Diagnostician(load("torch")).diagnose("EQ-1", []) is None


def test_denormal_numbers_that_are_lost_are_called_so() -> None:
    implementation = load("lstm_conformance.defects.edges:DenormalsFlushed")
    (checker,) = checkers_of(implementation, "EDGE-11")
    checker.diagnose(Diagnostician(implementation), ["EDGE-11"])
    (failure, *_) = checker.records["EDGE-11"].failures
    assert failure.diagnosis is not None
    assert failure.diagnosis.text.startswith("Denormal numbers count as zero")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("DropsTooRarely", "elements, with probability 0.5"),
        ("SecondBackwardDropsAgain", "a second backward pass has other gradients"),
    ],
)
def test_what_only_a_rule_on_dropout_shows_is_a_mistake_in_dropout(name: str, why: str) -> None:
    text = diagnosis(CATALOGUE[name])["text"]
    assert "Right with dropout=0, or in evaluation mode: the mistake is in dropout (" in text
    assert why in text


def test_dropout_is_not_blamed_if_evaluation_is_wrong_too() -> None:
    config = LSTMConfig(2, 3, num_layers=2, dropout=0.5)
    case = Case(config, seq_len=3, training=True, states=True)
    failure = Failure("fail", str(case), str(case), Finding("output", "fail", message="dropped"))
    for name in ("ForgetGateMissing", "OutputGateMissing"):
        implementation = load(CATALOGUE[name].target)
        assert Diagnostician(implementation).of_random_dropout(failure) is None
