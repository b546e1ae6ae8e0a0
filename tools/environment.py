"""Installs what is judged: into the environment in which this runs, and for Node.js."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

__all__ = ["constraints", "install", "install_for_node"]

ROOT = Path(__file__).parents[1]


def install(extra: str, versions: Mapping[str, str]) -> int:
    """Installs the suite with an extra; returns pip's exit status.

    Args:
        extra: of ``pyproject.toml``.
        versions: of packages that get another version than in ``constraints.txt``.
    """
    with TemporaryDirectory() as folder:
        file = Path(folder) / "constraints.txt"
        file.write_text(constraints(versions), "utf-8")
        command = [sys.executable, "-m", "pip", "install", "-q", "-c", str(file)]
        return subprocess.run([*command, f"{ROOT}[{extra}]"], check=False).returncode


def install_for_node(packages: list[str]) -> int:
    """Installs packages into ``node_modules/`` of the checkout; returns npm's exit status."""
    options = ["--no-save", "--ignore-scripts", "--loglevel", "error", "--prefix", str(ROOT)]
    return subprocess.run(["npm", "install", *options, *packages], check=False).returncode


def constraints(versions: Mapping[str, str]) -> str:
    """The content of ``constraints.txt``, in which these packages have these versions."""
    text = (ROOT / "constraints.txt").read_text("utf-8")
    for name, version in versions.items():
        text = re.sub(rf"^{name}==[^;\n]+", f"{name}=={version}", text, flags=re.MULTILINE)
    return text
