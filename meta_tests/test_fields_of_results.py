"""The lists of fields of results are complete."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from tools import fields_of_results
from tools.fields_of_results import SCHEMA

LOADED = json.loads(SCHEMA.read_text("utf-8"))


def test_every_object_has_one_list_with_all_its_fields() -> None:
    text = fields_of_results.fields_of_results()
    objects = [found for found in walked(LOADED) if "properties" in found]
    assert text.count("\n### ") == len(objects) - 1 > 15
    assert text.count("- **`") == sum(len(found["properties"]) for found in objects)
    for found in objects:
        for name in found["properties"]:
            assert f"- **`{name}`** (" in text


def walked(found: object) -> list[dict[str, Any]]:
    """All objects in JSON."""
    if isinstance(found, list):
        return [inner for item in found for inner in walked(item)]
    if not isinstance(found, dict):
        return []
    return [found, *(inner for item in found.values() for inner in walked(item))]


def test_types_are_in_words() -> None:
    text = " ".join(fields_of_results.fields_of_results().split())
    for row in (
        "- **`seed`** (integer): from which all cases are drawn: `--seed`",
        '- **`level`** (one of `"MUST"`, `"SHOULD"`): as in RFC 2119',
        "- **`parts`** (object, name to [object](#results-parts); may be absent): what each test",
        "- **`failure`** (null or [object](#results-clauses-failure)): the smallest case",
        "- **`finding`** ([object](#results-clauses-failure-finding)): the element",
        "- **`index`** (array of integer or null; may be absent): of that element",
    ):
        assert row in text


def test_a_field_without_a_description_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = copy.deepcopy(LOADED)
    del changed["$defs"]["clause"]["properties"]["title"]["description"]
    monkeypatch.setattr(json, "loads", lambda text: changed)
    with pytest.raises(KeyError, match="title"):
        fields_of_results.fields_of_results()
