"""Errors over rounding noise: the largest, and their distribution."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from ...spec.case import Case
from ...spec.verdicts import INCONCLUSIVE
from ..judging.comparison import Finding

__all__ = ["Statistics"]

# The part of a parameter's name that says its layer and direction. The statistics of all layers
# and directions are taken together.
_LAYER = re.compile(r"_l\d+(_reverse)?")

# Histograms count ratios by powers of two between these exponents.
_EXPONENTS = (-10, 20)


@dataclass
class Statistics:
    """Errors over rounding noise, of all cases that have such ratios.

    Attributes:
        worst_ratio: the largest ratio; None without any.
        tensors: dtype and kind of tensor, as "float32 weight_ih.grad", to the number of cases and
            the largest ratio.
        histograms: dtype and kind of tensor to the number of cases by exponent: the largest ratio
            of a case is below that power of two and not below half of it. Exponents are text, as
            keys in JSON are.
    """

    worst_ratio: float | None = None
    tensors: dict[str, tuple[int, float]] = field(default_factory=dict)
    histograms: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, other: Statistics) -> None:
        """Adds the cases of ``other``."""
        if other.worst_ratio is not None:
            self.worst_ratio = max(other.worst_ratio, self.worst_ratio or 0.0)
        for kind, (number, worst) in other.tensors.items():
            before, worst_before = self.tensors.get(kind, (0, 0.0))
            self.tensors[kind] = (before + number, max(worst, worst_before))
        for kind, histogram in other.histograms.items():
            mine = self.histograms.setdefault(kind, {})
            for exponent, number in histogram.items():
                mine[exponent] = mine.get(exponent, 0) + number

    def add_ratios(self, case: Case, findings: Iterable[Finding]) -> None:
        """Adds the largest ratio of each kind of tensor; inconclusive ones mean nothing."""
        of_case: dict[str, float] = {}
        for finding in findings:
            if finding.ratio is not None and finding.verdict != INCONCLUSIVE:
                self.worst_ratio = max(finding.ratio, self.worst_ratio or 0.0)
                kind = f"{case.dtype} {re.sub(_LAYER, '', finding.tensor)}"
                of_case[kind] = max(finding.ratio, of_case.get(kind, 0.0))
        for kind, ratio in of_case.items():
            cases, worst = self.tensors.get(kind, (0, 0.0))
            self.tensors[kind] = (cases + 1, max(ratio, worst))
            histogram = self.histograms.setdefault(kind, {})
            exponent = _exponent(ratio)
            histogram[exponent] = histogram.get(exponent, 0) + 1


def _exponent(ratio: float) -> str:
    """The exponent of the smallest power of two above ``ratio``, as text."""
    least, most = _EXPONENTS
    exponent = math.frexp(ratio)[1] if 0 < ratio < math.inf else most if ratio else least
    return str(min(max(exponent, least), most))
