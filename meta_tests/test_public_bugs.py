"""The table of public bugs: its entries are well-formed, and their defects exist."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest

from lstm_conformance.defects.public_bugs import FILE, bugs_of

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

REFERENCE = re.compile(r"[\w.-]+/[\w.-]+#[1-9]\d*|https://\S+")
CONTENT: dict[str, list[dict[str, Any]]] = tomllib.loads(FILE.read_text(encoding="utf-8"))
BUGS, LEFT_OUT = CONTENT["bug"], CONTENT["left_out"]


def test_nothing_else_is_in_the_file() -> None:
    assert set(CONTENT) == {"bug", "left_out"}
    assert all(set(bug) == {"reference", "symptom", "defects"} for bug in BUGS)
    assert all(set(entry) == {"reference", "reason"} for entry in LEFT_OUT)


def test_references() -> None:
    references = [entry["reference"] for entry in BUGS + LEFT_OUT]
    assert [text for text in references if not REFERENCE.fullmatch(text)] == []
    assert sorted(references) == sorted(set(references))


@pytest.mark.parametrize("reference", ["pytorch#1", "a/b", "a/b#0", "a/b#1 (fixes 2)", "see a/b#1"])
def test_other_references_would_be_found(reference: str) -> None:
    assert not REFERENCE.fullmatch(reference)


def test_sentences() -> None:
    sentences = [bug["symptom"] for bug in BUGS] + [entry["reason"] for entry in LEFT_OUT]
    assert [text for text in sentences if not re.fullmatch(r"\S.*[^.\s]\.", text)] == []


def test_every_bug_has_defects() -> None:
    assert [bug for bug in BUGS if not bug["defects"]] == []
    assert [bug for bug in BUGS if len(set(bug["defects"])) < len(bug["defects"])] == []


def test_bugs_of_defects() -> None:
    bugs = bugs_of()
    pairs = {(defect, reference) for defect, known in bugs.items() for reference in known}
    assert pairs == {(defect, bug["reference"]) for bug in BUGS for defect in bug["defects"]}
    assert "pytorch/pytorch#345" in bugs["InputTakenForContiguous"]


def test_defects_exist() -> None:
    pytest.importorskip("torch")
    from lstm_conformance.defects.catalogue import catalogue

    assert set(bugs_of()) - {defect.id for defect in catalogue()} == set()
