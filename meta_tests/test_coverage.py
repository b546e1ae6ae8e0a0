"""Coverage follows from the combinations that were left out."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from lstm_conformance.reports.coverage import FACTORS, coverage
from lstm_conformance.spec import combinations as spec

from .helpers.made_up_results import right


def recorded(*left_out: tuple[str, list[str]], visited: int) -> dict[str, Any]:
    """Results with these combinations left out."""
    groups = [{"reason": reason, "combinations": names} for reason, names in left_out]
    found = {"total": 2304, "visited": visited, "left_out": groups}
    return {"coverage": {"combinations": found}}


def test_every_pair_is_counted() -> None:
    everything = list(spec.all_combinations())
    unbatched = [str(c) for c in everything if c.layout == "unbatched" and not c.bias]
    found = coverage(recorded(("no unbatched", unbatched), visited=2304 - len(unbatched)))
    assert found.left_out[0].common == "bias=False, layout=unbatched"
    assert found.left_out[0].number == len(unbatched)
    visited = [f"{c} " for c in everything if str(c) not in set(unbatched)]
    assert found.pairs is not None
    assert found.pairs[("layout", "unbatched"), ("bias", "False")] == 0
    for one, other in combinations(FACTORS, 2):
        for value, other_value in zip(FACTORS[one], FACTORS[other], strict=False):
            number = sum(
                f"{one}={value} " in line and f"{other}={other_value} " in line for line in visited
            )
            assert found.pairs[(one, value), (other, other_value)] == number
            assert found.pairs[(other, other_value), (one, value)] == number


def test_a_covering_array_tries_every_pair() -> None:
    found = coverage(right())
    assert found.pairs is not None
    assert min(found.pairs.values()) > 0
    assert (
        found.pairs[("bias", "True"), ("bias", "True")]
        + found.pairs[("bias", "False"), ("bias", "False")]
        == found.visited
    )


def test_unknown_combinations_are_not_counted() -> None:
    assert coverage(recorded(("x", ["depth=1"]), visited=2303)).pairs is None
    assert coverage(recorded(("x", ["<script>"]), visited=2303)).pairs is None
    assert coverage(recorded(visited=3)).pairs is None
    assert coverage(recorded(visited=2304)).pairs is not None
