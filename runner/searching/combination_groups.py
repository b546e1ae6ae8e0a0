"""Parameter combinations in groups: a test for each combination would be mostly overhead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from ...spec.combinations import Combination, all_combinations, covering_array, covering_first

__all__ = ["combination_groups", "side_by_side"]

# So many combinations, the most different ones, come before the others.
_FIRST = 12


@cache
def combination_groups(everything: bool) -> dict[str, list[Combination]]:
    """Name of each group to its combinations: all, or those of the covering array.

    The first combinations of a group cover all pairs of values, so that a test that has to end
    early has judged the most different ones.
    """
    groups: dict[str, list[Combination]] = {}
    for combination in all_combinations() if everything else covering_array():
        name = f"{combination.num_layers}-layers"
        if everything:
            name += "-bidirectional" if combination.bidirectional else ""
            name += "-projection" if combination.projection else ""
            name += f"-{combination.layout}"
        groups.setdefault(name, []).append(combination)
    return {name: covering_first(group) for name, group in groups.items()}


def side_by_side(group: Sequence[Combination]) -> list[list[Combination]]:
    """The combinations of ``group`` in batches whose cases the reference can compute together.

    The combinations of a batch differ only in ``batch_first``, ``states``, ``dtype``, and dropout
    that does not act. The first ones of the group stay first.
    """
    batches: dict[Combination, list[Combination]] = {}
    for place, combination in enumerate(group):
        same = replace(
            combination,
            batch_first=place < _FIRST,  # apart from the later ones
            states=False,
            dtype="",
            dropout="one" if combination.dropout == "one" else "none",
        )
        batches.setdefault(same, []).append(combination)
    return list(batches.values())
