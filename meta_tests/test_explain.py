"""A failure is told whatever numbers it has."""

from __future__ import annotations

import pytest

from lstm_conformance.runner.failures.explanation import explain
from lstm_conformance.runner.failures.failure import Failure
from lstm_conformance.runner.session.test_outcome import failure_as_json

CASE = "v1 input_size=1 hidden_size=1"


@pytest.mark.parametrize("noise", [0.5, float("nan"), float("inf")])
@pytest.mark.parametrize("plain", [True, False])
def test_numbers_that_json_lacks(noise: float, plain: bool) -> None:
    finding = {
        "tensor": "h_n",
        "verdict": "fail",
        "ratio": float("inf"),
        "index": (0, 0, 0),
        "observed": float("nan"),
        "expected": float("-inf"),
        "noise": noise,
        "message": "because",
    }
    failure = failure_as_json(Failure("fail", CASE, CASE, finding, plain=plain))
    text = explain("EQ-4", failure, "torch.nn:LSTM")
    assert f"+- {noise:.2g}" in text
    assert f'--clause EQ-4 --case "{CASE}"' in text
    assert ("The same with torch and numpy alone" in text) == plain
