"""The capabilities that an implementation declares, and those that a case needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .case import Case
from .contract import Implementation
from .global_settings import known_settings
from .only_config import only_config, other_config
from .precision import PRECISIONS

__all__ = [
    "ALL",
    "CAPABILITIES",
    "DROPOUT_NEEDS",
    "FIELD_NEEDS",
    "REFUSED",
    "lacking",
    "needed",
    "unsupported",
]

# Name of each capability, in code and on the command line, to its meaning.
CAPABILITIES = {
    "layers": "more than one layer",
    "bidirectional": "both directions",
    "projection": "proj_size > 0",
    "no-bias": "bias=False",
    "two-biases": "separate bias_ih and bias_hh; without it, their sum is judged, and its gradient",
    "batch-first": "batch_first=True",
    "unbatched": "input without a batch axis",
    "packed": "rows of unequal length: packed sequences, lengths, masks",
    "states": "takes h_0 and c_0",
    "full-dropout": "with dropout=1, drops everything between layers in training",
    "dropout": "draws dropout masks in training",
    "gradients": "a backward pass",
    "double-backward": "gradients of gradients",
    "forward-mode": "Jacobian-vector products",
    "module": "is a torch.nn.Module, so that tests can use its methods",
    **{name: f"computes in {name}" for name in PRECISIONS},
}

ALL = frozenset(CAPABILITIES)

# How a reason begins if an implementation refuses a case that its capabilities include.
REFUSED = "refused: "


# For each discrete field of a case: from its value to the capability that it needs, "" if none.
FIELD_NEEDS: dict[str, Callable[[Any], str]] = {
    "num_layers": lambda layers: "layers" if layers > 1 else "",
    "bias": lambda bias: "" if bias else "no-bias",
    "batch_first": lambda batch_first: "batch-first" if batch_first else "",
    "bidirectional": lambda bidirectional: "bidirectional" if bidirectional else "",
    "projection": lambda projection: "projection" if projection else "",
    "layout": lambda layout: {"unbatched": "unbatched", "batched": ""}.get(layout, "packed"),
    "states": lambda states: "states" if states else "",
    "dtype": lambda dtype: dtype if dtype in PRECISIONS else "",
}

# The same for a kind of dropout that acts. Dropout acts only with more than one layer.
DROPOUT_NEEDS = {"one": "full-dropout", "some": "dropout"}


def needed(case: Case) -> frozenset[str]:
    """The capabilities that ``case`` needs."""
    config, p = case.config, case.active_dropout
    values = {
        **vars(config),
        "projection": config.proj_size > 0,
        "layout": case.layout,
        "states": case.states,
        "dtype": case.dtype,
    }
    names = {need(values[name]) for name, need in FIELD_NEEDS.items()}
    if p > 0:
        names.add(DROPOUT_NEEDS["one" if p == 1 else "some"])
    if case.cotangents:
        names.add("gradients")
    return frozenset(names - {""})


def lacking(declared: frozenset[str], names: Iterable[str]) -> str | None:
    """Which capabilities of ``names`` are not ``declared``, as a reason; None if all are."""
    missing = [name for name in CAPABILITIES if name in names and name not in declared]
    return f"no {', no '.join(missing)}" if missing else None


def unsupported(implementation: Implementation, case: Case) -> str | None:
    """Why ``implementation`` does not support ``case``; None if it does."""
    only = only_config(implementation)
    reason = None if only is None else other_config(only, case.config)
    reason = reason or lacking(implementation.capabilities, needed(case))
    if reason is not None:
        return reason
    own_reason: Callable[[Case], str | None] | None = getattr(implementation, "unsupported", None)
    if own_reason is None:
        return None
    with known_settings():
        reason = own_reason(case)
    return f"{REFUSED}{reason}" if reason else reason
