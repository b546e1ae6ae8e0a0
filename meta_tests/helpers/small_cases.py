"""Small float64 cases of given combinations, the same in every run."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np

from lstm_conformance.reference.lstm import lstm
from lstm_conformance.spec.case import OUTPUTS, Case, uniform_numbers
from lstm_conformance.spec.combinations import (
    DROPOUT_PROBABILITIES,
    Combination,
    all_combinations,
    covering_array,
)
from lstm_conformance.spec.config import LSTMConfig

__all__ = ["COVERING", "FLOAT64", "case_of", "masks_of", "with_masks"]

# All combinations in float64.
FLOAT64 = [c for c in all_combinations() if c.dtype == "float64"]

# A covering array of them: every choice of values for three parameters occurs.
COVERING = list(dict.fromkeys(replace(c, dtype="float64") for c in covering_array()))


def case_of(combination: Combination, seed: int = 0, **changes: Any) -> Case:
    """A case of ``combination`` with sizes and values by ``seed``, and all cotangents.

    Args:
        changes: fields of the case that are to have other values.
    """
    source = random.Random(f"{combination} {seed}")
    lengths: tuple[int, ...] = ()
    seq_len, batch_size = source.randint(1, 4), source.randint(1, 3)
    if combination.layout == "unbatched":
        batch_size = 1
    elif combination.layout == "packed_sorted":
        drawn = [source.randint(1, 4) for _ in range(batch_size)]
        lengths = tuple(sorted(drawn, reverse=True))
    elif combination.layout == "packed_unsorted":
        shortest = source.randint(1, 3)
        lengths = (shortest, source.randint(shortest + 1, 4), source.randint(1, 4))
        lengths = lengths[: max(2, batch_size)]
    if lengths:
        seq_len, batch_size = max(lengths), len(lengths)
    hidden_size = source.randint(2, 3)
    case = Case(
        config=LSTMConfig(
            input_size=source.randint(1, 3),
            hidden_size=hidden_size,
            num_layers=combination.num_layers,
            bias=combination.bias,
            batch_first=combination.batch_first,
            dropout=DROPOUT_PROBABILITIES[combination.dropout][0],
            bidirectional=combination.bidirectional,
            proj_size=source.randint(1, hidden_size - 1) if combination.projection else 0,
        ),
        seq_len=seq_len,
        batch_size=batch_size,
        layout=combination.layout,
        lengths=lengths,
        dtype=combination.dtype,
        training=combination.dropout == "one",
        states=combination.states,
        weight_scale=source.choice((1.0, 2.0)),
        cotangents=OUTPUTS,
        seed=source.getrandbits(32),
    )
    return replace(case, **changes)


def masks_of(case: Case, probability: float = 0.25) -> list[np.ndarray]:
    """A dropout mask (T, N, D*R) for each layer but the last: 0 or 1 / (1 - p)."""
    config = case.config
    shape = (case.seq_len, case.batch_size, config.num_directions * config.output_size)
    masks = []
    for layer in range(config.num_layers - 1):
        uniform = (uniform_numbers(case.seed, f"mask {layer}", shape) + 1) / 2
        masks.append(np.where(uniform < probability, 0, 1 / (1 - probability)))
    return masks


def with_masks(given: list[np.ndarray], *arguments: Any, **named: Any) -> Any:
    """``lstm`` with given masks, which no case can have. It replaces that of the oracle."""
    return lstm(*arguments, **{**named, "masks": given})
