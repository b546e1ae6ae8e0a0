"""Cases that tell one defect from another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...spec.case import LAYOUTS, OUTPUTS, Case

__all__ = ["is_determined", "probing_cases"]


def is_determined(case: Case) -> bool:
    """Whether the results of ``case`` do not depend on random numbers."""
    return not 0 < case.active_dropout < 1


def probing_cases(case: Case) -> list[Case]:
    """Cases like ``case`` with distinct sizes, several steps and several rows.

    The first one differs from ``case`` in nothing else. Each of the others changes one parameter:
    a defect that shows for all values of a parameter is not the one that shows for one value.
    """
    config = case.config
    like = _with_layout(
        Case(
            replace(
                config,
                input_size=3,
                hidden_size=4,
                proj_size=2 if config.proj_size else 0,
                dropout=1.0 if config.dropout else 0.0,
            ),
            dtype=case.dtype,
            device=case.device,
            training=case.training,
            states=case.states,
            weight_scale=2.0,
            cotangents=OUTPUTS,
            seed=1,
        ),
        case.layout,
    )
    config = like.config

    def other(seed: int, **changes: Any) -> Case:
        return replace(like, config=replace(config, **changes), seed=seed)

    return [
        like,
        other(2, num_layers=3, bias=True, bidirectional=True),
        replace(like, states=not like.states, seed=5),
        other(6, bias=not config.bias),
        other(7, bidirectional=not config.bidirectional),
        other(8, proj_size=0 if config.proj_size else 2),
        other(9, batch_first=not config.batch_first),
        other(10, num_layers=1 if config.num_layers > 1 else 2),
        *(replace(like, cotangents=(name,), seed=3) for name in OUTPUTS),
        *(_with_layout(replace(like, seed=4), name) for name in LAYOUTS if name != like.layout),
        other(11, dropout=1.0 - config.dropout),
        replace(other(14, dropout=0.5, num_layers=2), training=True),
        replace(like, training=not like.training, seed=12),
        replace(like, dtype="float32" if like.dtype == "float64" else "float64", seed=13),
    ]


def _with_layout(case: Case, layout: str) -> Case:
    lengths = {"packed_sorted": (5, 3, 2), "packed_unsorted": (3, 5, 2)}.get(layout, ())
    rows = 1 if layout == "unbatched" else 3
    return replace(case, layout=layout, lengths=lengths, seq_len=5, batch_size=rows)
