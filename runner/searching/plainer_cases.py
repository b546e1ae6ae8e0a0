"""Cases like a large one, each without one of its options."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ...spec.case import Case

__all__ = ["WITHOUT_AN_OPTION"]


def _configured(**changes: Any) -> Callable[[Case], Case]:
    return lambda case: replace(case, config=replace(case.config, **changes))


# The options that make a case hardest to follow come first. Some cases have no such change: these
# functions raise ValueError for them, or return the same case.
WITHOUT_AN_OPTION: tuple[Callable[[Case], Case], ...] = (
    _configured(num_layers=1, dropout=0.0),
    _configured(bidirectional=False),
    _configured(proj_size=0),
    lambda case: replace(case, layout="batched", lengths=()),
    lambda case: replace(case, cotangents=()),
    lambda case: replace(case, cotangents=case.cotangents[:1]),
    lambda case: replace(case, states=False),
    _configured(dropout=0.0),
    _configured(batch_first=False),
    lambda case: replace(case, training=False),
)
