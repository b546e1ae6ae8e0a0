"""No correct implementation is flagged, however it computes."""

from __future__ import annotations

from pathlib import Path

import pytest

from .command_line import IMPLEMENTATIONS, check

pytest.importorskip("torch")

DEVIATIONS = Path(__file__).parents[1] / "reports" / "known_deviations"

CORRECT = (
    "SigmoidByTanh",
    "ExponentialGates",
    "ConcatenatedProduct",
    "SummedFromTheEnd",
    "InputProductAhead",
    "Float64Inside",
    "RecomputedInBackward",
    "MaskedPadding",
    "HandWrittenBackward",
)


@pytest.mark.parametrize(
    "target",
    ["torch-onednn-off", *(f"{IMPLEMENTATIONS / 'correct.py'}:{name}" for name in CORRECT)],
    ids=lambda target: target.rpartition(":")[2],
)
def test_correct_implementation_conforms(target: str, tmp_path: Path) -> None:
    options = ("--profile", "smoke", "--dtype", "float64", "--dtype", "float32")
    if target == "torch-onednn-off":
        options += ("--known-deviations", str(DEVIATIONS / f"{target}.toml"))
    ended, results = check(target, *options, cwd=tmp_path)
    assert ended.status == 0, ended.out
    assert results["conformant"] is True
    worst = max(clause["worst_ratio"] or 0.0 for clause in results["clauses"])
    assert worst < 15, "far from the threshold, not just under it"
