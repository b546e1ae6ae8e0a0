"""Cases that tell one defect from another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...spec.case import LAYOUTS, OUTPUTS, Case
from ...spec.sizes import sizes_of, with_sizes

__all__ = ["is_determined", "is_large", "larger_cases", "probing_cases", "single_steps"]

# A case with more cells in all steps, layers and directions, or with more units, is large.
_CELLS, _UNITS = 100, 32

# How much larger than a small case the two cases are that show where it is wrong.
_LARGER = {"seq_len": (3, 5), "batch_size": (3, 4), "input_size": (2, 3), "hidden_size": (4, 6)}

# With weights so much larger, gates are nearly open or closed.
_STEEP = 10.0


def is_determined(case: Case) -> bool:
    """Whether the results of ``case`` do not depend on random numbers."""
    return not 0 < case.active_dropout < 1


def is_large(case: Case) -> bool:
    """Whether running all defects on ``case`` would take minutes."""
    config = case.config
    cells = case.seq_len * config.num_layers * config.num_directions
    return cells > _CELLS or config.hidden_size > _UNITS


def larger_cases(case: Case) -> list[Case]:
    """Two cases like ``case`` that are a little larger, in each size by another number.

    Raises:
        ValueError: some values of ``case`` are replaced, so that there are no such cases.
    """
    sizes = sizes_of(case)
    found = []
    for k in range(2):
        more = {name: getattr(sizes, name) + by[k] for name, by in _LARGER.items()}
        if case.layout == "unbatched":
            more["batch_size"] = 1
        if sizes.proj_size:
            more["proj_size"] = sizes.proj_size + 1 + k
        found.append(replace(with_sizes(case, sizes._replace(**more)), seed=case.seed + k))
    return found


def single_steps(case: Case) -> list[Case]:
    """Two larger cases of one step with large values: no earlier step hides what it does.

    Raises:
        ValueError: as :func:`larger_cases`.
    """
    layout = "batched" if case.packed else case.layout
    scale = _STEEP * max(case.weight_scale, 1.0)
    return [
        replace(c, layout=layout, lengths=(), seq_len=1, weight_scale=scale)
        for c in larger_cases(case)
    ]


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
            products=case.products,
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
        *(replace(like, cotangents=("output", name), seed=15) for name in OUTPUTS[1:]),
        *(_with_layout(replace(like, seed=4), name) for name in LAYOUTS if name != like.layout),
        other(11, dropout=1.0 - config.dropout),
        *(replace(other(14, dropout=0.5, num_layers=2), training=mode) for mode in (True, False)),
        replace(like, training=not like.training, seed=12),
        replace(like, dtype="float32" if like.dtype == "float64" else "float64", seed=13),
    ]


def _with_layout(case: Case, layout: str) -> Case:
    lengths = {"packed_sorted": (5, 3, 2), "packed_unsorted": (3, 5, 2)}.get(layout, ())
    rows = 1 if layout == "unbatched" else 3
    return replace(case, layout=layout, lengths=lengths, seq_len=5, batch_size=rows)
