"""What a failing implementation does instead: the catalogued defects that behave the same.

Without such defects: a change of the documented LSTM that gives the same, or where results are
wrong. Nothing here runs unless a clause is broken.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from ...adapters.target import load
from ...spec.case import Case
from ...spec.clauses import CHAPTERS, CLAUSES, prerequisites
from ...spec.contract import Implementation
from ...spec.interrupts import is_interrupt
from ...spec.only_config import only_config
from ...spec.ratios import LARGEST_RATIO
from ...spec.verdicts import FAIL
from ..judging.comparison import THRESHOLD, Finding
from ..judging.rules import Rule, judged_by
from ..judging.trial import Trial
from .behaviour import Behaviour, run
from .conditions import Conditions, conditions, is_right, variations
from .divergence import first_divergence
from .failure import Diagnosis, Failure
from .probing_cases import is_determined, is_large, probing_cases, single_steps
from .recomputation import recomputed
from .size_window import size_window
from .suspects import (
    MATCH,
    SEPARATION,
    Group,
    filtered,
    matches,
    may_match,
    none_hides_another,
    pairs,
    suspects,
)
from .views import views_of

if TYPE_CHECKING:
    from ...defects.catalogue import Defect

__all__ = ["Diagnostician", "Evidence", "diagnosis_of_runs"]

# Number of seeds that are tried for a failing case, if only the rule of the clause shows it.
_SEEDS = 6

# A search takes seconds. After this number of searches only known matches are tried, unless a
# clause fails that all those searched for build on.
_SEARCHES = 3

# The clauses whose cases have large sizes.
_OF_SIZES = frozenset(clause.id for clause in CHAPTERS["SIZE"].clauses)

# The kinds of clauses that may be about several calls, or about what is done beside one.
_ABOUT_USE = ("numbers", "side effects")

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
        self._searched: list[str] = []
        self._known: dict[Case, Behaviour | None] = {}

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
        if failing and all(b.only_denormals_are_lost for b in failing):
            name = failing[0].case.dtype
            return Diagnosis(
                f"Denormal numbers count as zero: those below the smallest normal number of {name}."
            )
        if not evidence or not self._may_search(clause):
            return None
        if clause in _OF_SIZES:
            window = self._window(evidence[-1])
            if window is not None:
                return window
        behaviours = [*self._run(probing_cases(evidence[0].trial.case)), *failing]
        wrong = [b for b in behaviours if is_determined(b.case) and b.documented > SEPARATION]
        if not wrong:
            return self._by_rule(clause, evidence)
        self._searched.append(clause)
        # The cheapest first: most suspects differ there already.
        wrong.sort(key=lambda b: (b.is_large, b.steps))
        others = [b for b in behaviours if b not in wrong]
        case = _plainest(wrong, failing)
        named = self._named_by_search(clause, wrong, others, case)
        if named is not None:
            return named
        if wrong[0].is_large:
            window = self._window(evidence[-1])
            if window is not None:
                return window
        text = first_divergence(self._implementation, case, shown=evidence[-1].trial.case)
        documented = max(b.documented for b in wrong)
        return None if text is None else Diagnosis(text, documented_ratio=_finite(documented))

    def of_random_dropout(self, failure: Failure) -> Diagnosis | None:
        """That a mistake is in dropout, where only the rule of a clause shows it.

        None if the case has no random dropout, or if other modes are wrong, too.
        """
        case, finding = Case.parse(failure.case), failure.finding
        if is_determined(case) or finding is None:
            return None
        others = {w: c for w, c in variations(case, of_mode=True).items() if is_determined(c)}
        right = tuple(w for w, c in others.items() if is_right(self._implementation, c))
        return _right_in_modes(right, finding.message) if right else None

    def of_use(self, clause: str, failure: Failure) -> Diagnosis | None:
        """That one plain call of the case is right, so that the mistake is in the rest of the rule.

        None if it is wrong, and for clauses on what is accepted or how something is called.
        """
        finding = failure.finding
        if finding is None or CLAUSES[clause].kind not in _ABOUT_USE:
            return None
        case = Case.parse(failure.case)
        if not is_right(self._implementation, case):
            return None
        call = "One call, forward and backward," if case.cotangents else "One call"
        what = f" ({finding.message})" if finding.message else ""
        return Diagnosis(
            f"{call} is right in this case: the mistake is in what this clause adds to it{what}."
        )

    def _may_search(self, clause: str) -> bool:
        """Whether ``clause`` is one of the first, or more of a cause than all of them.

        A search takes long. Clauses that only build on broken ones must not use up all searches.
        """
        searched = self._searched
        return len(searched) < _SEARCHES or all(clause in prerequisites(one) for one in searched)

    def _named_by_search(
        self, clause: str, wrong: list[Behaviour], others: list[Behaviour], case: Case
    ) -> Diagnosis | None:
        """The defects that match, or a change of the documented LSTM; None if there are none.

        Pairs of defects take longest, and come last.
        """
        documented = max(b.documented for b in wrong)
        defects = self._suspects()
        if wrong[0].is_large:  # so all are
            defects = [defect for defect in defects if defect.breaks == clause]
        certain = [*wrong, *(b for b in others if is_determined(b.case))]
        random = [b for b in others if not is_determined(b.case)]
        groups, matched = _matching([(defect,) for defect in defects], certain, random)
        if not groups:
            text = self._recomputed(case)
            if text is not None:
                return Diagnosis(text, documented_ratio=_finite(documented))
        if not groups and len(self._searched) == 1:  # once is enough
            groups, matched = _matching(pairs(defects, certain), certain, random)
            groups = [group for group in groups if none_hides_another(group, certain)]
        if not groups or documented <= SEPARATION * max(matched, 1.0):
            return None
        self._found.append(groups[0])
        return _named(groups, matched, documented)

    def _recomputed(self, case: Case) -> str | None:
        """A change of the documented LSTM that explains what is wrong in cases like ``case``."""
        text = recomputed(self._run([v.case for v in views_of(self._implementation, case)]))
        if text is None and not is_large(case) and type(case) is Case:
            text = recomputed(self._run(single_steps(case)))
        return text

    def _window(self, evidence: Evidence) -> Diagnosis | None:
        """For which sizes the rule of ``evidence`` is broken; None if small ones break it too."""

        def fails(case: Case) -> bool:
            return bool(_findings(evidence.rule, case, self._implementation))

        if only_config(self._implementation) is not None:  # it has no other sizes
            return None
        case = evidence.trial.case
        window = size_window(fails, case)
        if window is None:
            return None
        place = first_divergence(self._implementation, case, causes=False)
        return Diagnosis(window if place is None else f"{window} {place}")

    def _run(self, cases: Sequence[Case]) -> list[Behaviour]:
        """What the implementation does with ``cases``, each of which is run once."""
        for case in cases:
            if case not in self._known:
                observation = run(self._implementation, case)
                behaviour = None if observation is None else Behaviour(case, observation)
                self._known[case] = behaviour
        return [b for b in map(self._known.get, cases) if b is not None]

    def _suspects(self) -> list[Defect]:
        return [defect for defect in suspects() if defect.id not in self._without]

    def _by_rule(self, clause: str, evidence: Sequence[Evidence]) -> Diagnosis | None:
        """The defects of ``clause`` for which its rule has the same findings.

        This is for failures that no plain run shows. Without such defects, the modes in which the
        implementation is right.
        """
        first = evidence[0]
        cases = [replace(first.trial.case, seed=seed) for seed in range(_SEEDS)]
        ours = [_findings(first.rule, case, self._implementation) for case in cases]
        documented = max((f.ratio or 0.0 for found in ours for f in found), default=0.0)
        groups: list[Group] = []
        if documented > SEPARATION and sum(map(bool, ours)) >= _SEEDS / 2:
            groups = [
                (d,)
                for d in self._suspects()
                if d.breaks == clause
                and all(
                    _same_findings(found, _findings(first.rule, case, load(d.target)))
                    for case, found in zip(cases, ours, strict=True)
                )
            ]
        if groups:
            return _named(groups, MATCH, documented)
        return self._right_elsewhere(evidence[-1])

    def _right_elsewhere(self, evidence: Evidence) -> Diagnosis | None:
        """In which modes the implementation is right; None if the plain case is right as well."""
        case = evidence.trial.case
        if is_right(self._implementation, case):
            return None
        found = conditions(partial(is_right, self._implementation), [case])
        if is_determined(case):  # so it raises an exception
            return Diagnosis(str(found)) if str(found) else None
        if not found.of_mode:
            return None
        messages = [f.message for f in _findings(evidence.rule, case, self._implementation)]
        return _right_in_modes(found.of_mode, messages[0] if messages else "")


def _right_in_modes(modes: tuple[str, ...], message: str) -> Diagnosis:
    """That an implementation is right in ``modes``, and what is wrong in the others."""
    what = f" ({message})" if message else ""
    return Diagnosis(f"{str(Conditions(modes))[:-1]}{what}.")


def _matching(
    tried: list[Group], certain: list[Behaviour], random: list[Behaviour]
) -> tuple[list[Group], float]:
    """The groups of defects that match all behaviours, and their largest distance."""
    found, matched = filtered(tried, certain)
    return [g for g in found if all(may_match(g, b) for b in random)], matched


def _plainest(wrong: list[Behaviour], failing: list[Behaviour]) -> Case:
    """The smallest case that was found to fail, if it is small; otherwise another wrong one."""
    small = [b.case for b in failing if b in wrong and type(b.case) is Case and not b.is_large]
    return small[-1] if small else wrong[0].case


def _named(groups: list[Group], matched: float, documented: float) -> Diagnosis:
    first, *others = groups[: 1 + _ALTERNATIVES]
    also = f" The same in all that was seen: {'; '.join(map(_told, others))}." if others else ""
    text = (
        f"matches {_told(first)}.{also} Error {matched:.2g} times rounding noise, where the "
        f"documented LSTM has {documented:.2g}."
    )
    ids = tuple(d.id for d in first)
    alternatives = tuple(map(_ids, others))
    return Diagnosis(text, ids, alternatives, _finite(matched), _finite(documented))


def _told(group: Group) -> str:
    return f"{_ids(group)}: {'; and '.join(d.text.rstrip('.') for d in group)}"


def _ids(group: Group) -> str:
    return " and ".join(defect.id for defect in group)


def _finite(ratio: float) -> float:
    return min(float(ratio), LARGEST_RATIO)


def _findings(rule: Rule, case: Case, implementation: Implementation) -> list[Finding]:
    """The findings of ``rule`` that fail; none if the implementation raises."""
    try:
        findings = judged_by(rule, Trial(case, implementation))
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
