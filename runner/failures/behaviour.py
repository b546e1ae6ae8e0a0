"""What an implementation did with one case, beside what is documented."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...reference.oracle import Expectation, expect
from ...spec.capabilities import unsupported
from ...spec.case import OUTPUTS, Case
from ...spec.contract import Implementation, Observation
from ...spec.global_settings import known_settings
from ...spec.interrupts import is_interrupt
from ..judging.canary import watched
from ..judging.comparison import THRESHOLD, allowed_error, error_ratios
from .probing_cases import is_determined, is_large

__all__ = ["Behaviour", "observation_of", "run"]

Array = NDArray[np.float64]


class Behaviour:
    """A case, what an implementation returned for it, and what is documented."""

    def __init__(self, case: Case, observation: Observation) -> None:
        self.case = case
        self.observed = {n: observation.tensors[n].values for n in case.result_names()}

    @property
    def steps(self) -> int:
        """Number of cells that are evaluated."""
        config = self.case.config
        return self.case.seq_len * config.num_layers * config.num_directions

    @property
    def is_large(self) -> bool:
        """Whether running all defects on the case would take minutes."""
        return is_large(self.case)

    @cached_property
    def expectation(self) -> Expectation:
        """What is documented; without any dropout, where that is random."""
        case = self.case
        if not is_determined(case):
            case = replace(case, config=replace(case.config, dropout=0.0))
        return expect(case)

    def distance(self, values: dict[str, Array], names: Iterable[str] | None = None) -> float:
        """Largest error over noise, if ``values`` were the documented ones.

        The noise of a tensor is that of its noisiest element, and at least one rounding of its
        largest element: where a defect has noise is not known.

        Args:
            values: by the name of the result.
            names: of the results that are compared; by default all.
        """
        worst = 0.0
        for name in self.observed if names is None else names:
            observed, right = self.observed[name], values[name]
            if observed.shape != right.shape:
                return math.inf
            noise = self.expectation.noise[name].max(initial=0.0)
            if not math.isfinite(noise):
                continue
            precision = self.case.precision
            largest = np.abs(right).max(initial=0.0, where=np.isfinite(right))
            seen = np.abs(observed).max(initial=0.0, where=np.isfinite(observed))
            if noise > max(largest, seen) and not np.array_equal(observed, right, equal_nan=True):
                return math.inf  # both are so much smaller than what is right that all look alike
            allowed = max(noise, precision.unit_roundoff * largest, precision.least_error)
            worst = max(worst, error_ratios(observed, right, np.array(allowed)).max(initial=0.0))
        return worst

    @cached_property
    def documented(self) -> float:
        """Largest error over noise of all results."""
        return self.distance(self.expectation.values)

    @cached_property
    def documented_outputs(self) -> float:
        """Largest error over noise of the outputs."""
        return self.distance(self.expectation.values, OUTPUTS)

    @property
    def only_denormals_are_lost(self) -> bool:
        """Whether each wrong element is zero, where a denormal number is right."""
        precision, lost = self.case.precision, False
        for name, observed in self.observed.items():
            expected, noise = self.expectation.values[name], self.expectation.noise[name]
            if observed.shape != expected.shape:
                return False
            allowed = allowed_error(expected, noise, precision)
            wrong = error_ratios(observed, expected, allowed) > THRESHOLD
            if (wrong & ((observed != 0) | (np.abs(expected) >= precision.smallest_normal))).any():
                return False
            lost = lost or bool(wrong.any())
        return lost


def observation_of(implementation: Implementation, case: Case) -> Observation:
    """What the implementation returns, in known settings and without harm for the judge.

    Raises:
        JudgeChanged: it has changed something that the judge uses.
    """
    with watched(), known_settings():
        return implementation.run(case)


def run(implementation: Implementation, case: Case) -> Observation | None:
    """What the implementation makes of ``case``; None if it cannot run it, or raises."""
    try:
        if unsupported(implementation, case) is not None:
            return None
        observation = observation_of(implementation, case)
    except BaseException as error:
        if is_interrupt(error):
            raise
        return None
    complete = all(name in observation.tensors for name in case.result_names())
    return observation if complete else None
