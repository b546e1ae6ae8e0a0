"""The documentation site, built by MkDocs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .command_line import environment

__all__ = ["build", "built"]

ROOT = Path(__file__).parents[2]


def build(folder: Path, into: Path) -> subprocess.CompletedProcess[str]:
    """Builds the site of the checkout in ``folder``; warnings are errors."""
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(into)],
        cwd=folder,
        env={**environment(), "NO_MKDOCS_2_WARNING": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def built(into: Path) -> Path:
    """Builds the site of this checkout, without warnings, and returns its folder."""
    done = build(ROOT, into)
    assert done.returncode == 0, done.stdout
    return into
