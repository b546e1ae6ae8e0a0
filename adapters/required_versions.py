"""Whether installed frameworks are new enough, by the extras of this package."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING

from ..spec.usage_error import UsageError

if TYPE_CHECKING:
    from packaging.requirements import Requirement

__all__ = ["require_versions"]

_PACKAGE = "lstm-conformance"


def require_versions(target: str, extra: str) -> None:
    """Makes sure that what is installed has the versions that an extra of this package asks for.

    What is not installed is not looked at: importing the adapter says so.

    Args:
        target: what is judged, for the message.
        extra: name of the extra; empty if none is needed.

    Raises:
        UsageError: something that is installed has another version.
    """
    for name, specifier, version in _others(extra):
        raise UsageError(
            f"{target} needs {name} {specifier}, and {version} is installed: "
            f"pip install --upgrade '{_PACKAGE}[{extra}]'."
        )


@cache  # reading this takes long, and hundreds of targets are loaded to explain a failure
def _others(extra: str) -> list[tuple[str, str, str]]:
    """Name, wanted and installed version of what an extra needs, where the two differ."""
    others = []
    for requirement in _requirements(extra):
        with suppress(metadata.PackageNotFoundError):
            version = metadata.version(requirement.name)
            if not requirement.specifier.contains(version, prereleases=True):
                others.append((requirement.name, str(requirement.specifier), version))
    return others


def _requirements(extra: str) -> list[Requirement]:
    try:
        lines = metadata.requires(_PACKAGE) or []
    except metadata.PackageNotFoundError:  # the package is imported without being installed
        return []
    # An interpreter of --python, where this package is not installed, need not have it.
    from packaging.requirements import Requirement

    found = map(Requirement, lines)
    return [
        requirement
        for requirement in found
        if requirement.marker is not None
        and requirement.marker.evaluate({"extra": extra})
        and not requirement.marker.evaluate({"extra": ""})
    ]
