"""The growth of errors is measured right, and published for every size that grows."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from lstm_conformance.adapters.torch_module import torch_lstm
from lstm_conformance.runner.judging.comparison import THRESHOLD
from lstm_conformance.spec.contract import Implementation
from tools import growth

from .helpers.modified_reference import Modified
from .helpers.selection import elsewhere

PUBLISHED = Path(__file__).parents[1] / "reports" / "published"
SIZES = (1, 8, 64)


def drifting(case: Any, observation: Any) -> Any:
    """Outputs whose relative error is a few roundings more in each step."""
    tensors = dict(observation.tensors)
    output = tensors["output"].values
    steps = np.arange(case.seq_len)[:, None, None]
    drift = 1 + 8 * case.precision.unit_roundoff * steps
    tensors["output"] = replace(tensors["output"], values=output * drift)
    return replace(observation, tensors=tensors)


def measured(implementations: dict[str, Implementation]) -> dict[str, Any]:
    points = [growth.Point("seq_len", size, "open", "float32") for size in SIZES]
    return growth.summarised({p: growth.measured(p, implementations) for p in points})


def test_errors_that_grow_faster_than_the_noise_are_seen() -> None:
    results = measured({"right": torch_lstm(), "wrong": Modified(drifting)})
    series = {one["tensor"]: one for one in results["series"]}
    right, wrong = (growth.over_noise(series["output"], label) for label in ("right", "wrong"))
    assert max(right) < 3 * min(right)
    assert wrong[-1] > 20 * max(right), "it grows in the figures"
    assert wrong == sorted(wrong)
    seen = growth.outgrown(results)
    assert all(text.startswith("wrong, open gates, float32, output: ") for text in seen)
    assert seen[-1].endswith(" times the noise at seq_len 64")
    assert seen[-1] in growth.page(results)
    of_gradients = growth.over_noise(series["weight_hh_l0.grad"], "wrong")
    assert max(of_gradients) < 1, "nothing is planted there"


def test_errors_of_both_dtypes_are_in_the_same_units() -> None:
    of_dtypes = [
        growth.measured(growth.Point("hidden_size", 4, "open", dtype), {"it": torch_lstm()})
        for dtype in growth.DTYPES
    ]
    for tensor in growth.TENSORS:
        errors, noises = ([f[tensor, label].rms for f in of_dtypes] for label in ("it", "noise"))
        assert max(errors) < 3 * min(errors)
        assert max(noises) < 1.5 * min(noises)


def test_one_size_grows_at_a_time() -> None:
    for point in growth.sweep():
        for case in point.cases[:1]:
            sizes = {**vars(case.config), **vars(case)}
            grown = {n for n, base in growth.BASE._asdict().items() if sizes[n] != base}
            assert grown <= {point.axis}
            assert sizes[point.axis] == point.size


def published() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((PUBLISHED / "growth.json").read_text("utf-8"))
    return found


def test_the_published_page_is_that_of_the_published_figures() -> None:
    text = (PUBLISHED / "growth.md").read_text("utf-8")
    assert text == growth.page(published())
    for gates in growth.GATES:
        assert f"](growth_{gates}.svg)" in text
        assert (PUBLISHED / f"growth_{gates}.svg").read_text("utf-8").startswith("<svg")


def test_every_size_is_published_and_no_error_outgrows_the_noise() -> None:
    results = published()
    points = {
        growth.Point(one["axis"], size, one["gates"], one["dtype"])
        for one in results["series"]
        for size in one["sizes"]
    }
    assert points == {*growth.sweep()}
    assert {one["tensor"] for one in results["series"]} == {*growth.TENSORS}
    assert growth.outgrown(results) == []
    for one in results["series"]:
        assert set(one["errors"]) == set(growth.TARGETS)
        assert max(ratio for errors in one["errors"].values() for ratio in errors["ratio"]) < (
            THRESHOLD
        )


@pytest.mark.parametrize("gates", ["open", elsewhere("saturated")])
def test_the_picture_has_a_line_for_each_series(gates: str) -> None:
    picture = growth.picture(published(), gates)
    for words in (*growth.TARGETS, *growth.AXES, *growth.DTYPES, "predicted noise", gates):
        assert words in picture
