"""What a failing implementation does instead: the catalogued defects that behave the same.

Nothing here runs unless a clause is broken.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...adapters.target import load
from ...spec.case import Case
from ...spec.clauses import CHAPTERS
from ...spec.contract import Implementation
from ...spec.interrupts import is_interrupt
from ...spec.verdicts import FAIL
from ..judging.comparison import THRESHOLD, Finding
from ..judging.rules import Rule
from ..judging.trial import Trial
from .behaviour import Behaviour, run
from .divergence import first_divergence
from .failure import LARGEST_RATIO, Diagnosis, Failure
from .probing_cases import is_determined, probing_cases
from .size_window import size_window
from .suspects import MATCH, SEPARATION, Group, filtered, matches, may_match, pairs, suspects

if TYPE_CHECKING:
    from ...defects.catalogue import Defect

__all__ = ["Diagnostician", "Evidence", "diagnosis_of_runs"]

# Number of seeds that are tried for a failing case, if only the rule of the clause shows it.
_SEEDS = 6

# A search takes seconds. After this number of searches only known matches are tried.
_SEARCHES = 3

# The clauses whose cases have large sizes.
_OF_SIZES = frozenset(clause.id for clause in CHAPTERS["SIZE"].clauses)

# Number of defects that are named beside one that behaves the same.
_ALTERNATIVES = 3


@dataclass(frozen=True)
class Evidence:
    """One failing case of a clause.

    Attributes:
        trial: in which it failed.
        rule: that it broke.
    """

    trial: Trial
    rule: Rule


def diagnosis_of_runs(failure: Failure) -> Diagnosis | None:
    """That a failure comes and goes; None if its case failed in every run."""
    if failure.failed_runs == failure.runs:
        return None
    text = f"fails in {failure.failed_runs} of {failure.runs} runs of the same case: "
    if 0.0 < Case.parse(failure.case).active_dropout < 1.0:
        return Diagnosis(text + "it depends on something random, perhaps on the dropout masks.")
    return Diagnosis(text + "the implementation is not deterministic.")


class Diagnostician:
    """Finds the defects that behave like one implementation.

    Args:
        implementation: that fails.
        without: ids of defects that are left out.
    """

    def __init__(self, implementation: Implementation, without: Iterable[str] = ()) -> None:
        self._implementation = implementation
        self._without = frozenset(without)
        self._found: list[Group] = []
        self._searches = 0
        self._probed: dict[Case, Behaviour | None] = {}

    def diagnose(self, clause: str, evidence: Sequence[Evidence]) -> Diagnosis | None:
        """What the failures of ``clause`` look like; None if nothing can be said.

        Exceptions of the implementation and of defects are ignored.
        """
        failing = [Behaviour(*made) for piece in evidence for made in piece.trial.runs]
        failing = [b for b in failing if is_determined(b.case)]
        documented = max((b.documented for b in failing), default=0.0) if self._found else 0.0
        for known in self._found if documented > SEPARATION else ():
            matched = matches(known, failing, THRESHOLD)
            if matched is not None:
                return _named([known], matched, documented)
        if not evidence or self._searches >= _SEARCHES:
            return None
        if clause in _OF_SIZES:
            window = self._window(evidence[-1])
            if window is not None:
                return window
        behaviours = [*self._probe(evidence[0].trial.case), *failing]
        wrong = [b for b in behaviours if is_determined(b.case) and b.documented > SEPARATION]
        if not wrong:
            return self._by_rule(clause, evidence[0])
        self._searches += 1
        documented = max(b.documented for b in wrong)
        # The cheapest first: most suspects differ there already.
        wrong.sort(key=lambda b: (b.is_large, b.steps))
        defects = self._suspects()
        if wrong[0].is_large:  # so all are
            defects = [defect for defect in defects if defect.breaks == clause]
        others = [b for b in behaviours if b not in wrong]
        groups, matched = self._search(defects, [*wrong, *others])
        if groups and documented > SEPARATION * max(matched, 1.0):
            self._found.append(groups[0])
            return _named(groups, matched, documented)
        where = first_divergence(self._implementation, wrong[0].case)
        return None if where is None else Diagnosis(where, documented_ratio=_finite(documented))

    def _window(self, evidence: Evidence) -> Diagnosis | None:
        """For which sizes the rule of ``evidence`` is broken; None if small ones break it too."""

        def fails(case: Case) -> bool:
            return bool(_findings(evidence.rule, case, self._implementation))

        window = size_window(fails, evidence.trial.case)
        return None if window is None else Diagnosis(window)

    def _probe(self, case: Case) -> list[Behaviour]:
        """What the implementation does with cases that tell defects apart."""
        cases = probing_cases(case)
        for probing in cases:
            if probing not in self._probed:
                observation = run(self._implementation, probing)
                behaviour = None if observation is None else Behaviour(probing, observation)
                self._probed[probing] = behaviour
        return [b for b in map(self._probed.get, cases) if b is not None]

    def _suspects(self) -> list[Defect]:
        return [defect for defect in suspects() if defect.id not in self._without]

    def _search(
        self, defects: list[Defect], behaviours: list[Behaviour]
    ) -> tuple[list[Group], float]:
        """The defects, or pairs of them, that match all behaviours, and their largest distance."""
        certain = [b for b in behaviours if is_determined(b.case)]
        random = [b for b in behaviours if b not in certain]
        found, matched = filtered([(defect,) for defect in defects], certain)
        if not found and self._searches == 1:  # pairs take long, and once is enough
            found, matched = filtered(pairs(defects, certain), certain)
        return [g for g in found if all(may_match(g, b) for b in random)], matched

    def _by_rule(self, clause: str, evidence: Evidence) -> Diagnosis | None:
        """The defects of ``clause`` for which its rule has the same findings.

        This is for failures that no plain run shows.
        """
        cases = [replace(evidence.trial.case, seed=seed) for seed in range(_SEEDS)]
        ours = [_findings(evidence.rule, case, self._implementation) for case in cases]
        documented = max((f.ratio or 0.0 for found in ours for f in found), default=0.0)
        if documented <= SEPARATION or sum(map(bool, ours)) < _SEEDS / 2:
            return None
        groups: list[Group] = [
            (d,)
            for d in self._suspects()
            if d.breaks == clause
            and all(
                _same_findings(found, _findings(evidence.rule, case, load(d.target)))
                for case, found in zip(cases, ours, strict=True)
            )
        ]
        return _named(groups, MATCH, documented) if groups else None


def _named(groups: list[Group], matched: float, documented: float) -> Diagnosis:
    first = groups[0]
    also = [_ids(group) for group in groups[1 : 1 + _ALTERNATIVES]]
    others = f" (or {', or '.join(also)}: the same in all that was seen)" if also else ""
    text = (
        f"matches {_ids(first)}{others}: {'; and '.join(d.text.rstrip('.') for d in first)}. "
        f"Error {matched:.2g} times rounding noise, where the documented LSTM has "
        f"{documented:.2g}."
    )
    ids = tuple(d.id for d in first)
    return Diagnosis(text, ids, tuple(also), _finite(matched), _finite(documented))


def _ids(group: Group) -> str:
    return " and ".join(defect.id for defect in group)


def _finite(ratio: float) -> float:
    return min(float(ratio), LARGEST_RATIO)


def _findings(rule: Rule, case: Case, implementation: Implementation) -> list[Finding]:
    """The findings of ``rule`` that fail; none if the implementation raises."""
    try:
        findings = rule(Trial(case, implementation))
    except BaseException as error:
        if is_interrupt(error):
            raise
        return []
    return [finding for finding in findings if finding.verdict == FAIL]


def _same_findings(ours: list[Finding], its: list[Finding]) -> bool:
    return len(ours) == len(its) and all(map(_same_finding, ours, its))


def _same_finding(a: Finding, b: Finding) -> bool:
    if (a.tensor, a.index, a.message) != (b.tensor, b.index, b.message):
        return False
    if a.observed is None or b.observed is None or a.noise is None:
        return a.observed == b.observed
    same = a.observed == b.observed or (math.isnan(a.observed) and math.isnan(b.observed))
    return same or abs(a.observed - b.observed) <= MATCH * a.noise
