"""A case as JSON for programs in other languages, see ``docs/protocol.md``."""

from __future__ import annotations

from dataclasses import fields

from .case import Case

__all__ = ["case_fields"]

# Programs get the values themselves, so they do not need the scales. What precision is expected of
# them is for the judge.
_NOT_SENT = ("config", "weight_scale", "input_scale", "state_scale", "products")


def case_fields(case: Case) -> dict[str, object]:
    """The fields of ``case`` and of its configuration, by name."""
    names = [f.name for f in fields(Case) if f.name not in _NOT_SENT]
    return {**vars(case.config), **{name: getattr(case, name) for name in names}}
