"""Clauses and chapters of the specification."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from .statements import INTRODUCTION, STATEMENTS

__all__ = ["KINDS", "LEVELS", "Chapter", "Clause", "Erratum", "Kind", "Level"]

# As in RFC 2119. A broken SHOULD is reported, but the implementation can still be conformant.
Level = Literal["MUST", "SHOULD"]
LEVELS: tuple[Level, ...] = get_args(Level)

# What is wrong if a clause is broken: results, gradients or initial values; names, shapes and forms
# that programs rely on; something that is no result; or a wrong call is accepted.
Kind = Literal["numbers", "interface", "side effects", "argument checks"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Erratum:
    """A place where the documents are wrong, disagree or say nothing.

    Attributes:
        problem: the document and its problem.
        reading: the claim that is tested instead.
        issues: public issues about the problem, such as ``pytorch#139582``.
    """

    problem: str
    reading: str
    issues: tuple[str, ...] = ()


@dataclass(frozen=True)
class Clause:
    """One claim about an LSTM.

    Attributes:
        id: CHAPTER-NUMBER. An id never changes and is never reused.
        title: a few words.
        text: the claim, in our own words.
        sources: ids of the statements that the claim comes from, see ``statements.py``.
        level: one of ``LEVELS``. Clauses about numbers are never a SHOULD.
        kind: one of ``KINDS``.
        equation: the claim as an equation; empty if there is none.
        builds_on: ids of clauses. If one of them is broken, this clause is broken too. Reports
            use this to separate causes from consequences.
        needs: the capabilities that an implementation needs to be judged by this clause.
        erratum: the erratum of the documents, if there is one.
        untestable: the reason why no test can judge this clause; empty if a test can.
    """

    id: str
    title: str
    text: str
    sources: tuple[str, ...]
    level: Level = "MUST"
    kind: Kind = "numbers"
    equation: str = ""
    builds_on: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    erratum: Erratum | None = None
    untestable: str = ""

    @property
    def chapter(self) -> str:
        """The id of the chapter."""
        return self.id.split("-")[0]

    @property
    def source(self) -> str:
        """The documents and sections of ``sources``, each once."""
        statements = [STATEMENTS[source] for source in self.sources]
        return "; ".join(
            dict.fromkeys(
                INTRODUCTION if s.document == INTRODUCTION else f"{s.document}, {s.section}"
                for s in statements
            )
        )


@dataclass(frozen=True)
class Chapter:
    """The clauses about one subject.

    Attributes:
        id: the first part of the ids of its clauses.
        title: the title of the chapter.
        about: one or two sentences of introduction.
        clauses: the clauses, in reading order.
    """

    id: str
    title: str
    about: str
    clauses: tuple[Clause, ...]
