"""What results may depend on: Python, the machine, versions of packages."""

from __future__ import annotations

import os
import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ...reports.results import EnvironmentResult

__all__ = ["environment", "load_average"]

# Only Linux has it.
_PROCESSORS = Path("/proc/cpuinfo")


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
    found: EnvironmentResult = {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cores": _cores(),
        "packages": packages,
    }
    processor = _processor()
    if processor:
        found["processor"] = processor
    return found


def load_average() -> float | None:
    """That of the last minute; None if the system does not tell."""
    try:
        return round(os.getloadavg()[0], 2)
    except (AttributeError, OSError):  # AttributeError: Windows
        return None


def _cores() -> int:
    """How many this process may use: a container may restrict it to some of the machine's."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor() -> str:
    """The model, or what the system has in its place; empty if that is nothing."""
    try:
        text = _PROCESSORS.read_text("utf-8", "replace")
    except OSError:
        text = ""
    model = re.search(r"^model name\s*:(.*)", text, re.MULTILINE)
    return (model[1] if model else platform.processor()).strip()
