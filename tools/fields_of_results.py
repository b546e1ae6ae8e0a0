"""Lists of what results hold, made from their JSON schema, for the page ``docs/results.md``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["SCHEMA", "fields_of_results"]

SCHEMA = Path(__file__).parents[1] / "reports" / "results.schema.json"

Schema = dict[str, Any]


def fields_of_results() -> str:
    """Markdown: a list of the fields of each object, the outermost first.

    Raises:
        KeyError: a field of the schema has no description.
    """
    lists = _Lists(json.loads(SCHEMA.read_text("utf-8")))
    return "\n\n".join(lists.of_object("", lists.root))


class _Lists:
    """The lists of fields of the objects of a schema.

    Attributes:
        root: the whole schema.
    """

    def __init__(self, root: Schema) -> None:
        self.root = root
        # Path of the first use of each object: one that is used twice has one list.
        self._paths: dict[int, str] = {}

    def of_object(self, path: str, schema: Schema) -> Iterator[str]:
        """The list of an object, then those of the objects in it.

        Args:
            path: where it is in results, as ``clauses[].failure``; empty for all of them.
            schema: of the object.
        """
        if path:
            yield f"### `{path}` {{ #{_anchor(path)} }}"
        lines, inner = [], []
        for name, field in schema["properties"].items():
            where = f"{path}.{name}".removeprefix(".")
            optional = "" if name in schema.get("required", ()) else "; may be absent"
            kind = self._type(where, field, inner)
            meaning = self._meaning(field)
            if not meaning:
                raise KeyError(f"the field {where} of results has no description")
            lines.append(f"- **`{name}`** ({kind}{optional}): {meaning}")
        yield "\n".join(lines)
        for where, field in inner:
            yield from self.of_object(where, field)

    def _meaning(self, field: Schema) -> str:
        """The description; of a reference without one, that of what it refers to."""
        if "description" in field or "$ref" not in field:
            return str(field.get("description", ""))
        return self._meaning(self._found(field["$ref"]))

    def _found(self, reference: str) -> Schema:
        found = self.root
        for name in reference.removeprefix("#/").split("/"):
            found = found[name]
        return found

    def _type(self, path: str, schema: Schema, inner: list[tuple[str, Schema]]) -> str:
        """The type in words. Objects that need a list of their own are added to ``inner``."""
        if "$ref" in schema:
            return self._type(path, self._found(schema["$ref"]), inner)
        if "const" in schema:
            return f"`{json.dumps(schema['const'])}`"
        if "enum" in schema:
            return "one of " + ", ".join(f"`{json.dumps(value)}`" for value in schema["enum"])
        if "anyOf" in schema:
            return " or ".join(self._type(path, one, inner) for one in schema["anyOf"])
        if "properties" in schema:
            first = self._paths.setdefault(id(schema), path)
            if first == path:
                inner.append((path, schema))
            return f"[object](#{_anchor(first)})"
        if isinstance(schema["type"], list):
            kinds = [{**schema, "type": kind} for kind in schema["type"]]
            return " or ".join(self._type(path, kind, inner) for kind in kinds)
        if "prefixItems" in schema:
            kinds = [self._type(path, item, inner) for item in schema["prefixItems"]]
            return f"array of {len(kinds)}: {', '.join(kinds)}"
        if schema["type"] == "array":
            return f"array of {self._type(f'{path}[]', schema['items'], inner)}"
        if schema["type"] == "object" and "additionalProperties" in schema:
            values = self._type(f"{path}.*", schema["additionalProperties"], inner)
            return f"object, name to {values}"
        return str(schema["type"])


def _anchor(path: str) -> str:
    return "-".join(re.findall(r"\w+", f"results.{path}"))
