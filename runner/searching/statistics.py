"""Errors over rounding noise: the largest, their distribution, their growth with sizes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ...spec.case import Case
from ...spec.verdicts import INCONCLUSIVE, PASS
from ..judging.comparison import Finding

__all__ = ["Statistics"]

# The part of a parameter's name that says its layer and direction. The statistics of all layers
# and directions are taken together.
_LAYER = re.compile(r"_l\d+(_reverse)?")

# Histograms count ratios by powers of two between these exponents.
_EXPONENTS = (-10, 20)

# Growth is recorded for these tensors, over these sizes.
_GROWING = ("output", "weight_hh.grad")
_SIZES: dict[str, Callable[[Case], int]] = {
    "seq_len": lambda case: case.seq_len,
    "hidden_size": lambda case: case.config.hidden_size,
    "num_layers": lambda case: case.config.num_layers,
}

# torch's own initial weights are no larger. With larger ones gates saturate: some elements become
# so small that a mean over them says nothing.
_GROWING_WEIGHTS = 1.0

# An error of zero has no logarithm. It counts as this part of the noise.
_SMALLEST_ERROR = 1e-3


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
        growth: dtype, tensor, axis and size, as "float32 output seq_len 8", to the number of cases
            and the sums of the binary logarithms of the worst element's error and noise.
    """

    worst_ratio: float | None = None
    tensors: dict[str, tuple[int, float]] = field(default_factory=dict)
    histograms: dict[str, dict[str, int]] = field(default_factory=dict)
    growth: dict[str, tuple[int, float, float]] = field(default_factory=dict)

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
        for kind, (number, error, noise) in other.growth.items():
            self._add_growth(kind, number, error, noise)

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

    def add_sizes(self, case: Case, findings: Iterable[Finding]) -> None:
        """Adds errors and noise to the growth with each size of ``case``."""
        if case.weight_scale > _GROWING_WEIGHTS:
            return
        for finding in findings:
            tensor = re.sub(_LAYER, "", finding.tensor)
            ratio, noise = finding.ratio, finding.noise or math.inf
            if finding.verdict != PASS or tensor not in _GROWING or ratio is None:
                continue
            if not math.isfinite(noise):
                continue
            log_noise = math.log2(noise)
            # A sum of logarithms, since the product of ratio and noise may underflow.
            log_error = log_noise + math.log2(max(ratio, _SMALLEST_ERROR))
            for axis, size in _SIZES.items():
                upper = 1 << (size(case) - 1).bit_length()
                self._add_growth(f"{case.dtype} {tensor} {axis} {upper}", 1, log_error, log_noise)

    def _add_growth(self, kind: str, number: int, error: float, noise: float) -> None:
        before = self.growth.get(kind, (0, 0.0, 0.0))
        self.growth[kind] = (before[0] + number, before[1] + error, before[2] + noise)


def _exponent(ratio: float) -> str:
    """The exponent of the smallest power of two above ``ratio``, as text."""
    least, most = _EXPONENTS
    exponent = math.frexp(ratio)[1] if 0 < ratio < math.inf else most if ratio else least
    return str(min(max(exponent, least), most))
