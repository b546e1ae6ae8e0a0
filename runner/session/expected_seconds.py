"""How long tests take, relative to each other."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from statistics import median

__all__ = ["expected_seconds"]


def expected_seconds(names: Iterable[str]) -> dict[str, float]:
    """Name of each test to the seconds that it takes for torch.nn.LSTM in the default profile.

    For other implementations only the proportions are expected to be similar. A test that was not
    measured has the median of the others.
    """
    known = _measured()
    usual = median(known.values())
    return {name: known.get(name, usual) for name in names}


@cache
def _measured() -> dict[str, float]:
    # How to measure again: jq -S .tests results.json > runner/session/expected_seconds.json
    text = files(__package__).joinpath("expected_seconds.json").read_text("utf-8")
    measured: dict[str, float] = json.loads(text)
    return measured
