"""A ratio that comes near the threshold is looked at twice, with more samples of the noise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lstm_conformance.adapters.reference import ReferenceLSTM
from lstm_conformance.adapters.target import load
from lstm_conformance.reference import oracle
from lstm_conformance.reference.oracle import expect
from lstm_conformance.runner.judging import trial as trial_module
from lstm_conformance.runner.judging.comparison import THRESHOLD, Finding
from lstm_conformance.runner.judging.rules import CLOSE_CALL, close, judged_by
from lstm_conformance.runner.judging.trial import Together, Trial
from lstm_conformance.spec.case import OUTPUTS, Case
from lstm_conformance.spec.config import LSTMConfig
from lstm_conformance.spec.contract import Implementation, Observation
from lstm_conformance.spec.verdicts import FAIL, PASS

LARGE = Case(LSTMConfig(40, 64), seq_len=12, batch_size=10, dtype="float32", cotangents=OUTPUTS)
SMALL = Case(LSTMConfig(2, 3), seq_len=2, batch_size=2, cotangents=OUTPUTS)


def largest_ratio(findings: list[Finding]) -> float:
    return max(finding.ratio or 0.0 for finding in findings)


@pytest.fixture
def one_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """Noise of large cases from one sample, so that much of it is far too small."""
    monkeypatch.setattr(oracle, "FEWER_SAMPLES", 1)
    monkeypatch.setattr(oracle, "smoothed", lambda noise, values: noise)


def test_noise_that_is_too_small_flags_nobody(one_sample: None) -> None:
    torch_lstm = load("torch.nn:LSTM")
    assert largest_ratio(close()(Trial(LARGE, torch_lstm))) > THRESHOLD
    findings = judged_by(close(), Trial(LARGE, torch_lstm))
    assert {finding.verdict for finding in findings} == {PASS}
    assert largest_ratio(findings) < CLOSE_CALL


class OneNumberIsOff(ReferenceLSTM):
    """The first number of the output is off by one part in ten thousand."""

    def run(self, case: Case) -> Observation:
        observation = super().run(case)
        observation.tensors["output"].values[0, 0, 0] *= 1 + 1e-4
        return observation


@pytest.mark.parametrize("case", [LARGE, SMALL])
def test_a_wrong_number_stays_one(case: Case) -> None:
    findings = judged_by(close("output"), Trial(case, OneNumberIsOff()))
    assert [finding.verdict for finding in findings] == [FAIL]


def samples_asked_for(
    case: Case,
    implementation: Implementation,
    together: Together | None,
    monkeypatch: pytest.MonkeyPatch,
) -> list[int]:
    """The samples of each expectation that was computed for a second look."""
    asked: list[int] = []

    def counted(case: Case, samples: int = 0) -> oracle.Expectation:
        asked.append(samples)
        return oracle.expect(case, samples=samples or None)

    monkeypatch.setattr(trial_module, "expect", counted)
    judged_by(close(), Trial(case, implementation, together))
    return [samples for samples in asked if samples]


def test_only_what_is_close_is_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    together = Together([SMALL, replace(SMALL, seed=1)])
    wrong, right = OneNumberIsOff(), ReferenceLSTM()
    assert samples_asked_for(LARGE, wrong, None, monkeypatch) == [16]
    assert samples_asked_for(LARGE, right, None, monkeypatch) == []
    for of_small in (None, together):
        assert samples_asked_for(SMALL, wrong, of_small, monkeypatch) == [64]
        assert samples_asked_for(SMALL, right, of_small, monkeypatch) == []


def test_rare_samples_are_not_missed() -> None:
    """Rounding errors multiply here: a few samples of a hundred lie far from the others."""
    case = Case.parse(
        "v1 input_size=2 hidden_size=4 batch_first=True bidirectional=True proj_size=3 seq_len=7 "
        "batch_size=4 dtype=bfloat16 training=True weight_scale=10.0 cotangents=output,h_n,c_n "
        "seed=18820129"
    )
    few, many = expect(case).noise, expect(case, samples=64).noise
    name = "weight_hh_l0.grad"
    assert (many[name][few[name] > 0] / few[name][few[name] > 0]).max() > 4
