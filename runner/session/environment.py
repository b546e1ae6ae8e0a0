"""What results may depend on: Python, the machine, versions of packages."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError, version

from ...reports.results import EnvironmentResult

__all__ = ["environment"]


def environment() -> EnvironmentResult:
    """What the results may depend on, without importing anything for it."""
    packages = {}
    for package in ("lstm-conformance", "numpy", "scipy", "hypothesis", "pytest"):
        try:
            packages[package] = version(package)
        except PackageNotFoundError:
            packages[package] = "missing"
    torch = sys.modules.get("torch")
    if torch is not None:
        packages["torch"] = str(torch.__version__)
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "packages": packages,
    }
