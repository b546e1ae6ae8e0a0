"""Chapter SIZE: every size alone, and sizes together."""

from __future__ import annotations

import pytest

from lstm_conformance.runner.judging.rules import close, close_gradients, in_inference, in_training
from lstm_conformance.runner.searching.checker import Checker
from lstm_conformance.spec.case import OUTPUTS

RULES = {"SIZE-1": in_inference(close(*OUTPUTS)), "SIZE-2": in_training(close_gradients)}
TOGETHER = {"SIZE-3": in_inference(close())}

# Those whose cases take little time come first.
AXES = ("batch_size", "input_size", "num_layers", "hidden_size", "proj_size", "seq_len")

# The covering array is judged in so many tests, which may run at the same time.
PARTS = 6


@pytest.mark.lstm_clause("SIZE-1", "SIZE-2")
@pytest.mark.parametrize("axis", AXES, ids=AXES)
def test_every_size(lstm_check: Checker, axis: str) -> None:
    lstm_check.each_size(axis, RULES)


@pytest.mark.lstm_clause("SIZE-3")
@pytest.mark.parametrize("part", range(PARTS), ids=[str(part) for part in range(PARTS)])
def test_sizes_together(lstm_check: Checker, part: int) -> None:
    lstm_check.sizes_together((part, PARTS), TOGETHER)


@pytest.mark.lstm_clause("SIZE-3")
def test_own_sizes(lstm_check: Checker) -> None:
    """Those that ``--sizes`` gives."""
    lstm_check.own_sizes(TOGETHER)
