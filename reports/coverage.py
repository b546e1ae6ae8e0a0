"""Which parameter combinations were visited, computed from those that were left out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import product
from math import prod

from ..spec import combinations
from .results import Results

__all__ = ["FACTORS", "Coverage", "LeftOut", "coverage"]

# Name of each parameter of a combination to its values, as text in results.
FACTORS = {name: tuple(map(str, values)) for name, values in combinations.FACTORS.items()}

# A parameter and its value.
Choice = tuple[str, str]


@dataclass(frozen=True)
class LeftOut:
    """Combinations that were left out for one reason.

    Attributes:
        common: the choices to which they are limited, such as ``layout=unbatched``; empty if
            every choice occurs.
    """

    reason: str
    number: int
    common: str


@dataclass(frozen=True)
class Coverage:
    """How many combinations were visited.

    Attributes:
        pairs: each pair of choices of different parameters, and each choice with itself, to the
            number of visited combinations that have both; None if the results have combinations
            that this version does not know.
        possible: the same pairs to the number of all combinations that have both.
    """

    total: int
    visited: int
    left_out: list[LeftOut]
    pairs: dict[tuple[Choice, Choice], int] | None
    possible: dict[tuple[Choice, Choice], int]


def coverage(results: Results) -> Coverage:
    """The coverage that ``results`` record."""
    found = results["coverage"]["combinations"]
    total, visited = found["total"], found["visited"]
    left_out, missing = [], []
    for group in found["left_out"]:
        of_group = [_choices(line) for line in group["combinations"]]
        left_out.append(LeftOut(group["reason"], len(of_group), _common(of_group)))
        missing += of_group
    possible = _possible()
    known = total == prod(map(len, FACTORS.values())) and visited == total - len(missing)
    known = known and all(_is_known(combination) for combination in missing)
    pairs = None
    if known:
        missed = Counter(pair for combination in missing for pair in product(combination, repeat=2))
        pairs = {pair: number - missed[pair] for pair, number in possible.items()}
    return Coverage(total, visited, left_out, pairs, possible)


def _choices(line: str) -> list[Choice]:
    words = (word.partition("=") for word in line.split())
    return [(factor, value) for factor, _, value in words]


def _is_known(combination: list[Choice]) -> bool:
    return [factor for factor, _ in combination] == list(FACTORS) and all(
        value in FACTORS[factor] for factor, value in combination
    )


def _common(of_group: list[list[Choice]]) -> str:
    parts = []
    for factor, values in FACTORS.items():
        seen = {value for combination in of_group for f, value in combination if f == factor}
        if seen and len(seen) < len(values):
            parts.append(f"{factor}={'|'.join(v for v in values if v in seen)}")
    return ", ".join(parts)


def _possible() -> dict[tuple[Choice, Choice], int]:
    total = prod(map(len, FACTORS.values()))
    choices = [(factor, value) for factor, values in FACTORS.items() for value in values]
    number = {}
    for one, other in product(choices, repeat=2):
        if one == other:
            number[one, other] = total // len(FACTORS[one[0]])
        elif one[0] != other[0]:
            number[one, other] = total // len(FACTORS[one[0]]) // len(FACTORS[other[0]])
    return number
