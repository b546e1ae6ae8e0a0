"""Which defects public bugs are known to show: what ``public_bugs.toml`` says."""

from __future__ import annotations

import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["FILE", "bugs_of"]

FILE = Path(__file__).with_name("public_bugs.toml")


def bugs_of() -> dict[str, tuple[str, ...]]:
    """Id of a defect to references of the bugs that behave so, as ``pytorch/pytorch#345``.

    Defects that no public bug is known to show are left out.

    Raises:
        OSError: the file cannot be read.
    """
    with FILE.open("rb") as file:
        bugs = tomllib.load(file)["bug"]
    references: dict[str, tuple[str, ...]] = {}
    for bug in bugs:
        for defect in bug["defects"]:
            references[defect] = (*references.get(defect, ()), bug["reference"])
    return references
