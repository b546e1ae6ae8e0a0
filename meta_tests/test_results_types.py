"""The types of results agree with the schema, field by field."""

from __future__ import annotations

import copy
import types
import typing
from collections.abc import Callable
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from lstm_conformance.reports.reading import NEWEST
from lstm_conformance.reports.results import Results
from lstm_conformance.runner.session.options import recorded_options

from .helpers.command_line import SCHEMA

NAMES = {str: "string", int: "integer", float: "number", bool: "boolean"}


def differences(hint: Any, schema: dict[str, Any], where: str = "results") -> list[str]:
    """The differences between a type and a schema, as text."""
    schema = resolved(schema)
    if typing.is_typeddict(hint):
        return of_object(hint, schema, where)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return [] if allowed_values(schema) == set(arguments) else [f"{where}: {arguments}"]
    if origin in (types.UnionType, typing.Union):
        return of_union(arguments, schema, where)
    if origin is list:
        return of_type("array", schema, where) + of_items(arguments[0], schema, where)
    if origin is dict:
        return of_type("object", schema, where) + of_mapping(arguments, schema, where)
    return of_type(NAMES[hint], schema, where)


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema that a reference names."""
    while "$ref" in schema:
        found: Any = SCHEMA
        for name in schema["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        schema = found
    return schema


def of_type(name: str, schema: dict[str, Any], where: str) -> list[str]:
    accepted = {name, "integer"} if name == "number" else {name}
    return [] if schema.get("type") in accepted else [f"{where}: {name}, not {schema.get('type')}"]


def allowed_values(schema: dict[str, Any]) -> set[object]:
    return set(schema.get("enum", [schema["const"]] if "const" in schema else []))


def of_object(hint: Any, schema: dict[str, Any], where: str) -> list[str]:
    found = of_type("object", schema, where)
    hints, fields = get_type_hints(hint), schema.get("properties", {})
    if set(hints) != set(fields):
        found.append(f"{where}: fields {sorted(set(hints) ^ set(fields))}")
    if set(hint.__required_keys__) != set(schema.get("required", [])):
        differing = sorted(set(hint.__required_keys__) ^ set(schema.get("required", [])))
        found.append(f"{where}: required {differing}")
    for name in set(hints) & set(fields):
        found += differences(hints[name], fields[name], f"{where}.{name}")
    return found


def of_union(arguments: tuple[Any, ...], schema: dict[str, Any], where: str) -> list[str]:
    others = [a for a in arguments if a is not type(None)]
    nullable = len(others) < len(arguments)
    literals = [value for a in others if get_origin(a) is Literal for value in get_args(a)]
    plain = [a for a in others if get_origin(a) is not Literal]
    if set(plain) == {bool, int, float, str}:  # the value of a condition
        return []
    allowed: set[object] = set()
    kinds: list[dict[str, Any]] = []
    for branch in schema.get("anyOf", [schema]):
        branch = resolved(branch)
        kind = branch.get("type")
        names = kind if isinstance(kind, list) else [kind]
        if "enum" in branch:
            allowed |= set(branch["enum"])
        else:
            kinds += [{**branch, "type": name} for name in names]
    is_null = (
        None in allowed or {"type": "null"} in kinds or any(k["type"] == "null" for k in kinds)
    )
    kinds = [kind for kind in kinds if kind["type"] != "null"]
    found = [] if is_null == nullable else [f"{where}: null"]
    found += [] if allowed - {None} == set(literals) else [f"{where}: {literals}"]
    if len(kinds) != len(plain):
        return [*found, f"{where}: {plain}"]
    for hint, kind in zip(plain, kinds, strict=True):
        found += differences(hint, kind, where)
    return found


def of_items(hint: Any, schema: dict[str, Any], where: str) -> list[str]:
    if "prefixItems" in schema:
        kinds = {resolved(item)["type"] for item in schema["prefixItems"]}
        wanted = {"integer", "number"} if hint is float else {NAMES[hint]}
        return [] if kinds <= wanted else [f"{where}: {kinds}"]
    return differences(hint, schema["items"], f"{where}[]")


def of_mapping(arguments: tuple[Any, ...], schema: dict[str, Any], where: str) -> list[str]:
    key, value = arguments
    names = resolved(schema.get("propertyNames", {}))
    found = []
    if get_origin(key) is Literal and allowed_values(names) != set(get_args(key)):
        found.append(f"{where}: keys")
    if not isinstance(schema.get("additionalProperties"), dict):
        return found  # conditions, which the reader of known deviations checks
    return found + differences(value, schema["additionalProperties"], f"{where}[...]")


def test_the_types_are_those_of_the_schema() -> None:
    # The schema allows verdicts as keys without listing them where they are only counted.
    assert not [d for d in differences(Results, SCHEMA) if not d.endswith("counts: keys")]
    assert SCHEMA["properties"]["schema_version"]["const"] == NEWEST


def without_a_field(schema: dict[str, Any]) -> None:
    del schema["properties"]["threshold"]


def with_another_type(schema: dict[str, Any]) -> None:
    schema["properties"]["seed"]["type"] = "string"


def with_another_verdict(schema: dict[str, Any]) -> None:
    schema["$defs"]["clause"]["properties"]["verdict"]["enum"].append("maybe")


def with_an_optional_field(schema: dict[str, Any]) -> None:
    schema["$defs"]["record"]["required"].remove("seconds")


def with_no_null(schema: dict[str, Any]) -> None:
    schema["$defs"]["clause"]["properties"]["worst_ratio"]["type"] = "number"


def with_other_items(schema: dict[str, Any]) -> None:
    schema["properties"]["dtypes"]["items"]["type"] = "integer"


@pytest.mark.parametrize(
    "change",
    [
        without_a_field, with_another_type, with_another_verdict, with_an_optional_field,
        with_no_null, with_other_items,
    ],
)  # fmt: skip
def test_a_difference_is_seen(
    change: Callable[[dict[str, Any]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = copy.deepcopy(SCHEMA)
    change(changed)
    monkeypatch.setattr(f"{__name__}.SCHEMA", changed)
    assert (
        len(differences(Results, changed)) > len(differences(Results, copy.deepcopy(changed))) - 1
    )
    assert [d for d in differences(Results, changed) if not d.endswith("counts: keys")]


def test_recorded_options_are_fields() -> None:
    assert set(recorded_options()) <= set(get_type_hints(Results))
