"""Products of float32 that are declared to have fewer digits: what is right then, and what not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

import torch

from lstm_conformance import UsageError
from lstm_conformance import check as judge
from lstm_conformance.adapters.target import load
from lstm_conformance.reference.oracle import expect
from lstm_conformance.runner.judging.rules import close
from lstm_conformance.runner.judging.trial import Trial
from lstm_conformance.spec.case import OUTPUTS, Case
from lstm_conformance.spec.case_fields import case_fields
from lstm_conformance.spec.config import LSTMConfig
from lstm_conformance.spec.contract import Implementation
from lstm_conformance.spec.precision import PRODUCTS
from tools import calibrate, calibrate_products
from tools.calibrate_products import Job
from tools.rounded_products import BITS, RoundedProducts, with_rounded_products

from .helpers.command_line import IMPLEMENTATIONS, check, root_causes

MISTAKES = IMPLEMENTATIONS / "mistakes.py"
IN_TF32 = f"{MISTAKES}:TensorFloatProducts"
PUBLISHED = Path(__file__).parents[1] / "reports" / "published"

PLAIN = Case(
    LSTMConfig(3, 4),
    seq_len=5,
    batch_size=3,
    dtype="float32",
    states=True,
    cotangents=OUTPUTS,
)
CASES = {
    "small": PLAIN,
    "projection": replace(PLAIN, config=LSTMConfig(3, 4, proj_size=2)),
    "both directions, packed": replace(
        PLAIN,
        config=LSTMConfig(3, 4, num_layers=2, bidirectional=True),
        layout="packed_unsorted",
        lengths=(2, 5, 3),
    ),
    "long": replace(PLAIN, seq_len=200),
    "wide": replace(PLAIN, config=LSTMConfig(128, 256)),
    "many rows": replace(PLAIN, batch_size=200),
    "saturated": replace(PLAIN, weight_scale=10.0),
}


def worst_ratio(target: str, case: Case) -> float:
    return ratio_of(load(target), case)


def ratio_of(implementation: Implementation, case: Case) -> float:
    return max(finding.ratio or 0.0 for finding in close()(Trial(case, implementation)))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_declared_products_are_right(case: Case) -> None:
    assert worst_ratio(IN_TF32, case) > 100
    assert worst_ratio(IN_TF32, replace(case, products="tf32")) < 15


def test_fewer_digits_than_declared_are_found() -> None:
    in_bfloat16 = f"{MISTAKES}:BfloatWeights"
    assert worst_ratio(in_bfloat16, replace(PLAIN, products="tf32")) > 30
    assert worst_ratio(in_bfloat16, replace(PLAIN, products="bfloat16")) < 30


def test_other_formats_stay_as_exact_as_they_are() -> None:
    assert worst_ratio(IN_TF32, replace(PLAIN, dtype="float64", products="tf32")) > 30
    case = replace(PLAIN, dtype="float16")
    for name, noise in expect(case).noise.items():
        declared = expect(replace(case, products="bfloat16")).noise[name]
        assert declared.max() < 2 * noise.max(), name


def test_other_mistakes_are_found_as_before() -> None:
    case = replace(PLAIN, products="tf32")
    assert worst_ratio("torch.nn:LSTM", case) < 15
    assert worst_ratio(f"{MISTAKES}:OutputClipped", case) > 30


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("products", PRODUCTS)
def test_torch_with_such_products(products: str, case: Case) -> None:
    implementation = with_rounded_products(torch.nn.LSTM, products)
    assert ratio_of(implementation, case) > 100
    assert ratio_of(implementation, replace(case, products=products)) < 15


def test_factors_lose_their_last_bits_in_both_passes() -> None:
    x = torch.tensor([[1 + 7 * 2**-10]], requires_grad=True)  # 11 bits, of which bfloat16 has 8
    w = torch.tensor([[-1 - 7 * 2**-10]], requires_grad=True)
    for cut, left in ((False, 1 + 2**-7), (True, 1.0)):
        with RoundedProducts(BITS["bfloat16"], cut):
            (product,) = torch.nn.functional.linear(x, w)
            gradients = torch.autograd.grad(product, (x, w))
            elements = (x * w).item()
        assert product.item() == -left * left
        assert [gradient.item() for gradient in gradients] == [-left, left]
        assert elements == x.item() * w.item()
    wide = x.detach().double()
    with RoundedProducts(BITS["bfloat16"]):
        assert (wide @ wide).item() == x.item() ** 2


def test_the_calibration_tells_what_is_declared() -> None:
    measured = [
        (job, calibrate_products.measure(job))
        for job in (Job("tf32", True, True, 0, 2), Job("tf32", True, False, 0, 2))
    ]
    results = calibrate_products.summarised(measured)
    assert all(row["false_alarms"] == 0 for row in results["declared"])
    (row,) = results["undeclared"]
    assert row["failed"] == row["cases"] == 2 * len(results["declared"])


def test_published_calibration() -> None:
    results = json.loads((PUBLISHED / "calibration_products.json").read_text("utf-8"))
    rows = results["declared"]
    names = {*calibrate.correct_rewrites().__all__, "LSTM"} - {*calibrate_products.OTHERS}
    kinds = {(row["products"], row["cut"], row["implementation"]) for row in rows}
    assert kinds == {(p, cut, name) for p in PRODUCTS for cut in (False, True) for name in names}
    assert all(row["false_alarms"] == 0 for row in rows)
    text = (PUBLISHED / "calibration_products.md").read_text("utf-8")
    assert text == calibrate_products.page(results)


@pytest.mark.parametrize("products", PRODUCTS)
def test_the_line_of_a_case_has_it(products: str) -> None:
    case = replace(PLAIN, products=products)
    assert f"products={products}" in str(case)
    assert Case.parse(str(case)) == case


def test_unknown_formats_are_refused() -> None:
    with pytest.raises(ValueError, match="products must be one of tf32"):
        replace(PLAIN, products="int8")


def test_programs_are_not_told() -> None:
    assert "products" not in case_fields(replace(PLAIN, products="tf32"))


@pytest.mark.whole
def test_on_the_command_line(tmp_path: Path) -> None:
    options = ("--profile", "smoke", "--dtype", "float32", "--clause", "DTYPE-3")
    options += ("--no-diagnosis",)
    ended, results = check(IN_TF32, *options, cwd=tmp_path)
    assert ended.status == 1
    assert root_causes(results) == {"DTYPE-3"}
    ended, results = check(IN_TF32, *options, "--working-precision", "tf32", cwd=tmp_path)
    assert ended.status == 0
    assert results["working_precision"] == "tf32"
    assert "TF32" in ended.out


def test_from_python() -> None:
    asked: dict[str, Any] = {"profile": "smoke", "clauses": "DTYPE-3", "dtypes": "float32"}
    assert not judge(IN_TF32, **asked).conformant
    results = judge(IN_TF32, **asked, working_precision="tf32")
    assert results.conformant
    assert "As declared, products of float32 may be computed in TF32." in results.text()
    with pytest.raises(UsageError, match="choose from tf32"):
        judge(IN_TF32, **asked, working_precision="int8")
