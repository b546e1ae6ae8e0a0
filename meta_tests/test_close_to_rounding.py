"""``assert_close_to_rounding``: what it accepts, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lstm_conformance import Case, assert_close_to_rounding, expect
from lstm_conformance.spec.precision import PRECISIONS

CASE = Case.parse("v1 input_size=2 hidden_size=3 seq_len=4")


def three(dtype: str = "float64") -> tuple[Any, Any, Any]:
    """What is expected of the output, in ``dtype`` and exactly, and the noise."""
    expected = expect(replace(CASE, dtype=dtype))
    values, noise = expected.values["output"], expected.noise["output"]
    return values.astype(dtype if dtype != "bfloat16" else "float64"), values, noise


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_rounded_values_are_close(dtype: str) -> None:
    assert_close_to_rounding(*three(dtype))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_one_wrong_element_is_named(dtype: str) -> None:
    actual, expected, noise = three(dtype)
    wrong = actual.copy()
    wrong[2, 0, 1] *= 1 + 1e4 * PRECISIONS[dtype].unit_roundoff
    with pytest.raises(AssertionError, match=r"^out\[2, 0, 1\] is .*times rounding noise"):
        assert_close_to_rounding(wrong, expected, noise, name="out")
    wrong[2, 0, 1] = np.nan
    with pytest.raises(AssertionError, match="is nan, expected"):
        assert_close_to_rounding(wrong, expected, noise)


def test_the_dtype_decides() -> None:
    actual, expected, _ = three("float32")
    none = np.zeros_like(expected)
    assert_close_to_rounding(actual, expected, none)
    with pytest.raises(AssertionError):
        assert_close_to_rounding(actual.astype("float64"), expected, none)
    assert_close_to_rounding(actual.astype("float64"), expected, none, dtype="float32")


def test_shapes_and_dtypes_that_are_refused() -> None:
    actual, expected, noise = three()
    with pytest.raises(AssertionError, match=r"shape is \(1, 3\), not \(4, 1, 3\)"):
        assert_close_to_rounding(actual[0], expected, noise)
    with pytest.raises(ValueError, match="'int64' is not judged"):
        assert_close_to_rounding(actual.astype("int64"), expected, noise)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_tensors_of_torch(dtype: str) -> None:
    torch = pytest.importorskip("torch")
    _, expected, noise = three(dtype)
    tensor = torch.tensor(expected, dtype=getattr(torch, dtype)).requires_grad_()
    assert_close_to_rounding(tensor, expected, noise)
    with pytest.raises(AssertionError):
        assert_close_to_rounding(tensor * 1.5, expected, noise)


def test_what_proves_nothing_is_an_error() -> None:
    expected = np.ones(3)
    with pytest.raises(AssertionError, match="so ill-conditioned that this proves nothing"):
        assert_close_to_rounding(expected * 20, expected, expected * 0.5)
