"""Known deviations of frameworks, which are shipped with the suite under the names of adapters."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from ... import reports
from ...spec.did_you_mean import meant
from ...spec.usage_error import UsageError

__all__ = ["file_of_known_deviations", "shipped_deviations"]

# In characters, of a name that is shown.
_LONGEST = 80


def shipped_deviations() -> dict[str, Path]:
    """Name of each file that is shipped, without its suffix, to the file."""
    folder = Path(str(files(reports) / "known_deviations"))
    return dict(sorted((file.stem, file) for file in folder.glob("*.toml")))


def file_of_known_deviations(given: Path) -> Path:
    """The file that is meant by a path or by the name of a file that is shipped.

    A file that is there is always meant itself. So is a path with a folder or a suffix.

    Raises:
        UsageError: there is no such file, and no such name.
    """
    name = str(given)
    try:
        is_file = given.is_file()
    except OSError as error:  # the name is too long, for example
        raise UsageError(f"{name[:_LONGEST]} cannot be read: {error.strerror}.") from None
    if is_file or given.suffix or name != given.name:
        return given
    shipped = shipped_deviations()
    if name not in shipped:
        like = meant(name, shipped)
        ending = f"{like}?" if like else f": choose from {', '.join(shipped)}."
        raise UsageError(
            f"There is no file {name[:_LONGEST]}, and no known deviations are shipped under this "
            f"name{ending}"
        )
    return shipped[name]
