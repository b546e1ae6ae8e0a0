"""``--python``: serves an implementation in another interpreter.

This package need not be installed there. That interpreter needs NumPy,
safetensors and the packages of the implementation.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
from importlib import metadata, resources
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from ...spec.clean_text import clean_text
from ...spec.usage_error import UsageError
from .starting import python_command
from .temporary_folder import temporary_folder

__all__ = ["require_interpreter", "serving_command"]

# With the extra that has what programs need.
_PACKAGE, _EXTRA = "lstm-conformance", "programs"

# The packages that are copied for the other interpreter.
_COPIED = ("", "spec", "reference", "adapters", "runner", "runner.processes")

# What the copied modules import.
_NEEDED = ("numpy", "safetensors")

# Runs in every version of Python.
_QUESTION = """\
import json, sys
found = {"python": "%d.%d.%d" % sys.version_info[:3]}
for name in sys.argv[1:]:
    try:
        found[name] = __import__(name).__version__
    except Exception:
        found[name] = ""
print(json.dumps(found))
"""

# In seconds. NumPy may lie on a slow disk.
_LONGEST_ANSWER = 120.0


def require_interpreter(python: str) -> None:
    """Makes sure that an interpreter can serve an implementation.

    Args:
        python: path of the interpreter.

    Raises:
        UsageError: it cannot be started, is no Python, or lacks a version or a package.
    """
    found, name = _versions(python), f"--python {_one_line(python)}"
    wanted = _wanted_versions()
    if found["python"] not in wanted["python"]:
        raise UsageError(
            f"{name} is Python {found['python']}, and Python {wanted['python']} is needed."
        )
    for package in _NEEDED:
        what = f"{package}{wanted[package]}"
        how = f"{_one_line(python)} -m pip install '{what}'"
        if not found[package]:
            raise UsageError(f"{name} cannot import {package}: {how}.")
        if not wanted[package].contains(found[package], prereleases=True):
            raise UsageError(f"{name} has {package} {found[package]}, and {what} is needed: {how}.")


def _versions(python: str) -> dict[str, str]:
    """The version of an interpreter and of each package that is needed; empty for none."""
    refused = f"--python {_one_line(python)}"
    command = [python, "-c", _QUESTION, *_NEEDED]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_LONGEST_ANSWER,
            check=False,
        )
    except OSError as error:
        raise UsageError(f"{refused} cannot be started: {error.strerror}.") from None
    except subprocess.TimeoutExpired:
        seconds = f"{_LONGEST_ANSWER:.0f} s"
        raise UsageError(f"{refused} is no Python: it gave no answer in {seconds}.") from None
    try:
        found: Any = json.loads(done.stdout)
        versions = {name: found[name] for name in ("python", *_NEEDED)}
        for version in filter(None, versions.values()):
            SpecifierSet().contains(version)
    except (ValueError, LookupError, TypeError):
        said = _one_line((done.stderr or done.stdout).decode("utf-8", "replace"))[-200:]
        raise UsageError(f"{refused} is no Python: it said {said!r}.") from None
    return versions


def _wanted_versions() -> dict[str, SpecifierSet]:
    """Which versions of Python and of packages this package needs itself."""
    wanted = {name: SpecifierSet() for name in ("python", *_NEEDED)}
    try:
        about = metadata.metadata(_PACKAGE)
    except metadata.PackageNotFoundError:  # the package is imported without being installed
        return wanted
    wanted["python"] = SpecifierSet(about["Requires-Python"] or "")
    for requirement in map(Requirement, metadata.requires(_PACKAGE) or []):
        applies = requirement.marker is None or requirement.marker.evaluate({"extra": _EXTRA})
        if applies and requirement.name in wanted:
            wanted[requirement.name] = requirement.specifier
    return wanted


def _one_line(text: str) -> str:
    return " ".join(clean_text(text).split())


def serving_command(python: str, target: str) -> tuple[list[str], dict[str, str]]:
    """Command and environment that serve an implementation in another interpreter.

    The parts of this package that it needs are copied to a temporary folder.

    Args:
        python: path of the interpreter.
        target: the name of an adapter, ``package.module:Attribute`` or ``file.py:Attribute``.
    """
    temporary = temporary_folder()
    atexit.register(temporary.cleanup)
    folder = temporary.name
    for package in _COPIED:
        module = f"lstm_conformance.{package}" if package else "lstm_conformance"
        copy = Path(folder, *module.split("."))
        copy.mkdir(parents=True, exist_ok=True)
        for file in resources.files(module).iterdir():
            if file.name.endswith(".py"):
                copy.joinpath(file.name).write_bytes(file.read_bytes())
    server = "lstm_conformance.runner.processes.protocol_server"
    command = python_command(server, "main()", python)
    return [*command, target], {**os.environ, "PYTHONPATH": folder}
