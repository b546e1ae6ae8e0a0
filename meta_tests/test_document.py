"""The page of the specification follows from the clauses."""

from __future__ import annotations

from pathlib import Path

from lstm_conformance.spec.clauses import CLAUSES
from lstm_conformance.spec.document import document

ROOT = Path(__file__).parents[1]
HOW = "run `lstm-conformance clauses --markdown spec/lstm.md`"


def test_the_page_is_current() -> None:
    assert (ROOT / "spec" / "lstm.md").read_text("utf-8") == document(), HOW


def test_the_page_has_every_clause_once() -> None:
    text = document()
    for clause in CLAUSES.values():
        assert text.count(f"\n### {clause.id} {clause.title}\n") == 1
        assert text.count(f"\n## {clause.chapter}: ") == 1
