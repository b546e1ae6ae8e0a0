"""A failure is described whatever numbers it has."""

from __future__ import annotations

import math

import pytest

from lstm_conformance.runner.failures.explanation import describe_failure
from lstm_conformance.runner.failures.failure import Failure
from lstm_conformance.runner.judging.comparison import Finding

CASE = "v1 input_size=1 hidden_size=1"


@pytest.mark.parametrize("noise", [0.5, float("nan"), float("inf")])
@pytest.mark.parametrize("plain", [True, False])
def test_numbers_that_json_lacks(noise: float, plain: bool) -> None:
    finding = Finding(
        "h_n", "fail", math.inf, (0, 0, 0), math.nan, -math.inf, noise, message="because"
    )
    failure = Failure("fail", CASE, CASE, finding, plain=plain).to_json()
    text = describe_failure("EQ-4", failure, "torch.nn:LSTM")
    assert f"+- {noise:.2g}" in text
    assert f'--clause EQ-4 --case "{CASE}"' in text
    assert ("The same with torch and numpy alone" in text) == plain
