"""The arrays of a failure: its case is judged once more, and what is compared is kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...reference.oracle import Expectation
from ...reports.results import FoundFailure
from ...spec.case import Case
from ...spec.contract import Implementation, ObservedTensor
from ...spec.verdicts import FAIL
from ..judging.comparison import Finding
from ..judging.rules import Rule
from ..judging.trial import Trial
from ..searching.case_judge import CaseJudge, CaseOutcome
from ..searching.checker import Checker
from ..searching.settings import Settings
from .run_in_process import RunInProcess

__all__ = ["FailingArrays", "failing_arrays"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class FailingArrays:
    """What was compared when a case failed.

    Attributes:
        observed: the tensor that the implementation returned; float64.
        expected: what the reference returns; float64, in the same shape unless the shape is wrong.
        noise: the standard deviation of rounding errors, in the shape of ``expected``.
    """

    observed: Array
    expected: Array
    noise: Array


def failing_arrays(run: RunInProcess, clause: str, failure: FoundFailure) -> FailingArrays | None:
    """Judges the case of ``failure`` once more, and returns what was compared.

    Args:
        run: of the implementation, with the case as its option.
        clause: that is broken.
        failure: in which a tensor is wrong.

    Returns:
        None if the clause compares no arrays, or if the case does not fail again.
    """
    with run.undisturbed():
        session = run.session
        judge = _Judge(session.judged.implementation, session.settings, clause)
        for test in session.plan.tests:
            of_test = run.runs[test]
            of_test.test(
                Checker(
                    session.judged.implementation,
                    session.settings,
                    of_test.name,
                    of_test.clauses,
                    judge,
                )
            )
        named = failure["finding"].get("tensor", "")
        failed = [
            (f, arrays) for f, arrays in judge.kept if f.verdict == FAIL and f.tensor == named
        ]
        if failed:
            return max(failed, key=lambda pair: _size(pair[0]))[1]
        return judge.whole(named)


def _size(finding: Finding) -> float:
    return math.inf if finding.ratio is None else finding.ratio


class _Judge(CaseJudge):
    """Judges cases by one clause, and keeps what is compared in them."""

    def __init__(self, implementation: Implementation, settings: Settings, clause: str) -> None:
        super().__init__(implementation, settings)
        self._of = implementation
        self._clause = clause
        self._trials_made: list[Trial] = []
        self.kept: list[tuple[Finding, FailingArrays]] = []

    def prepare(self, cases: Sequence[Case]) -> None:
        """Nothing is computed side by side."""

    def judge(self, case: Case, rules: dict[str, Rule]) -> CaseOutcome:
        """See :class:`~lstm_conformance.runner.searching.case_judge.Judge`."""
        trial = _Trial(case, self._of, self.kept)
        self._trials_made.append(trial)
        return self._judge(trial, {c: rule for c, rule in rules.items() if c == self._clause})

    def whole(self, tensor: str) -> FailingArrays | None:
        """The results of a case as they are, if ``tensor`` is one of them."""
        for trial in self._trials_made:
            # Of random dropout nothing is expected without the mask.
            with suppress(ValueError):
                if tensor in trial.case.result_names() and trial.runs:
                    values, of = trial.observation.tensors[tensor].values, trial.expectation
                    return FailingArrays(values, of.values[tensor], of.noise[tensor])
        return None


class _Trial(Trial):
    """A trial that keeps what is compared."""

    def __init__(
        self,
        case: Case,
        implementation: Implementation,
        kept: list[tuple[Finding, FailingArrays]],
    ) -> None:
        super().__init__(case, implementation)
        self._kept = kept

    def close(
        self,
        name: str,
        observed: ObservedTensor | Array,
        expectation: Expectation | None = None,
        note: str = "",
    ) -> Finding:
        """See :meth:`.Trial.close`."""
        finding = super().close(name, observed, expectation, note)
        values = observed.values if isinstance(observed, ObservedTensor) else observed
        of = self.expectation if expectation is None else expectation
        self._kept.append((finding, FailingArrays(values, of.values[name], of.noise[name])))
        return finding
