"""What a failing implementation does instead: the catalogued defects that behave the same.

Nothing here runs unless a clause is broken.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...adapters.target import load
from ...reference.oracle import Expectation, expect
from ...spec.capabilities import unsupported
from ...spec.case import LAYOUTS, OUTPUTS, Case
from ...spec.contract import Implementation, Observation
from ...spec.verdicts import FAIL
from ..judging.comparison import THRESHOLD, Finding, error_ratios
from ..judging.trial import Trial
from .divergence import first_divergence

if TYPE_CHECKING:
    from ...defects.catalogue import Defect

__all__ = ["Diagnosis", "Diagnostician", "Evidence"]

Array = NDArray[np.float64]

# A defect matches if it is no further from what is seen than a few correct implementations are
# from one another, and the documented LSTM is at least this many times further away.
_MATCH, _SEPARATION = 10.0, 30.0

# So many wrong results are looked at for one that a single defect of several explains.
_WRONG = 8

# So many of those are tried together with all others.
_EXPLAIN = 6

# Cases with more steps in all layers and directions, or more units, are put to the suspects that
# break the clause, not to all: that would take minutes.
_STEPS, _UNITS = 100, 32

# Other values of a failing case that are tried where only the rule of the clause shows it.
_SEEDS = 6

# After so many searches, which take seconds, only what was found before is tried.
_SEARCHES = 3

# So many defects are named beside one from which they cannot be told.
_ALTERNATIVES = 3


@dataclass(frozen=True)
class Diagnosis:
    """What a failure looks like.

    Attributes:
        text: one or two sentences.
        defects: ids of the catalogued defects that behave the same, several if they act
            together; empty if there are none, and the text says where results first diverge.
        alternatives: ids of others that cannot be told from these by what was seen.
        ratio: largest error over noise of the match, None without one.
        documented_ratio: the same for the documented LSTM.
    """

    text: str
    defects: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    ratio: float | None = None
    documented_ratio: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain data, which travels between processes."""
        lists = {"defects": list(self.defects), "alternatives": list(self.alternatives)}
        return {**asdict(self), **lists}


Rule = Callable[[Trial], list[Finding]]


@dataclass(frozen=True)
class Evidence:
    """One failing case of a clause.

    Attributes:
        trial: in which it failed.
        rule: that it broke.
    """

    trial: Trial
    rule: Rule


class _Seen:
    """A case, what came of it, and what is documented."""

    def __init__(self, case: Case, observation: Observation) -> None:
        self.case = case
        self.observed = {n: observation.tensors[n].values for n in case.result_names()}

    @property
    def steps(self) -> int:
        """In how many cells it runs."""
        config = self.case.config
        return self.case.seq_len * config.num_layers * config.num_directions

    @property
    def is_large(self) -> bool:
        """Whether all suspects would take minutes for it."""
        return self.steps > _STEPS or self.case.config.hidden_size > _UNITS

    @cached_property
    def expectation(self) -> Expectation:
        """What is documented; if nothing was dropped, where that is left to chance."""
        case = self.case
        if _determined(case):
            return expect(case)
        width = case.config.num_directions * case.config.output_size
        kept = np.ones((case.seq_len, case.batch_size, width))
        return expect(case, kept=[kept] * (case.config.num_layers - 1))

    def distance(self, values: dict[str, Array], names: Iterable[str] | None = None) -> float:
        """Largest error over noise, of all tensors or some, if ``values`` were the right ones.

        The noise of a tensor is that of its noisiest element, and no less than a rounding of
        its largest one: where a defect has noise is not known.
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
            allowed = max(noise, precision.unit_roundoff * largest, precision.smallest_subnormal)
            worst = max(worst, error_ratios(observed, right, np.array(allowed)).max(initial=0.0))
        return worst

    @cached_property
    def documented(self) -> float:
        """How far the documented LSTM is away."""
        return self.distance(self.expectation.values)

    @cached_property
    def documented_outputs(self) -> float:
        """The same for the outputs alone."""
        return self.distance(self.expectation.values, OUTPUTS)


class Diagnostician:
    """Finds the defects that behave like one implementation.

    Args:
        implementation: that fails.
        without: ids of defects that are not to be considered.
    """

    def __init__(self, implementation: Implementation, without: Iterable[str] = ()) -> None:
        self._implementation = implementation
        self._without = frozenset(without)
        self._found: list[tuple[Defect, ...]] = []
        self._searches = 0
        self._told: dict[Case, _Seen | None] = {}

    def diagnose(self, clause: str, evidence: Sequence[Evidence]) -> Diagnosis | None:
        """What the failures of ``clause`` look like; None if nothing can be said.

        Whatever the implementation or a defect raises on the way is passed over.
        """
        failing = [_Seen(*run) for piece in evidence for run in piece.trial.runs]
        failing = [s for s in failing if _determined(s.case)]
        documented = max((s.documented for s in failing), default=0.0) if self._found else 0.0
        for known in self._found if documented > _SEPARATION else ():
            matched = _matches(known, failing, THRESHOLD)
            if matched is not None:
                return _named([known], matched, documented)
        if not evidence or self._searches >= _SEARCHES:
            return None
        seen = [*self._telling(evidence[0].trial.case), *failing]
        wrong = [s for s in seen if _determined(s.case) and s.documented > _SEPARATION]
        if not wrong:
            return self._by_rule(clause, evidence)
        self._searches += 1
        documented = max(s.documented for s in wrong)
        wrong.sort(key=lambda s: (s.is_large, s.steps))  # most suspects fail the cheapest
        suspects = self._suspects()
        if wrong[0].is_large:  # so all are
            suspects = [defect for defect in suspects if defect.breaks == clause]
        groups, matched = self._search(suspects, [*wrong, *(s for s in seen if s not in wrong)])
        if groups and documented > _SEPARATION * max(matched, 1.0):
            self._found.append(groups[0])
            return _named(groups, matched, documented)
        where = first_divergence(self._implementation, wrong[0].case)
        return None if where is None else Diagnosis(where, documented_ratio=_json(documented))

    # ------------------------------------------------------------ what is seen

    def _telling(self, case: Case) -> list[_Seen]:
        """Cases of the same kind as ``case`` that tell more, and what comes of them."""
        for telling in (cases := _telling(case)):
            if telling not in self._told:
                observation = _run(self._implementation, telling)
                self._told[telling] = None if observation is None else _Seen(telling, observation)
        return [told for told in map(self._told.get, cases) if told is not None]

    # ------------------------------------------------------------ what matches

    def _suspects(self) -> list[Defect]:
        return [defect for defect in _suspects() if defect.id not in self._without]

    def _search(
        self, suspects: list[Defect], seen: list[_Seen]
    ) -> tuple[list[tuple[Defect, ...]], float]:
        """Those of the suspects, or pairs of them, that match all that is seen, and how well."""
        certain = [s for s in seen if _determined(s.case)]
        by_chance = [s for s in seen if s not in certain]
        found, matched = _filtered([(defect,) for defect in suspects], certain)
        if not found and self._searches == 1:  # it takes long, and once is enough
            found, matched = _filtered(_pairs(suspects, certain), certain)
        return [g for g in found if all(_may_match(g, s) for s in by_chance)], matched

    def _by_rule(self, clause: str, evidence: Sequence[Evidence]) -> Diagnosis | None:
        """For what no plain run shows: defects of the clause in which its rule finds the same."""
        first = evidence[0]
        cases = [replace(first.trial.case, seed=seed) for seed in range(_SEEDS)]
        ours = [_found(first.rule, case, self._implementation) for case in cases]
        documented = max((f.ratio or 0.0 for found in ours for f in found), default=0.0)
        if documented <= _SEPARATION or sum(map(bool, ours)) < _SEEDS / 2:
            return None
        groups: list[tuple[Defect, ...]] = [
            (d,)
            for d in self._suspects()
            if d.breaks == clause
            and all(
                _same_findings(found, _found(first.rule, case, load(d.target)))
                for case, found in zip(cases, ours, strict=True)
            )
        ]
        return _named(groups, _MATCH, documented) if groups else None


def _pairs(suspects: list[Defect], seen: list[_Seen]) -> list[tuple[Defect, ...]]:
    """Pairs of a defect that alone explains something that is seen, and any other.

    In some of what is seen one of them does not show: without initial states, say.
    """
    small = [s for s in seen if not s.is_large]
    wrong = [s for s in small if _SEPARATION < s.documented < math.inf][:_WRONG]
    if not wrong:
        return []
    explains = [
        d
        for d in suspects
        if any(_matches((d,), [s]) is not None for s in wrong)
        or (wrong[0].documented_outputs > _MATCH >= _distance((d,), wrong[0], OUTPUTS))
    ]
    firsts = explains[:_EXPLAIN]
    return [(d, o) for k, d in enumerate(firsts) for o in suspects if o not in firsts[: k + 1]]


def _named(groups: list[tuple[Defect, ...]], matched: float, documented: float) -> Diagnosis:
    first = groups[0]
    also = [_names(group) for group in groups[1 : 1 + _ALTERNATIVES]]
    others = f" (or {', or '.join(also)}: the same in all that was seen)" if also else ""
    text = (
        f"matches {_names(first)}{others}: {'; and '.join(d.text.rstrip('.') for d in first)}. "
        f"Error {matched:.2g} times rounding noise, where the documented LSTM has "
        f"{documented:.2g}."
    )
    ids = tuple(d.id for d in first)
    return Diagnosis(text, ids, tuple(also), _json(matched), _json(documented))


def _names(group: tuple[Defect, ...]) -> str:
    return " and ".join(defect.id for defect in group)


def _json(ratio: float) -> float:
    return min(float(ratio), 1e99)


# --------------------------------------------------------------- telling cases


def _telling(case: Case) -> list[Case]:
    """Cases like ``case``, in which defects differ: distinct sizes, several steps and rows.

    Then what is left of them with one choice made otherwise: a defect that shows always must
    not be taken for one that shows here.
    """
    config = case.config
    like = _laid_out(
        Case(
            replace(
                config,
                input_size=3,
                hidden_size=4,
                proj_size=2 if config.proj_size else 0,
                dropout=1.0 if config.dropout else 0.0,
            ),
            dtype=case.dtype,
            device=case.device,
            training=case.training,
            states=case.states,
            weight_scale=2.0,
            cotangents=OUTPUTS,
            seed=1,
        ),
        case.layout,
    )
    config = like.config

    def other(seed: int, **changes: Any) -> Case:
        return replace(like, config=replace(config, **changes), seed=seed)

    return [
        like,
        other(2, num_layers=3, bias=True, bidirectional=True),
        replace(like, states=not like.states, seed=5),
        other(6, bias=not config.bias),
        other(7, bidirectional=not config.bidirectional),
        other(8, proj_size=0 if config.proj_size else 2),
        other(9, batch_first=not config.batch_first),
        other(10, num_layers=1 if config.num_layers > 1 else 2),
        *(replace(like, cotangents=(name,), seed=3) for name in OUTPUTS),
        *(_laid_out(replace(like, seed=4), name) for name in LAYOUTS if name != like.layout),
        other(11, dropout=1.0 - config.dropout),
        replace(other(14, dropout=0.5, num_layers=2), training=True),
        replace(like, training=not like.training, seed=12),
        replace(like, dtype="float32" if like.dtype == "float64" else "float64", seed=13),
    ]


def _determined(case: Case) -> bool:
    """Whether results leave nothing to chance."""
    return not 0 < case.active_dropout < 1


def _laid_out(case: Case, layout: str) -> Case:
    lengths = {"packed_sorted": (5, 3, 2), "packed_unsorted": (3, 5, 2)}.get(layout, ())
    rows = 1 if layout == "unbatched" else 3
    return replace(case, layout=layout, lengths=lengths, seq_len=5, batch_size=rows)


# ------------------------------------------------------------ running defects


@cache
def _suspects() -> tuple[Defect, ...]:
    """The defects that a plain run may show; none without torch, which they are written in."""
    try:
        from ...defects.catalogue import FORWARD, GRADIENT, catalogue

        entries = catalogue()
    except ImportError:
        return ()
    of_layout = ("SHAPE-", "PACK-")
    return tuple(
        d for d in entries if d.kind in (FORWARD, GRADIENT) or d.breaks.startswith(of_layout)
    )


@cache
def _implementation(group: tuple[Defect, ...]) -> Implementation | None:
    """A defect, or several at once: every one overrides what the next ones do."""
    if len(group) == 1:
        return load(group[0].target)
    from importlib import import_module

    from ...adapters.torch_module import TorchModule

    classes = []
    for defect in group:
        module, _, name = defect.target.partition(":")
        classes.append(getattr(import_module(module), name))
    try:
        both = type("And".join(c.__name__ for c in classes), tuple(classes), {})
    except TypeError:  # of kinds that cannot be combined
        return None
    return TorchModule(both.__name__, both, "")


def _run(implementation: Implementation, case: Case) -> Observation | None:
    try:
        if unsupported(implementation, case) is not None:
            return None
        observation = implementation.run(case)
    except (Exception, SystemExit):
        return None
    complete = all(name in observation.tensors for name in case.result_names())
    return observation if complete else None


def _distance(
    group: tuple[Defect, ...], seen: _Seen, names: tuple[str, ...] | None = None
) -> float:
    """How far what is seen is from what the defects give; infinite if they give nothing."""
    implementation = _implementation(group)
    case = seen.case if names is None else replace(seen.case, cotangents=())
    observation = None if implementation is None else _run(implementation, case)
    if observation is None:
        return math.inf
    return seen.distance({n: t.values for n, t in observation.tensors.items()}, names)


def _matches(
    group: tuple[Defect, ...], seen: Sequence[_Seen], at_most: float = _MATCH
) -> float | None:
    """The largest distance to anything that is seen; None if one of them is too large."""
    worst = 0.0
    for s in seen:
        for names in (OUTPUTS, None):  # most fail by their outputs, which cost less
            worst = max(worst, _distance(group, s, names))
            if worst > at_most:
                return None
    return worst


def _may_match(group: tuple[Defect, ...], seen: _Seen) -> bool:
    """Where chance decides: both drop something or neither, and the same draws match wholly."""
    implementation = _implementation(group)
    observation = None if implementation is None else _run(implementation, seen.case)
    if observation is None:
        return True
    drops = _Seen(seen.case, observation).documented_outputs > _MATCH
    if drops != (seen.documented_outputs > _MATCH):
        return False
    values = {name: tensor.values for name, tensor in observation.tensors.items()}
    return seen.distance(values, OUTPUTS) > _MATCH or seen.distance(values) <= _MATCH


def _filtered(
    groups: Iterable[tuple[Defect, ...]], seen: Sequence[_Seen]
) -> tuple[list[tuple[Defect, ...]], float]:
    matched = {group: _matches(group, seen) for group in groups}
    found = {group: ratio for group, ratio in matched.items() if ratio is not None}
    return list(found), max(found.values(), default=0.0)


def _found(rule: Rule, case: Case, implementation: Implementation) -> list[Finding]:
    """What the rule has against the implementation; nothing if it raises."""
    try:
        findings = rule(Trial(case, implementation))
    except (Exception, SystemExit):
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
    return same or abs(a.observed - b.observed) <= _MATCH * a.noise
