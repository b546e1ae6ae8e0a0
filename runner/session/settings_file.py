"""Settings of ``check`` in ``pyproject.toml``, in the table ``[tool.lstm-conformance]``."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...reports.escaping import one_line
from ...spec.did_you_mean import meant
from ...spec.toml_file import read_toml
from ...spec.usage_error import UsageError
from ..judging.shipped_deviations import shipped_deviations
from .options import ValueKind, option_value, settings_by_key

__all__ = ["SettingsFile", "read_settings"]

_FILE, _TABLE = "pyproject.toml", "lstm-conformance"

_NEEDED = {
    ValueKind.SWITCH: "true or false is needed",
    ValueKind.TEXTS: "a text or a list of texts is needed",
    ValueKind.NUMBER: "a number is needed",
    ValueKind.NUMBER_OR_TEXT: "a number or a text is needed",
    ValueKind.TEXT: "a text is needed",
}


@dataclass(frozen=True)
class SettingsFile:
    """The settings in a file.

    Attributes:
        name: of the file, relative to the working folder; empty if there is none.
        values: field of :class:`.Options` to its value.
        shown: the same field to what is set, as "profile smoke".
    """

    name: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    shown: Mapping[str, str] = field(default_factory=dict)


def read_settings(folder: Path) -> SettingsFile:
    """The settings in the first ``pyproject.toml`` that has any, from ``folder`` upwards.

    Paths in it are relative to the folder of the file.

    Raises:
        UsageError: a file on the way cannot be read, or has a setting that makes no sense.
    """
    for place in (folder, *folder.parents):
        file = place / _FILE
        if file.is_file():
            table = _table(file)
            if table is not None:
                return _settings(file, table)
    return SettingsFile()


def _table(file: Path) -> Any:
    """The table in a file; None if it has none."""
    tools = read_toml(file, one_line(os.path.relpath(file))).get("tool", {})
    return tools.get(_TABLE) if isinstance(tools, dict) else None


def _settings(file: Path, table: Any) -> SettingsFile:
    name = one_line(os.path.relpath(file))
    place, fields = f"{name}, [tool.{_TABLE}]", settings_by_key()
    if not isinstance(table, dict):
        raise UsageError(f"{place} is no table.")
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in fields:
            raise UsageError(
                f"{place}: there is no setting {key!r}{meant(key, fields)}: "
                f"choose from {', '.join(fields)}."
            )
        kind = ValueKind.of(fields[key])
        if not _is_of(kind, value):
            raise UsageError(
                f"{place}, {key}: {_NEEDED[kind]}, not {json.dumps(value, default=str)}."
            )
        try:
            values[fields[key]] = option_value(fields[key], _from(file.parent, key, value))
        except ValueError as error:
            raise UsageError(f"{place}, {key}: {error}.") from None
    shown = {fields[key]: one_line(f"{key} {_in_words(value)}") for key, value in table.items()}
    return SettingsFile(name, values, shown)


def _is_of(kind: ValueKind, value: Any) -> bool:
    if kind is ValueKind.TEXTS and isinstance(value, list):
        return all(isinstance(text, str) for text in value)
    if isinstance(value, bool):  # which is an int, too
        return kind is ValueKind.SWITCH
    return isinstance(value, kind.value)


def _in_words(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return " and ".join(map(str, value)) if isinstance(value, list) else str(value)


def _from(folder: Path, key: str, value: Any) -> Any:
    """``value``, with paths relative to the working folder instead of ``folder``."""
    if isinstance(value, list):
        return [_from(folder, key, text) for text in value]
    if folder == Path.cwd() or not isinstance(value, str):
        return value
    if key == "target":
        path, colon, attribute = value.rpartition(":")
        is_file = path.endswith(".py")
        return f"{os.path.relpath(folder / path)}{colon}{attribute}" if is_file else value
    is_path = {
        "known-deviations": value not in shipped_deviations() or (folder / value).is_file(),
        "python": os.sep in value,  # otherwise a program on the PATH
        "examples": ":" not in value,  # otherwise the address of a server
    }
    return os.path.relpath(folder / value) if is_path.get(key) else value
