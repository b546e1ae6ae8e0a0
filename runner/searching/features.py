"""Which alternatives of a domain no case had: how often they are drawn is up to Hypothesis."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product
from typing import Any

from ...spec.case import Case
from ...spec.combinations import Combination
from ...spec.strategies import Domain

__all__ = ["missing_parts", "strength_for"]

Feature = tuple[str, Any]

# The fields of a domain that are alternatives. Sizes are ranges, and cannot all be visited.
_FIELDS = (
    "num_layers",
    "bias",
    "batch_first",
    "bidirectional",
    "projection",
    "dropout",
    "layout",
    "states",
    "dtype",
    "device",
    "cotangents",
    "weight_scale",
    "input_scale",
    "state_scale",
)


def strength_for(examples: int) -> int:
    """How many alternatives have to be visited together, in a search of so many examples.

    With 10 examples, nearly all alternatives are drawn; with 50, nearly all pairs. So few cases
    have to be added.
    """
    return 2 if examples >= 50 else 1 if examples >= 10 else 0


def missing_parts(domain: Domain, cases: list[Case], strength: int) -> Iterator[Domain]:
    """Parts of ``domain`` with alternatives that no case had; as many as go together in each.

    Args:
        domain: from which the cases were drawn.
        cases: the cases. The list may grow while this runs: what was added is not asked for again.
        strength: number of fields that are chosen together.
    """
    fields = [name for name in _FIELDS if len(getattr(domain, name)) > 1]
    wanted = [
        dict(zip(chosen, values, strict=True))
        for chosen in combinations(fields, min(strength, len(fields)))
        for values in product(*(getattr(domain, name) for name in chosen))
    ]
    wanted = [choice for choice in wanted if choice and _is_possible(domain, choice)]
    visited: set[tuple[Feature, ...]] = set()
    counted = 0
    while wanted:
        for case in cases[counted:]:
            of_case = features(case)
            visited.update(combinations([(name, of_case[name]) for name in fields], strength))
        counted = len(cases)
        together: dict[str, Any] = {}
        left = []
        for choice in wanted:
            if tuple(choice.items()) in visited:
                continue
            both = {**choice, **together}
            if choice.items() <= both.items() and _is_possible(domain, both):
                together = both
            else:
                left.append(choice)
        wanted = left
        if together:
            if together.get("state_scale", 1.0) != 1.0:
                together["states"] = True
            yield domain.but(**{name: (value,) for name, value in together.items()})


def _is_possible(domain: Domain, wanted: dict[str, Any]) -> bool:
    """Whether a case may have these alternatives. Only given states have a scale."""
    states = (wanted["states"],) if "states" in wanted else domain.states
    return wanted.get("state_scale", 1.0) == 1.0 or True in states


def features(case: Case) -> dict[str, Any]:
    """The alternative that ``case`` has of each field of a domain."""
    found = {**vars(case), **vars(Combination.of(case))}
    return {name: found[name] for name in _FIELDS}
