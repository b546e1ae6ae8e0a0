"""The part of a domain that an implementation can be asked about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .precision import PRECISIONS
from .strategies import Domain

__all__ = ["narrowed"]

# Field of a domain to the capability that an alternative needs; empty if it needs none.
_NEEDS: dict[str, Callable[[Any], str]] = {
    "num_layers": lambda layers: "layers" if layers > 1 else "",
    "bias": lambda bias: "" if bias else "no-bias",
    "batch_first": lambda first: "batch-first" if first else "",
    "bidirectional": lambda both: "bidirectional" if both else "",
    "projection": lambda projected: "projection" if projected else "",
    "layout": lambda layout: {"unbatched": "unbatched", "batched": ""}.get(layout, "packed"),
    "states": lambda given: "states" if given else "",
    "dtype": lambda dtype: dtype if dtype in PRECISIONS else "",
}

# Between layers only: with one layer nothing is dropped, and none of these is needed.
_DROPOUT = {"one": "full-dropout", "some": "dropout"}


def narrowed(domain: Domain, declared: frozenset[str]) -> tuple[Domain | None, tuple[str, ...]]:
    """The part of ``domain`` whose cases need only what is ``declared``, and what else they need.

    The domain itself comes back if nothing is lacking. Of clauses that are not about gradients,
    the forward pass can be judged alone, so a missing backward pass takes away the cotangents
    and no case.

    Args:
        domain: where cases would be drawn from.
        declared: names of capabilities.

    Returns:
        The part, None if it is empty; and the capabilities that are lacking, by name.
    """
    needs = dict(_NEEDS)
    changes: dict[str, Any] = {}
    lacking: set[str] = set()
    layers = [n for n in domain.num_layers if n == 1 or "layers" in declared]
    if any(n > 1 for n in layers):
        needs["dropout"] = lambda kind: _DROPOUT.get(kind, "")
    for name, need in needs.items():
        alternatives = getattr(domain, name)
        kept = tuple(a for a in alternatives if not need(a) or need(a) in declared)
        lacking.update(need(a) for a in alternatives if a not in kept)
        if kept != alternatives:
            changes[name] = kept
    if any(domain.cotangents) and "gradients" not in declared:
        changes["cotangents"] = ((),)
    empty = any(not kept for kept in changes.values())
    return None if empty else domain.but(**changes), tuple(sorted(lacking))
