"""Parameter combinations in groups: a test for each combination would be mostly overhead."""

from __future__ import annotations

from functools import cache

from ...spec.combinations import Combination, all_combinations, covering_array, covering_first

__all__ = ["combination_groups"]


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
