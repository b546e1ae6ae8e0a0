"""Whether installed frameworks are new enough, by the extras of this package."""

from __future__ import annotations

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
    for requirement in _requirements(extra):
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            raise UsageError(
                f"{target} needs {requirement.name} {requirement.specifier}, and {version} is "
                f"installed: pip install --upgrade '{_PACKAGE}[{extra}]'."
            )


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
