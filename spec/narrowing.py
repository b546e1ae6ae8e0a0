"""The part of a domain that an implementation supports."""

from __future__ import annotations

from typing import Any

from .capabilities import DROPOUT_NEEDS, FIELD_NEEDS
from .strategies import Domain, FirstSupported

__all__ = ["narrowed"]


def narrowed(domain: Domain, declared: frozenset[str]) -> tuple[Domain | None, tuple[str, ...]]:
    """The part of ``domain`` whose cases need only the ``declared`` capabilities.

    Without the capability ``gradients``,
    cases lose their cotangents but stay in the domain: their forward pass can still be judged.

    Args:
        domain: the domain that a test draws cases from.
        declared: names of the capabilities that the implementation declares.

    Returns:
        The part, or None if it is empty, and the names of the missing capabilities.
    """
    needs = dict(FIELD_NEEDS)
    changes: dict[str, Any] = {}
    lacking: set[str] = set()
    layers = [n for n in domain.num_layers if n == 1 or "layers" in declared]
    if any(n > 1 for n in layers):
        needs["dropout"] = lambda kind: DROPOUT_NEEDS.get(kind, "")
    for name, need in needs.items():
        alternatives = getattr(domain, name)
        kept = tuple(a for a in alternatives if not need(a) or need(a) in declared)
        lacking.update(need(a) for a in alternatives if a not in kept)
        if isinstance(alternatives, FirstSupported):
            kept = kept[:1]
        if kept != alternatives:
            changes[name] = kept
    if any(domain.cotangents) and "gradients" not in declared:
        changes["cotangents"] = ((),)
    empty = any(not kept for kept in changes.values())
    return None if empty else domain.but(**changes), tuple(sorted(lacking))
