"""All clauses of the specification. Each chapter is a file of ``chapters/``."""

from __future__ import annotations

from .chapters import (
    combinations,
    directions,
    dropout,
    dtypes,
    edges,
    equations,
    gradients,
    introduction,
    metamorphic,
    packed,
    parameters,
    projection,
    purity,
    shapes,
    sizes,
    stacking,
    states,
    training,
    use,
)
from .clause import Chapter, Clause

__all__ = [
    "CHAPTERS",
    "CLAUSES",
    "TESTABLE",
    "must_hold",
    "prerequisites",
    "root_causes",
]

CHAPTERS: dict[str, Chapter] = {
    module.CHAPTER.id: module.CHAPTER
    for module in (
        introduction,
        equations,
        stacking,
        directions,
        projection,
        states,
        shapes,
        dtypes,
        dropout,
        packed,
        gradients,
        parameters,
        purity,
        training,
        edges,
        use,
        metamorphic,
        combinations,
        sizes,
    )
}

CLAUSES: dict[str, Clause] = {
    clause.id: clause for chapter in CHAPTERS.values() for clause in chapter.clauses
}

# The clauses that a test judges.
TESTABLE: dict[str, Clause] = {
    clause.id: clause for clause in CLAUSES.values() if not clause.untestable
}


def must_hold(clause_id: str, strict: bool) -> bool:
    """Whether an implementation that breaks a clause does not conform: a SHOULD only if strict."""
    return strict or TESTABLE[clause_id].level == "MUST"


def prerequisites(clause_id: str) -> set[str]:
    """Ids of all clauses that ``clause_id`` builds on, directly or through other clauses."""
    found: set[str] = set()
    waiting = list(CLAUSES[clause_id].builds_on)
    while waiting:
        found.add(waiting[-1])
        waiting.extend(set(CLAUSES[waiting.pop()].builds_on) - found)
    return found


def root_causes(broken: set[str]) -> set[str]:
    """The clauses of ``broken`` that build on no other clause of ``broken``."""
    return {clause_id for clause_id in broken if not prerequisites(clause_id) & broken}
