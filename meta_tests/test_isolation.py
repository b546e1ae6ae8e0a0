"""A crash, a hang or a malformed answer costs the verdict on one case, and on no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from .helpers.hostile_judgements import nothing_lost

# One of each kind: a signal, a hang, closed pipes, a change of the process, kept views, and lines
# that do not end, that lie and that are missing. `test_whole_judgements.py` has all.
SOME = (
    "Segfaulting",
    "Hanging",
    "ClosingEverything",
    "Disturbing",
    "KeepingViews",
    "endless-line",
    "other-id",
    "dying",
)


@pytest.mark.parametrize("name", SOME)
def test_nothing_is_lost(name: str, tmp_path: Path) -> None:
    nothing_lost(name, "smoke", tmp_path)
