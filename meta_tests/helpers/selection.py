"""Which parameters of a test are tried in every run, and which only with ``-m whole``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

__all__ = ["elsewhere", "one_in_three"]


def elsewhere(*values: Any) -> Any:
    """Parameters of a test that are tried with ``-m whole``: others are much like them."""
    return pytest.param(*values, marks=pytest.mark.whole)


def one_in_three(parameters: Iterable[Any]) -> list[Any]:
    """``parameters``, of which one in three is tried in every run: neighbours are much alike."""
    return [elsewhere(one) if place % 3 else one for place, one in enumerate(parameters)]
