"""The types of what ``lstm-conformance defects --json`` writes."""

from __future__ import annotations

from typing import Literal, TypedDict

from .results import EnvironmentResult

__all__ = ["DefectResult", "EquivalentResult", "MutationResults"]


class DefectResult(TypedDict):
    """Which clause killed a defect, and after how many cases.

    Attributes:
        id, kind, text, shows, breaks: as in the catalogue of defects.
        verdict: whether any clause killed it.
        expected: whether the clause that it breaks killed it.
        killed_by: id of the clause whose test failed first; None for a survivor.
        case: line of the failing case; empty for a survivor, and if the process ended.
        cases: number of cases up to the first failure; None if the process ended.
        seconds: that they took; None if the process ended.
        bugs: public reports of such a defect.
    """

    id: str
    kind: str
    text: str
    shows: str
    breaks: str
    verdict: Literal["killed", "survived"]
    expected: bool
    killed_by: str | None
    case: str
    cases: int | None
    seconds: float | None
    bugs: list[str]


class EquivalentResult(TypedDict):
    """A change that is not a defect."""

    id: str
    text: str


class MutationResults(TypedDict):
    """Everything that a run of ``lstm-conformance defects`` writes."""

    schema_version: int
    environment: EnvironmentResult
    profile: str
    seed: int
    duration_seconds: float
    defects: list[DefectResult]
    equivalent: list[EquivalentResult]
