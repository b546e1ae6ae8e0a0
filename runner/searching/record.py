"""What one test found out about one clause, as it travels between processes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from ...spec.case import Case
from ...spec.verdicts import INCONCLUSIVE, PASS
from ..failures.failure import Failure
from ..judging.comparison import Finding

__all__ = ["Record"]

# Of the name of a parameter: its gradients in all layers and directions are of one kind.
_LAYER = re.compile(r"_l\d+(_reverse)?")

# Ratios are counted by powers of two, from exact to hopeless.
_EXPONENTS = (-10, 20)

# Of these tensors it is kept how errors grow with these sizes.
_GROWING = ("output", "weight_hh.grad")

_SIZES: dict[str, Callable[[Case], int]] = {
    "seq_len": lambda case: case.seq_len,
    "hidden_size": lambda case: case.config.hidden_size,
    "num_layers": lambda case: case.config.num_layers,
}

# With larger weights than these, which are torch's own, gates saturate: some elements are so small
# that a mean over them says nothing.
_GROWING_WEIGHTS = 1.0

# An error of zero has no logarithm: it counts as this part of the noise.
_SMALLEST_ERROR = 1e-3


@dataclass
class Record:
    """What one test found out about one clause.

    Attributes:
        clause: its id.
        verdicts: how many cases had each verdict; those tried while shrinking are left out.
        worst_ratio: the largest ratio seen, None if no ratio was.
        tensors: by dtype and kind of tensor, as "float32 weight_ih.grad", in how many cases
            there was a ratio, and the largest.
        histograms: the same cases by exponent: the largest ratio of a case is below that power
            of two.
        growth: by dtype, tensor, axis and size, as "float32 output seq_len 8", the number of
            cases, and sums of the binary logarithms of the worst element's error and noise.
        reasons: why cases were unsupported or not tested, and how many.
        lacking: capabilities without which no case was drawn, though the clause has such.
        failures: the smallest failing case of each search.
        waived: the smallest one that is known to fail, of each search.
        deviations: place of each known deviation to the cases to which it applies: how many were
            judged, and how many failed.
        combinations: text of each that was asked about, to the reason why it was left out,
            empty if it was not.
        seconds: spent inside the implementation.
    """

    clause: str
    verdicts: dict[str, int] = field(default_factory=dict)
    worst_ratio: float | None = None
    tensors: dict[str, tuple[int, float]] = field(default_factory=dict)
    histograms: dict[str, dict[str, int]] = field(default_factory=dict)
    growth: dict[str, tuple[int, float, float]] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    lacking: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    waived: list[Failure] = field(default_factory=list)
    deviations: dict[str, tuple[int, int]] = field(default_factory=dict)
    combinations: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def cases(self) -> int:
        """How many have a verdict, be it that they are not supported."""
        return sum(self.verdicts.values())

    def as_json(self) -> dict[str, Any]:
        """Plain data, which travels between processes."""
        return asdict(self)

    @classmethod
    def of_json(cls, plain: dict[str, Any]) -> Record:
        """The record that :meth:`as_json` gave."""
        failures, waived = (
            [Failure(**failure) for failure in plain[name]] for name in ("failures", "waived")
        )
        return cls(**{**plain, "failures": failures, "waived": waived})

    def add(self, other: Record) -> None:
        """All that another record of the clause counts, measured and kept; not its failures."""
        for mine, its in (
            (self.verdicts, other.verdicts),
            (self.reasons, other.reasons),
            *(
                (self.histograms.setdefault(kind, {}), histogram)
                for kind, histogram in other.histograms.items()
            ),
        ):
            for name, number in its.items():
                mine[name] = mine.get(name, 0) + number
        if other.worst_ratio is not None:
            self.worst_ratio = max(other.worst_ratio, self.worst_ratio or 0.0)
        for kind, (number, worst) in other.tensors.items():
            before, worst_before = self.tensors.get(kind, (0, 0.0))
            self.tensors[kind] = (before + number, max(worst, worst_before))
        for kind, (number, error, noise) in other.growth.items():
            self._grow(kind, number, error, noise)
        for place, (judged, failed) in other.deviations.items():
            self.see_deviation(place, judged, failed)
        self.lacking = sorted({*self.lacking, *other.lacking})
        self.combinations.update(other.combinations)
        self.seconds += other.seconds

    def _grow(self, kind: str, number: int, error: float, noise: float) -> None:
        before = self.growth.get(kind, (0, 0.0, 0.0))
        self.growth[kind] = (before[0] + number, before[1] + error, before[2] + noise)

    def see_deviation(self, place: str, judged: int, failed: int) -> None:
        """So many cases more to which the known deviation at ``place`` applies."""
        before = self.deviations.get(place, (0, 0))
        self.deviations[place] = (before[0] + judged, before[1] + failed)

    def count(self, verdict: str, reason: str = "") -> None:
        """One more case with ``verdict``."""
        self.verdicts[verdict] = self.verdicts.get(verdict, 0) + 1
        if reason:
            self.reasons[reason] = self.reasons.get(reason, 0) + 1

    def see_ratios(self, case: Case, findings: Iterable[Finding]) -> None:
        """Keeps the largest ratios of those that mean something."""
        of_case: dict[str, float] = {}
        for finding in findings:
            if finding.ratio is not None and finding.verdict != INCONCLUSIVE:
                self.worst_ratio = max(finding.ratio, self.worst_ratio or 0.0)
                tensor = re.sub(_LAYER, "", finding.tensor)
                kind = f"{case.dtype} {tensor}"
                of_case[kind] = max(finding.ratio, of_case.get(kind, 0.0))
        for kind, ratio in of_case.items():
            cases, worst = self.tensors.get(kind, (0, 0.0))
            self.tensors[kind] = (cases + 1, max(ratio, worst))
            histogram = self.histograms.setdefault(kind, {})
            exponent = _exponent(ratio)
            histogram[exponent] = histogram.get(exponent, 0) + 1

    def see_growth(self, case: Case, findings: Iterable[Finding]) -> None:
        """Keeps errors and noise by the sizes of a case that nothing was varied in."""
        if case.weight_scale > _GROWING_WEIGHTS:
            return
        for finding in findings:
            tensor = re.sub(_LAYER, "", finding.tensor)
            ratio, noise = finding.ratio, finding.noise or math.inf
            if finding.verdict != PASS or tensor not in _GROWING or ratio is None:
                continue
            if not math.isfinite(noise):
                continue
            of_noise = math.log2(noise)
            # Not the logarithm of the product, which may underflow.
            of_error = of_noise + math.log2(max(ratio, _SMALLEST_ERROR))
            for axis, size in _SIZES.items():
                upper = 1 << (size(case) - 1).bit_length()
                kind = f"{case.dtype} {tensor} {axis} {upper}"
                self._grow(kind, 1, of_error, of_noise)


def _exponent(ratio: float) -> str:
    """Of the power of two that ``ratio`` is below, and not below half of it. JSON keys are text."""
    least, most = _EXPONENTS
    exponent = math.frexp(ratio)[1] if 0 < ratio < math.inf else most if ratio else least
    return str(min(max(exponent, least), most))
