"""Steps that each stand one place too early or too late."""

from __future__ import annotations

from .readable import Steps

__all__ = ["one_earlier", "one_later"]


def one_earlier(steps: Steps) -> Steps:
    """The step before in place of each, with as many of its rows; the first one stays."""
    return [before[: len(x)] for before, x in zip(steps[:1] + steps, steps, strict=False)]


def one_later(steps: Steps) -> Steps:
    """The next step in place of each, where as many rows have one."""
    following = steps[1:] + steps[-1:]
    return [y if len(y) == len(x) else x for x, y in zip(steps, following, strict=True)]
