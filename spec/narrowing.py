"""The part of a domain that an implementation supports, and that an instance can be asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from .capabilities import DROPOUT_NEEDS, FIELD_NEEDS
from .combinations import Combination
from .config import LSTMConfig
from .only_config import reason_of_misfits
from .sizes import Sizes
from .strategies import Domain, FirstSupported

__all__ = ["combinations_of_config", "domain_of_config", "narrowed", "sizes_of_config"]

_OPTIONS = ("num_layers", "bias", "batch_first", "bidirectional")
_SIZES = ("input_size", "hidden_size", "proj_size")


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
        wanted = alternatives
        if isinstance(alternatives, FirstSupported):  # those after the first one do not matter
            kept = kept[:1]
            wanted = alternatives[: alternatives.index(kept[0]) + 1] if kept else alternatives
        lacking.update(need(a) for a in wanted if a not in kept)
        if kept != alternatives:
            changes[name] = kept
    if any(domain.cotangents) and "gradients" not in declared:
        changes["cotangents"] = ((),)
    empty = any(not kept for kept in changes.values())
    return None if empty else domain.but(**changes), tuple(sorted(lacking))


def domain_of_config(domain: Domain, only: LSTMConfig) -> tuple[Domain | None, list[str]]:
    """The part of ``domain`` that one configuration can be asked, in its own sizes.

    The smallest size of a range is what a clause needs, so that a mistake shows, and the largest
    one keeps cases small. So the configuration may be larger than that. If both are the same, the
    clause is about this size.

    Args:
        domain: from which a test draws cases.
        only: the configuration.

    Returns:
        The part, or None and the values of the configuration that ``domain`` has not, such as
        ``num_layers=2``.
    """
    changes: dict[str, Any] = {"dropout_probability": only.dropout}
    misfits = []
    for name in _OPTIONS:
        own, alternatives = getattr(only, name), getattr(domain, name)
        # Two layers and three stand for several.
        more = name == "num_layers" and len(alternatives) > 1 and own > max(alternatives)
        if own not in alternatives and not more:
            misfits.append(f"{name}={own}")
        changes[name] = (own,)
    projection = only.proj_size > 0
    if projection not in domain.projection:
        misfits.append(f"proj_size={only.proj_size}")
    changes["projection"] = (projection,)
    for name in _SIZES if projection else _SIZES[:2]:
        own, (least, most) = getattr(only, name), getattr(domain, name)
        if own < least or least == most != own:
            misfits.append(f"{name}={own}")
        changes[name] = (own, own)
    kinds = ("none",) if only.dropout == 0 else ("eval", "one" if only.dropout == 1 else "some")
    changes["dropout"] = tuple(kind for kind in domain.dropout if kind in kinds)
    if not changes["dropout"]:
        misfits.append(f"dropout={only.dropout}")
    return (None, misfits) if misfits else (domain.but(**changes), [])


def combinations_of_config(
    combinations: Iterable[Combination], only: LSTMConfig
) -> list[Combination]:
    """``combinations`` with the values of the configuration where it has one.

    Those with another number of layers are left out: they are visited by another test.
    """
    fitting = []
    for combination in combinations:
        if combination.num_layers != only.num_layers:
            continue
        dropout = combination.dropout
        if only.dropout == 0:
            dropout = "none"
        elif dropout == "none" or only.dropout != 1:
            dropout = "eval"
        fitting.append(
            replace(
                combination,
                bias=only.bias,
                batch_first=only.batch_first,
                bidirectional=only.bidirectional,
                projection=only.proj_size > 0,
                dropout=dropout,
            )
        )
    return list(dict.fromkeys(fitting))


def sizes_of_config(sizes: Sizes, only: LSTMConfig) -> tuple[Sizes | None, str | None]:
    """``sizes`` with those of the configuration, in place of what was left at its default.

    Returns:
        The sizes, or None and the reason, if other ones were asked for.
    """
    own = {name: getattr(only, name) for name in (*_SIZES, "num_layers")}
    default = Sizes()
    reason = reason_of_misfits(
        [
            f"{name}={size}"
            for name, size in own.items()
            if getattr(sizes, name) not in (size, getattr(default, name))
        ]
    )
    return (sizes._replace(**own), None) if reason is None else (None, reason)
