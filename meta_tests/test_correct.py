"""No correct implementation is flagged, however it computes."""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from lstm_conformance.runner.judging import canary, trial
from lstm_conformance.runner.judging.comparison import Finding
from lstm_conformance.spec.case import Case
from lstm_conformance.spec.precision import PRECISIONS
from lstm_conformance.spec.verdicts import FAIL, INCONCLUSIVE, PASS
from tools import calibrate

from .helpers.command_line import IMPLEMENTATIONS
from .helpers.judgements import WHOLE_ELSEWHERE, passes
from .helpers.selection import elsewhere

PUBLISHED = Path(__file__).parents[1] / "reports" / "published"

# Judged by clauses about numbers, one or two of each chapter, to save time: most differ in how they
# multiply, or in what calls the same kernels. `test_whole_judgements.py` has all clauses.
CORRECT = (
    "HandWrittenBackward",
    *WHOLE_ELSEWHERE,
    "PairwiseSum",
    "FusedProducts",
    "GateByGate",
    "NonContiguousWeights",
    "ChunkedTime",
    "Scripted",
    "FunctionalCall",
)
NUMBERS = (
    "EQ-5", "DIR-4", "STATE-2", "PROJ-4", "PACK-1", "GRAD-10", "GRAD-21", "COMB-1", "COMB-2"
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def expected_once() -> Iterator[None]:
    """What is expected is the same for all: computing it takes longer than all else."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trial, "expect", lru_cache(_MOST)(trial.expect))
        of_tuple = lru_cache(_MOST)(trial.expect_together)
        patch.setattr(trial, "expect_together", lambda cases: of_tuple(tuple(cases)))
        # Or the first case would be an error, because the judge was changed.
        patch.setattr(canary._State, "record", canary.Record())
        yield


_MOST = 2000


# Those that compute differently from torch.nn.LSTM.
EVERY_RUN = ("HandWrittenBackward", "FusedProducts")


@pytest.mark.parametrize(
    "name",
    [name if name in EVERY_RUN else elsewhere(name) for name in CORRECT],
)
def test_numbers_of_a_correct_implementation_conform(name: str) -> None:
    passes(f"{IMPLEMENTATIONS / 'correct.py'}:{name}", NUMBERS)


@pytest.mark.parametrize("name", [elsewhere("ChunkedTime"), "SummedFromTheEnd"])
def test_long_sums_of_a_correct_implementation_conform(name: str) -> None:
    passes(f"{IMPLEMENTATIONS / 'correct.py'}:{name}", ["EQ-8"])


def test_numbers_without_onednn_conform() -> None:
    passes("torch-onednn-off", NUMBERS)


# Cases in which a test once called torch.nn.LSTM wrong: a clause, the case, and what was wrong.
FALSE_ALARMS = {
    "rounded to float32 before float16": (
        "PARAM-24",
        "v1 input_size=1 hidden_size=6 bias=False seed=800079",
    ),
    "one row is all of a projection": (
        "PARAM-17",
        "v1 input_size=1 hidden_size=2 bias=False proj_size=1",
    ),
    "sums of denormal numbers": (
        "SIZE-3",
        "v1 input_size=100 hidden_size=512 seq_len=200 batch_size=2 states=True dtype=float32 "
        "weight_scale=0.5 cotangents=h_n seed=2",
    ),
    "products in bfloat16 without denormal numbers": (
        "DTYPE-4",
        "v1 input_size=10 hidden_size=10 seq_len=331 batch_size=123 dtype=bfloat16 states=True "
        "weight_scale=0.5 cotangents=h_n seed=174242",
    ),
}


@pytest.mark.parametrize("name", FALSE_ALARMS)
def test_a_false_alarm_does_not_come_back(name: str) -> None:
    clause, case = FALSE_ALARMS[name]
    passes("torch.nn:LSTM", [clause], case=Case.parse(case))


@pytest.mark.parametrize("clause", ["PURE-10", "TRAIN-1"])
def test_negated_views_may_be_refused(clause: str) -> None:
    passes(f"{IMPLEMENTATIONS / 'numpy_inside.py'}:NumPyInside", [clause])


def test_every_correct_implementation_is_judged() -> None:
    text = (IMPLEMENTATIONS / "correct.py").read_text("utf-8")
    (names,) = (
        ast.literal_eval(node.value)
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    assert sorted(CORRECT) == sorted(names)


LINE = "v1 input_size=1 hidden_size=1"


def _row(dtype: str = "float64", cases: int = 1000, **changes: int) -> dict[str, Any]:
    return {"dtype": dtype, "cases": cases, "false_alarms": 0, "inconclusive": 0, **changes}


def test_one_false_alarm_is_too_many() -> None:
    assert calibrate.good_enough({"dtypes": [_row(), _row("float16")]})
    assert not calibrate.good_enough({"dtypes": [_row(), _row("float16", false_alarms=1)]})


def test_few_cases_may_be_inconclusive_except_in_half_formats() -> None:
    assert calibrate.good_enough({"dtypes": [_row(inconclusive=9)]})
    assert not calibrate.good_enough({"dtypes": [_row(inconclusive=10)]})
    assert calibrate.good_enough({"dtypes": [_row("bfloat16", inconclusive=900)]})


def test_the_worst_tensor_decides_on_a_case() -> None:
    case = Case.parse(LINE)
    passed, failed = Finding("output", PASS, 2.0), Finding("h_n", FAIL, 31.0)
    hidden = Finding("c_n", INCONCLUSIVE, 500.0)
    shape = Finding("c_n", FAIL, message="shape")
    assert calibrate.summed_up(case, [passed, Finding("h_n", PASS)])[:2] == (2.0, PASS)
    assert calibrate.summed_up(case, [passed, hidden])[:2] == (500.0, INCONCLUSIVE)
    assert calibrate.summed_up(case, [passed, failed, hidden])[:2] == (31.0, FAIL)
    assert calibrate.summed_up(case, [failed, shape])[:2] == (math.inf, FAIL)


def test_calibration_counts_by_implementation_and_by_dtype() -> None:
    job = calibrate.Job("float32", 0, 3, ("a/b.py:C", "torch"))
    found = [
        calibrate.Judged(ratio, verdict, LINE)
        for ratio, verdict in ((0.5, PASS), (math.inf, FAIL), (99.0, INCONCLUSIVE))
    ]
    results = calibrate.summarised([(job, {"a/b.py:C": found, "torch": found[:1]})])
    assert [row["implementation"] for row in results["rows"]] == ["b.py:C", "torch"]
    (row,) = results["dtypes"]
    assert (row["cases"], row["false_alarms"], row["inconclusive"]) == (4, 1, 1)
    assert (row["histogram"][0], row["histogram"][-1]) == (2, 1)


def test_a_wrong_implementation_is_an_alarm() -> None:
    target = "lstm_conformance.defects.equations.parameters:BiasHHIgnored"
    found = calibrate.measure(calibrate.Job("float64", 0, 10, ("torch.nn:LSTM", target)))
    assert all(one.verdict == PASS for one in found["torch.nn:LSTM"])
    assert any(one.verdict == FAIL for one in found[target])


def test_the_published_calibration_is_of_every_correct_implementation() -> None:
    results = json.loads((PUBLISHED / "calibration.json").read_text("utf-8"))
    judged = {(row["implementation"], row["dtype"]) for row in results["rows"]}
    names = ["torch.nn:LSTM", "torch-onednn-off"]
    names += [f"correct.py:{name}" for name in CORRECT]
    assert judged == {(name, dtype) for name in names for dtype in PRECISIONS}
    assert sum(row["cases"] for row in results["dtypes"]) >= 100_000
    assert calibrate.good_enough(results)
    assert (PUBLISHED / "calibration.md").read_text("utf-8") == calibrate.page(results)
