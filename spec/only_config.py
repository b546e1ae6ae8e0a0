"""An implementation that has one configuration: a module that exists already.

It has the attribute ``only_config``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .config import LSTMConfig

__all__ = ["ONLY_INSTANCE", "only_config", "other_config", "reason_of_misfits"]

ONLY_INSTANCE = "only an instance was given"


def only_config(implementation: Any) -> LSTMConfig | None:
    """The only configuration of ``implementation``; None if it can be constructed in others."""
    config = getattr(implementation, "only_config", None)
    return config if isinstance(config, LSTMConfig) else None


def other_config(only: LSTMConfig, config: LSTMConfig) -> str | None:
    """Why ``config`` cannot be judged: what ``only`` has instead; None if they are the same."""
    own = vars(only)
    return reason_of_misfits([f"{n}={own[n]}" for n in own if own[n] != vars(config)[n]])


def reason_of_misfits(misfits: Sequence[str]) -> str | None:
    """The reason, if the only configuration has these values and others were asked for.

    One value is enough: reports list every reason that occurs.
    """
    return f"{ONLY_INSTANCE}, with {misfits[0]}" if misfits else None
