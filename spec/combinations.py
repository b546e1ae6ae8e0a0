"""All combinations of the discrete parameters, and a covering array of few of them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import combinations, product

import numpy as np

from .case import LAYOUTS, Case

__all__ = [
    "DROPOUTS",
    "DROPOUT_PROBABILITIES",
    "FACTORS",
    "Combination",
    "all_combinations",
    "covering_array",
    "covering_first",
]

# Kinds of dropout: none; in evaluation mode, where it must not act; dropout=1 in training.
DROPOUTS = ("none", "eval", "one")

# The probabilities of each kind. The kind "some", random dropout in training, is part of no
# combination, because its results are random.
DROPOUT_PROBABILITIES = {
    "none": (0.0,),
    "eval": (0.5, 0.1),
    "one": (1.0,),
    "some": (0.5, 0.1, 0.8),
}


@dataclass(frozen=True)
class Combination:
    """The discrete parameters of a case: everything except sizes and values."""

    num_layers: int
    bias: bool
    batch_first: bool
    bidirectional: bool
    projection: bool
    dropout: str
    layout: str
    states: bool
    dtype: str

    @classmethod
    def of(cls, case: Case) -> Combination:
        """The combination of ``case``. With random dropout, it is none of all combinations."""
        config = case.config
        acts = "one" if config.dropout == 1 else "some"
        dropout = "none" if config.dropout == 0 else acts if case.training else "eval"
        return cls(
            config.num_layers,
            config.bias,
            config.batch_first,
            config.bidirectional,
            config.proj_size > 0,
            dropout,
            case.layout,
            case.states,
            case.dtype,
        )

    def __str__(self) -> str:
        return " ".join(f"{item.name}={getattr(self, item.name)}" for item in fields(self))


# The values of each field of Combination, simplest first.
FACTORS: dict[str, tuple[int | bool | str, ...]] = {
    "num_layers": (1, 2, 3),
    "bias": (False, True),
    "batch_first": (False, True),
    "bidirectional": (False, True),
    "projection": (False, True),
    "dropout": DROPOUTS,
    "layout": LAYOUTS,
    "states": (False, True),
    "dtype": ("float64", "float32"),
}


def all_combinations() -> list[Combination]:
    """Every combination of ``FACTORS``, in a fixed order."""
    return [Combination(*choice) for choice in product(*FACTORS.values())]  # type: ignore[arg-type]


def covering_array(strength: int = 3) -> list[Combination]:
    """A covering array: every choice of values for any ``strength`` factors occurs in it.

    Strength 3 gives about 50 combinations.
    """
    return _covering(all_combinations(), strength)


def covering_first(some: list[Combination]) -> list[Combination]:
    """All of ``some``, starting with those that cover every pair of values that occurs in it."""
    first = _covering(some, strength=2)
    return first + [combination for combination in some if combination not in first]


def _covering(some: list[Combination], strength: int) -> list[Combination]:
    """A covering array from ``some``, greedy: each step adds the combination that covers most."""
    rows = np.array(
        [[values.index(getattr(c, name)) for name, values in FACTORS.items()] for c in some]
    )  # (combinations, factors)
    # Numbers the tuples of values. One column for each set of ``strength`` factors.
    columns = []
    base = 0
    for chosen in combinations(range(rows.shape[1]), strength):
        sizes = [len(tuple(FACTORS.values())[k]) for k in chosen]
        tuples = np.ravel_multi_index([rows[:, k] for k in chosen], sizes)
        columns.append(base + tuples)
        base += int(np.prod(sizes))
    number = np.column_stack(columns)
    open_tuples = np.zeros(base, bool)
    open_tuples[number] = True
    picked = []
    while open_tuples.any():
        best = int(open_tuples[number].sum(axis=1).argmax())
        open_tuples[number[best]] = False
        picked.append(some[best])
    return picked
