"""The smallest case that broke a clause, and what is known about it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast

from ...reports.results import DiagnosisResult, FindingResult, FoundFailure, Number
from ...spec.case import Case
from ...spec.ratios import LARGEST_RATIO
from ..judging.comparison import Finding
from .ratio_map import RatioMap

__all__ = ["Diagnosis", "Failure"]


@dataclass(frozen=True)
class Diagnosis:
    """What the implementation seems to do instead.

    Attributes:
        text: a few sentences.
        defects: ids of the catalogued defects that behave the same; several if they act together.
            Empty if there are none: then the text says where results are wrong, under which
            conditions they are right, or what change of the documented LSTM gives them.
        alternatives: ids of other defects that behave the same in all cases that were tried.
        ratio: largest error over noise if the defects were documented; None without defects.
        documented_ratio: largest error over noise of what is documented.
    """

    text: str
    defects: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    ratio: float | None = None
    documented_ratio: float | None = None

    def to_json(self) -> DiagnosisResult:
        """The diagnosis as plain JSON."""
        return {
            "text": self.text,
            "defects": list(self.defects),
            "alternatives": list(self.alternatives),
            "ratio": self.ratio,
            "documented_ratio": self.documented_ratio,
        }

    @classmethod
    def from_json(cls, plain: DiagnosisResult) -> Diagnosis:
        """The diagnosis that :meth:`to_json` wrote."""
        return cls(
            plain.get("text", ""),
            tuple(plain.get("defects", ())),
            tuple(plain.get("alternatives", ())),
            plain.get("ratio"),
            plain.get("documented_ratio"),
        )


@dataclass(frozen=True)
class Failure:
    """The smallest case that broke a clause.

    Attributes:
        verdict: ``fail`` or ``error``.
        case: the line of the case.
        first_case: the line of the case that failed first, before shrinking.
        finding: the tensor and the element with the largest ratio; None for an error.
        exception: type and message of the exception; empty for a fail.
        traceback: the end of the traceback of the exception.
        plain: whether running the case alone shows the failure.
        diagnosis: what the implementation seems to do instead; None if nothing is known.
        runs: number of times that ``case`` was judged, once it was the smallest one.
        failed_runs: the number of these in which it broke the clause.
        ratio_map: where the result is wrong; None if nothing shows it, or if nobody looked.
    """

    verdict: Literal["fail", "error"]
    case: str
    first_case: str
    finding: Finding | None = None
    exception: str = ""
    traceback: str = ""
    plain: bool = True
    diagnosis: Diagnosis | None = None
    runs: int = 1
    failed_runs: int = 1
    ratio_map: RatioMap | None = None

    @property
    def size(self) -> tuple[int, int, str]:
        """A key that sorts failures by how easy they are to read; no two cases have the same."""
        case = Case.parse(self.case)
        return case.numbers(), len(self.case), self.case

    def to_json(self) -> FoundFailure:
        """The failure as plain JSON, where numbers that JSON lacks are text."""
        plain: FoundFailure = {
            "verdict": self.verdict,
            "case": self.case,
            "first_case": self.first_case,
            "finding": {} if self.finding is None else _finding_to_json(self.finding),
            "exception": self.exception,
            "traceback": self.traceback,
            "plain": self.plain,
            "diagnosis": {} if self.diagnosis is None else self.diagnosis.to_json(),
            "runs": self.runs,
            "failed_runs": self.failed_runs,
        }
        if self.ratio_map is not None:
            plain["ratio_map"] = self.ratio_map.to_json()
        return plain

    @classmethod
    def from_json(cls, plain: FoundFailure) -> Failure:
        """The failure that :meth:`to_json` wrote."""
        finding, diagnosis = plain["finding"], plain["diagnosis"]
        ratio_map = plain.get("ratio_map")
        objects = {
            "finding": _finding_from_json(finding) if finding else None,
            "diagnosis": Diagnosis.from_json(diagnosis) if diagnosis else None,
            "ratio_map": None if ratio_map is None else RatioMap.from_json(ratio_map),
        }
        return cls(**cast(dict[str, Any], {**plain, **objects}))


_NUMBERS = ("observed", "expected", "noise")


def _finding_to_json(finding: Finding) -> FindingResult:
    plain = asdict(finding)
    plain["index"] = None if finding.index is None else list(finding.index)
    plain["ratio"] = None if finding.ratio is None else min(finding.ratio, LARGEST_RATIO)
    plain |= {name: _number(plain[name]) for name in _NUMBERS}
    return cast(FindingResult, plain)


def _number(value: float | None) -> Number:
    if value is None or math.isfinite(value):
        return value
    return cast(Number, str(value))


def _finding_from_json(plain: FindingResult) -> Finding:
    fields = cast(dict[str, Any], plain)
    numbers = {n: None if fields.get(n) is None else float(fields[n]) for n in _NUMBERS}
    index = fields.get("index")
    return Finding(**{**fields, **numbers, "index": None if index is None else tuple(index)})
