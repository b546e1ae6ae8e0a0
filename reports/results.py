"""The types of results, as ``results.schema.json`` describes them: what every report reads.

Results are plain JSON, so that any language can read them. A test compares these types with the
schema, where each field is described.
"""

from __future__ import annotations

from typing import Literal, TypedDict

from ..spec.clause import Kind, Level
from ..spec.verdicts import Verdict

__all__ = [
    "AskedResult",
    "ChapterResult",
    "ClauseResult",
    "CombinationsResult",
    "CoverageResult",
    "DeviationResult",
    "DiagnosisResult",
    "EnvironmentResult",
    "FailureResult",
    "FindingResult",
    "FoundFailure",
    "ImplementationResult",
    "KindResult",
    "KnownDeviation",
    "LeftOutResult",
    "LoadResult",
    "Number",
    "PartResult",
    "ProfileName",
    "RatioMapResult",
    "RecordResult",
    "Results",
    "ShardResult",
    "State",
    "Stopped",
    "TensorResult",
    "VerdictResult",
    "Word",
]

Stopped = Literal["interrupted", "max-failures", "max-time"]
State = Literal["finished", "cut short", "broken off", "not reached"]
Word = Literal["conforms", "deviates", "undecided"]
ProfileName = Literal["smoke", "default", "thorough"]
Number = float | Literal["nan", "inf", "-inf"] | None
Condition = bool | int | float | str


class ImplementationResult(TypedDict):
    name: str
    version: str
    target: str
    capabilities: list[str]
    undeclared: list[str]


class LoadResult(TypedDict):
    start: float
    end: float


class _Machine(TypedDict, total=False):
    """What older results lack, and what some systems do not tell."""

    cores: int
    processor: str
    load_average: LoadResult


class EnvironmentResult(_Machine):
    python: str
    platform: str
    machine: str
    packages: dict[str, str]


class ShardResult(TypedDict):
    index: int
    count: int


class KnownDeviation(TypedDict):
    """An entry of a file of known deviations."""

    clauses: list[str]
    when: dict[str, list[Condition]]
    reason: str
    link: str
    versions: list[str]
    findings: list[str]


class DeviationResult(KnownDeviation):
    """A known deviation, and how many cases failed because of it."""

    outcome: Literal["waived", "gone", "unmatched", "undecided"]
    cases: int
    failed: int


class FindingResult(TypedDict, total=False):
    """The element with the largest ratio; empty for an exception."""

    tensor: str
    verdict: Literal["fail"]
    ratio: float | None
    index: list[int] | None
    observed: Number
    expected: Number
    noise: Number
    message: str


class DiagnosisResult(TypedDict, total=False):
    """What the implementation seems to do instead; empty if nothing is known."""

    text: str
    defects: list[str]
    alternatives: list[str]
    ratio: float | None
    documented_ratio: float | None


class RatioMapResult(TypedDict):
    """Error over noise of a wrong result, in two of its axes."""

    case: str
    tensor: str
    place: str
    axes: list[str]
    shape: list[int]
    block: list[int]
    values: list[list[Number]]


class _More(TypedDict, total=False):
    """What results of earlier releases lack: how often a failing case was judged, and a map."""

    runs: int
    failed_runs: int
    ratio_map: RatioMapResult


class FoundFailure(_More):
    """A failing case, without the texts for people."""

    verdict: Literal["fail", "error"]
    case: str
    first_case: str
    finding: FindingResult
    exception: str
    traceback: str
    plain: bool
    diagnosis: DiagnosisResult


class FailureResult(FoundFailure):
    """A failing case, with the texts for people."""

    command: str
    program: str
    explanation: str


class ClauseResult(TypedDict):
    """The verdict on one clause."""

    id: str
    chapter: str
    level: Level
    kind: Kind
    must_hold: bool
    title: str
    text: str
    equation: str
    source: str
    verdict: Verdict
    cases: int
    counts: dict[Verdict, int]
    worst_ratio: float | None
    reasons: dict[str, int]
    lacking: list[str]
    seconds: float
    failure: FailureResult | None
    root_cause: bool


class KindResult(TypedDict):
    """Numbers of clauses of one kind."""

    judged: int
    deviating: int


class VerdictResult(TypedDict):
    """The verdict on the implementation, in numbers of clauses."""

    word: Word
    judged: int
    deviating: int
    known: int
    recommended: int
    kinds: dict[Kind, KindResult]


class RecordResult(TypedDict):
    """What one test found out about one clause."""

    clause: str
    verdicts: dict[Verdict, int]
    worst_ratio: float | None
    tensors: dict[str, list[float]]
    histograms: dict[str, dict[str, int]]
    reasons: dict[str, int]
    lacking: list[str]
    failures: list[FoundFailure]
    waived: list[FoundFailure]
    deviations: dict[str, list[int]]
    combinations: dict[str, str]
    sizes: dict[str, str]
    seconds: float


class PartResult(TypedDict):
    """The outcome of one test, from which results can be resumed or merged."""

    clauses: list[str]
    state: State
    why: str
    seconds: float
    records: list[RecordResult]


class ChapterResult(TypedDict):
    id: str
    title: str
    seconds: float


class TensorResult(TypedDict):
    """The ratios of one kind of tensor in one dtype."""

    tensor: str
    dtype: str
    cases: int
    worst_ratio: float
    histogram: list[list[int]]


class LeftOutResult(TypedDict):
    reason: str
    combinations: list[str]


class CombinationsResult(TypedDict):
    total: int
    visited: int
    left_out: list[LeftOutResult]


class PairOfAxesResult(TypedDict):
    """How many sizes of cases have each pair of size classes of two axes."""

    axes: list[str]
    cases: list[list[int]]


class SizesLeftOutResult(TypedDict):
    reason: str
    sizes: list[str]


class SizesResult(TypedDict):
    """Which sizes were visited: by axis, and by pairs of classes."""

    classes: list[str]
    visited: dict[str, list[int]]
    pairs: list[PairOfAxesResult]
    left_out: list[SizesLeftOutResult]


class CoverageResult(TypedDict):
    combinations: CombinationsResult
    sizes: SizesResult


class _Question(TypedDict):
    """The part that does not change while tests run."""

    implementation: ImplementationResult
    environment: EnvironmentResult
    seed: int
    profile: ProfileName
    dtypes: list[str]
    devices: list[str]
    missing_devices: dict[str, str]
    working_precision: str
    kinds: list[Kind]
    strict: bool
    required: list[str]
    without: list[str]
    sizes: list[str]
    case: str | None
    shard: ShardResult | None
    threshold: float


class AskedResult(_Question):
    """What is judged and how: the part of results that is known before any test runs."""

    deviations: list[KnownDeviation]


class _Parts(TypedDict, total=False):
    """Only in results that can be resumed or merged."""

    parts: dict[str, PartResult]


class Results(_Question, _Parts):
    """Everything that a run writes."""

    schema_version: Literal[7]
    verdict: VerdictResult
    gate_passed: bool
    stopped: Stopped | None
    tests: dict[str, float]
    deviations: list[DeviationResult]
    clauses: list[ClauseResult]
    chapters: list[ChapterResult]
    tensors: list[TensorResult]
    coverage: CoverageResult
    duration_seconds: float
    time_in_tests_seconds: float
    time_in_implementation_seconds: float
