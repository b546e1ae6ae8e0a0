"""The sensitivity is measured right, and published for every dtype and tensor."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from lstm_conformance.reference.oracle import expect
from lstm_conformance.runner.judging.comparison import THRESHOLD
from lstm_conformance.spec.case import OUTPUTS, Case
from lstm_conformance.spec.config import LSTMConfig
from lstm_conformance.spec.precision import PRECISIONS
from tools import sensitivity, sensitivity_sizes
from tools.sensitivity import ASSERT_CLOSE, GRADCHECK, JUDGE, KINDS, PARTS

PUBLISHED = Path(__file__).parents[1] / "reports" / "published"
CASE = Case(
    LSTMConfig(2, 2, bidirectional=True, proj_size=1),
    seq_len=2,
    states=True,
    cotangents=OUTPUTS,
    seed=1,
)


@pytest.mark.parametrize("eps", [3e-15, 1e-6, 0.2, 700.0])
def test_the_smallest_is_found(eps: float) -> None:
    found = sensitivity.smallest_detected(lambda tried: tried >= eps)
    assert eps <= found <= eps * 10**sensitivity.RESOLUTION


def test_what_is_never_detected_is_infinite() -> None:
    assert sensitivity.smallest_detected(lambda tried: False) == math.inf


def test_a_method_that_rejects_everything_detects_zero() -> None:
    assert sensitivity.smallest_detected(lambda tried: True) == 0


@pytest.mark.parametrize("dtype", PRECISIONS)
def test_the_judge_detects_only_errors_beyond_the_noise(dtype: str) -> None:
    # The expected values are perturbed, so that there is no other error.
    case = sensitivity.drawn(sensitivity.DOMAIN.but(dtype=(dtype,), weight_scale=(1.0,)), 3)[-1]
    expectation = expect(case)
    name = "weight_hh_l0.grad"
    expected, noise = expectation.values[name], expectation.noise[name]
    index = np.unravel_index(np.abs(expected).argmax(), expected.shape)
    relative = float(noise[index] / abs(expected[index]))
    detects = sensitivity.judge_detects(expected, expected, noise, index, case.precision)
    assert not detects(0.0)
    assert not detects(relative)
    assert detects(100 * relative)


def test_the_element_is_in_the_row_and_the_row_in_the_whole() -> None:
    expected = expect(CASE).values
    for kind, name, parts in sensitivity.chosen_parts(CASE, expected):
        values = np.ones_like(expected[name])
        changed = {
            part: sensitivity.perturbed(values, index, 0.5, CASE.precision) != 1
            for part, index in parts.items()
        }
        assert kind == name or name.startswith(kind.removesuffix(".grad"))
        assert changed["element"].sum() == 1
        assert changed["row"].sum() == values.shape[-1]
        assert changed["whole"].all()
        assert not np.any(changed["element"] & ~changed["row"])
        assert expected[name][changed["element"]] != 0


def test_each_method_detects_by_its_own_tolerance() -> None:
    # In a row of ones: assert_close allows 1e-7 + 1e-7, the judge 30 of the noise that is given.
    one, precision = np.ones(3), PRECISIONS["float64"]
    noise = 1e-12 * one
    judge = sensitivity.judge_detects(one, one, noise, (0,), precision)
    close = sensitivity.assert_close_detects(one, one, (0,), precision)
    width = 10**sensitivity.RESOLUTION
    assert THRESHOLD * 1e-12 <= sensitivity.smallest_detected(judge) <= THRESHOLD * 1e-12 * width
    assert 2e-7 <= sensitivity.smallest_detected(close) * (1 + 1e-9) <= 2e-7 * width * (1 + 1e-6)


def test_gradcheck_sees_what_is_planted_in_the_backward_pass() -> None:
    detects = sensitivity.gradcheck_detects(CASE, "weight_ih_l0", (...,))
    assert not detects(0.0)
    assert not detects(1e-4)  # its relative tolerance is 1e-3
    assert detects(10.0)


def test_a_case_is_measured_in_every_tensor() -> None:
    found = list(sensitivity.in_values(CASE))
    assert {(one.kind, one.part, one.method) for one in found} == {
        (kind, part, method) for kind in KINDS for part in PARTS for method in (JUDGE, ASSERT_CLOSE)
    }
    assert all(0 < one.eps < 1e-3 for one in found if one.method == JUDGE)


def test_half_means_half_of_the_cases_that_are_not_rejected_anyway() -> None:
    sizes = [0.0, 1e-3, 1e-2, math.inf]
    rows = [sensitivity.Found("float64", "h_n", "row", JUDGE, eps) for eps in sizes]
    (row,) = sensitivity.summarised(rows)["rows"]
    assert (row["cases"], row["objected"], row["never_detected"]) == (4, 1, 1)
    assert row["half_detected"] == 1e-2
    assert not sensitivity.rejects_right_tensors(row)


def test_published_for_every_dtype_tensor_part_and_method() -> None:
    results = json.loads((PUBLISHED / "sensitivity.json").read_text("utf-8"))
    rows = {
        (row["dtype"], row["tensor"], row["part"], row["method"]): row for row in results["rows"]
    }
    assert len(rows) == len(results["rows"])
    gradients = [kind for kind in KINDS if kind.endswith(".grad")]
    assert set(rows) == {
        (dtype, kind, part, method)
        for dtype in PRECISIONS
        for kind in KINDS
        for part in PARTS
        for method in (JUDGE, ASSERT_CLOSE)
    } | {("float64", kind, part, GRADCHECK) for kind in gradients for part in PARTS}
    assert all(row["objected"] == 0 for key, row in rows.items() if key[-1] == JUDGE)


def test_the_published_page_is_that_of_the_published_figures() -> None:
    results = json.loads((PUBLISHED / "sensitivity.json").read_text("utf-8"))
    text = (PUBLISHED / "sensitivity.md").read_text("utf-8")
    assert text == sensitivity.page(results)
    assert "](sensitivity.svg)" in text
    picture = (PUBLISHED / "sensitivity.svg").read_text("utf-8")
    assert "prefers-color-scheme" in picture
    assert sensitivity._alternative(results) in picture


# --------------------------------------------------------------------------------- by size


def test_an_element_of_every_tensor_is_measured_in_both_dtypes() -> None:
    found = sensitivity_sizes.measured(CASE)
    columns = Counter((seen.method, seen.dtype) for seen in found)
    assert set(columns) == set(sensitivity_sizes.COLUMNS)
    assert len(set(columns.values())) == 1
    assert all(seen.classes["hidden_size"] == 8 for seen in found)
    in_float64, in_float32 = (
        sorted(seen.eps for seen in found if (seen.method, seen.dtype) == (JUDGE, dtype))
        for dtype in sensitivity_sizes.DTYPES
    )
    assert 0 < in_float64[0] < in_float64[-1] < in_float32[0] < 1e-2


def test_the_median_of_a_class_of_sizes() -> None:
    classes = dict.fromkeys(sensitivity_sizes.DIMENSIONS, 16)
    found = [
        sensitivity_sizes.Seen(classes, method, dtype, eps)
        for method, dtype in sensitivity_sizes.COLUMNS
        for eps in (1e-3, 1e-2, 1e-1 if method == JUDGE else math.inf)
    ]
    row = next(row for row in sensitivity_sizes.summarised(found) if row["up_to"] == 16)
    assert (row["tensors"], row[f"{JUDGE}, float64"]) == (3, 1e-2)
    empty = next(row for row in sensitivity_sizes.summarised(found) if row["up_to"] == 8)
    assert (empty["tensors"], empty[f"{JUDGE}, float32"]) == (0, None)
    assert "|      16 |         3 |" in sensitivity_sizes.page(
        {"cases": 1, "rows": sensitivity_sizes.summarised(found)}
    )


def test_the_published_sensitivity_does_not_fall_with_the_size() -> None:
    """Or the noise of large cases would be too wide, and the judge blind there."""
    results = json.loads((PUBLISHED / "sensitivity_sizes.json").read_text("utf-8"))
    assert (PUBLISHED / "sensitivity_sizes.md").read_text("utf-8") == sensitivity_sizes.page(
        results
    )
    for dtype in sensitivity_sizes.DTYPES:
        seen = [row[f"{JUDGE}, {dtype}"] for row in results["rows"] if row["tensors"] >= 20]
        assert len(seen) >= 20
        assert max(seen) < 10 * np.median(seen)
