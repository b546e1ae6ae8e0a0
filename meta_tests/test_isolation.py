"""A crash, a hang or a malformed answer costs the verdict on one case, and on no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from .helpers.hostile_judgements import HARMFUL, PROGRAMS, nothing_lost


@pytest.mark.parametrize("name", [*HARMFUL, *PROGRAMS])
def test_nothing_is_lost(name: str, tmp_path: Path) -> None:
    nothing_lost(name, "smoke", tmp_path)
