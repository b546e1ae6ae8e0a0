"""A case as JSON for programs in other languages, see ``docs/protocol.md``."""

from __future__ import annotations

from dataclasses import fields

from .case import Case

__all__ = ["case_fields"]

# Programs get the values themselves, so they do not need the scales.
_SCALES = ("weight_scale", "input_scale", "state_scale")


def case_fields(case: Case) -> dict[str, object]:
    """The fields of ``case`` and of its configuration, by name."""
    names = [f.name for f in fields(Case) if f.name != "config" and f.name not in _SCALES]
    return {**vars(case.config), **{name: getattr(case, name) for name in names}}
