"""Every sentence of the documents has a clause, and every clause a sentence."""

from __future__ import annotations

import inspect
import re

import pytest

from lstm_conformance.spec.clauses import CLAUSES
from lstm_conformance.spec.statements import INTRODUCTION, STATEMENTS, TORCH

OF_TORCH = [statement for statement in STATEMENTS.values() if statement.document == TORCH]

# Where one sentence, item of a list, equation or entry ends and the next one begins.
_END = re.compile(
    r"(?<=\.)\s+(?=[A-Z])|\n\s*\n|\n\s*\* |\\\\\n|\n {4}(?=\w+(?:\[k\])?(?:_reverse)?\s?: )"
)

# What says nothing by itself, and what is part of the sentence before.
_MARKUP = re.compile(r"(Args|Attributes|Examples:|where)?:?|\.\. math::.*|\\begin.*|\\end.*")
_CONTINUED = re.compile(r"Default(s to)?\b.*|\w+(_\{\w+\})? ?=\{\} &.*")


def documentation() -> str:
    """The documentation of the installed ``torch.nn.LSTM``."""
    return inspect.getdoc(pytest.importorskip("torch").nn.LSTM) or ""


def one_line(text: str) -> str:
    return " ".join(text.split())


def test_every_statement_has_a_clause() -> None:
    cited = {source for clause in CLAUSES.values() for source in clause.sources}
    assert cited <= set(STATEMENTS), cited - set(STATEMENTS)
    assert set(STATEMENTS) <= cited, set(STATEMENTS) - cited


def test_statements_are_complete() -> None:
    for statement in STATEMENTS.values():
        assert statement.says
        assert bool(statement.anchor) == (statement in OF_TORCH)
        assert bool(statement.section) == (statement.document != INTRODUCTION)


@pytest.mark.parametrize("statement", OF_TORCH, ids=lambda statement: statement.id)
def test_anchor_is_found(statement: object) -> None:
    assert one_line(statement.anchor) in one_line(documentation())  # type: ignore[attr-defined]


def uncovered(text: str) -> list[str]:
    """The sentences of ``text`` in which no anchor is found."""
    anchors = [one_line(statement.anchor) for statement in OF_TORCH]
    return [
        sentence
        for sentence in map(one_line, _END.split(text))
        if not any(anchor in sentence for anchor in anchors)
        and not _MARKUP.fullmatch(sentence)
        and not _CONTINUED.fullmatch(sentence)
    ]


def test_every_sentence_has_a_statement() -> None:
    assert uncovered(documentation()) == []


@pytest.mark.parametrize("added", ["It has peepholes.", "\n\n    mode : another argument\n"])
def test_a_sentence_that_is_added_is_noticed(added: str) -> None:
    text = documentation()
    middle = text.index("Inputs: input")
    assert len(uncovered(f"{text[:middle]} {added}\n\n{text[middle:]}")) == 1
