"""What a clause is, and a chapter of clauses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from .statements import INTRODUCTION, STATEMENTS

__all__ = ["LEVELS", "Chapter", "Clause", "Erratum", "Level"]

# As in RFC 2119. A broken SHOULD is reported, and does not make an implementation nonconforming.
Level = Literal["MUST", "SHOULD"]
LEVELS: tuple[Level, ...] = get_args(Level)


@dataclass(frozen=True)
class Erratum:
    """Where documents disagree, err or are silent.

    Attributes:
        problem: what is wrong with which document.
        reading: what is tested instead.
        issues: public issues about it, as ``pytorch#139582``; empty if there is none.
    """

    problem: str
    reading: str
    issues: tuple[str, ...] = ()


@dataclass(frozen=True)
class Clause:
    """One sentence of the specification.

    Attributes:
        id: stable, never reused, of the form CHAPTER-NUMBER.
        title: a few words.
        text: the claim, in our own words.
        sources: ids of the statements that it is drawn from, see ``statements.py``.
        level: one of ``LEVELS``.
        equation: the claim in mathematics, where it has one.
        builds_on: ids of the clauses whose failure would make this one fail as well, so that
            a report can tell a cause from its consequences.
        needs: the capabilities without which no case can be judged by it.
        erratum: of the documents, where there is one.
        untestable: why no test can judge it; empty if one can.
    """

    id: str
    title: str
    text: str
    sources: tuple[str, ...]
    level: Level = "MUST"
    equation: str = ""
    builds_on: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    erratum: Erratum | None = None
    untestable: str = ""

    @property
    def chapter(self) -> str:
        """The part of the id before the number."""
        return self.id.split("-")[0]

    @property
    def source(self) -> str:
        """Documents and sections of ``sources``, each once."""
        statements = [STATEMENTS[source] for source in self.sources]
        return "; ".join(
            dict.fromkeys(
                INTRODUCTION if s.document == INTRODUCTION else f"{s.document}, {s.section}"
                for s in statements
            )
        )


@dataclass(frozen=True)
class Chapter:
    """Clauses about one thing.

    Attributes:
        id: with which the ids of its clauses begin.
        title: of the chapter.
        about: a sentence or two that introduce it.
        clauses: in the order in which they are best read.
    """

    id: str
    title: str
    about: str
    clauses: tuple[Clause, ...]
