"""The fixture of the tests: draws cases, has them judged, and keeps a record for each clause.

The file is long because it has every way in which a test asks for cases.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import product

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity
from hypothesis.database import ExampleDatabase

from ...spec.capabilities import lacking
from ...spec.case import Case
from ...spec.clauses import CLAUSES, must_hold
from ...spec.combinations import Combination
from ...spec.contract import Implementation
from ...spec.interrupts import is_interrupt
from ...spec.narrowing import combinations_of_config, domain_of_config, narrowed, sizes_of_config
from ...spec.only_config import only_config, reason_of_misfits
from ...spec.precision import PRECISIONS
from ...spec.sizes import IN_TILES, PAIRED, WIDE_AND_LONG, Sizes, sizes_of, work
from ...spec.strategies import Domain, cases_strategy, sizes_that_show
from ...spec.verdicts import ERROR, FAIL, NOT_TESTED, PASS, UNSUPPORTED, WAIVED
from ..failures.diagnosis import Diagnostician, Evidence, diagnosis_of_runs
from ..failures.failure import Failure
from ..judging.rules import Rule
from .case_judge import CaseJudge, CaseOutcome, Judge
from .combination_groups import side_by_side
from .features import is_in, missing_parts, outside
from .local_constants import no_local_constants
from .plainer_cases import WITHOUT_AN_OPTION
from .record import Record
from .search import Search
from .settings import Settings
from .sized_cases import cases_of_sizes, has_options_of, ladder, sizes_together

__all__ = ["RUNS", "Checker", "NotReached"]

# The smallest failing case of a clause is judged so many times in all. These runs take no more than
# so many seconds, so that a slow case has fewer of them, and one that hung has no second one.
RUNS, _RUNS_SECONDS = 10, 2.0

# So many cases of a test have the same stack, and are judged side by side. The oracle takes about
# as long for a few cases as for one.
_TOGETHER = 3

# Options of a large case that fails are left out one by one, if it takes no more work than this, in
# seconds. Only slow implementations reach the second limit: results of others depend on no time.
_PLAINER_WORK, _PLAINER_SECONDS = 0.3, 20.0

# So large a part of the cases of a test is left for what the others do not have.
_LEFT_FOR_MISSING = 4

# Of so many cases, two have the same alternatives that others lack.
_MANY = 50

# A search through a part of a domain draws so many more cases, if some are outside the part.
_MORE_ATTEMPTS = 30

# Steps and rows of an instance, whose other sizes are its own.
_OF_INSTANCES = (Sizes(9, 5), Sizes(17, 33))

# The large cases of a test have one of so many combinations. What is expected of them is kept.
_PLACES = 4

# The dtypes in which cases of many sizes are judged, in turn.
_OF_SIZES = ("float32", "float64")

# Above so many seconds of work, what is expected of a case is computed alone: a forward pass must
# not cost a backward pass because another case needs one.
_SIDE_BY_SIDE_SECONDS = 0.05

# A test that runs out of time ends after the first case with one of these verdicts.
_ENOUGH = (PASS, FAIL, ERROR, WAIVED)

_OUT_OF_TIME = "not reached in the time"

# The phases of a search. Phase.reuse finds something only if examples were kept.
_PHASES = (Phase.reuse, Phase.generate, Phase.shrink)


class NotReached(BaseException):
    """Ends a test that has a case to judge, and began when the time of the run was over.

    Hypothesis and the tests would take a subclass of Exception for a failure.
    """


class _CaseBroken(Exception):
    """Tells Hypothesis that a case failed."""


class _OutOfTime(BaseException):
    """Ends a search. Hypothesis would take a subclass of Exception for a failing case."""


class _Enough(BaseException):
    """Ends a search that has judged all its cases."""


def _never() -> bool:
    return False


def _tell_nobody(clause: str, failure: Failure) -> None:
    pass


@dataclass(frozen=True)
class _Question:
    """How a failing case was judged, so that it can be judged again.

    Attributes:
        rule: that it broke.
        seconds: that it took.
    """

    rule: Rule
    seconds: float


@dataclass(frozen=True)
class _Task:
    """What several searches through the same domains have in common.

    Attributes:
        rules: by which the cases are judged.
        shrink: whether to look for a smaller case after a failure.
        label: that tells these searches from others of the test.
        examples: where failing cases are kept; None for nowhere.
        note: is called with the place of the domain, the case and its outcome, for each case that
            counts.
        judged: the cases that count.
    """

    rules: dict[str, Rule]
    shrink: bool
    label: str
    examples: ExampleDatabase | None
    note: Callable[[int, Case, CaseOutcome], None] = lambda place, case, outcome: None
    judged: list[Case] = field(default_factory=list)


class Checker:
    """Judges the cases of one test. It is the fixture ``lstm_check``.

    Args:
        implementation: that is judged.
        settings: how cases are drawn and judged.
        test: name of the test. All cases follow from it and the seed.
        clauses: ids of the clauses that the test is marked with.
        judge: that judges each case; by default in this process.
        out_of_time: says whether the test has used up its time.
        tell: is called with every failure of a case that counts, before a smaller one is looked
            for.
        is_late: whether the time of the run was over before the test began. The test then shows
            that nothing of it is supported, which takes no time, or raises NotReached.

    Attributes:
        records: clause to what was found out about it.
    """

    def __init__(
        self,
        implementation: Implementation,
        settings: Settings,
        test: str,
        clauses: Iterable[str],
        judge: Judge | None = None,
        out_of_time: Callable[[], bool] = _never,
        tell: Callable[[str, Failure], None] = _tell_nobody,
        is_late: bool = False,
    ) -> None:
        self.implementation = implementation
        self.settings = settings
        self.records = {clause: Record(clause) for clause in clauses}
        self._judge: Judge = CaseJudge(implementation, settings) if judge is None else judge
        self._out_of_time = out_of_time
        self._tell = tell
        self._is_late = is_late
        self._cut_short = False
        self._test = test
        self._searches = 0
        self._evidence: dict[str, dict[str, Evidence]] = {clause: {} for clause in self.records}
        self._questions: dict[tuple[str, str], _Question] = {}  # by clause and line of the case

    @property
    def _declared(self) -> frozenset[str]:
        """Capabilities whose cases are drawn. Those that need a required one fail."""
        return self.implementation.capabilities | self.settings.required

    @property
    def cut_short(self) -> bool:
        """Whether cases were not judged because the time was over."""
        return self._cut_short

    def forall(
        self,
        domain: Domain,
        rule: Rule,
        at_most: int | None = None,
        shrink: bool = True,
        share_stack: bool = True,
        also_large: bool = False,
    ) -> None:
        """Judges cases drawn from ``domain`` by ``rule``, for the one clause of this test.

        Args:
            domain: from which cases are drawn.
            rule: by which they are judged.
            at_most: largest number of cases; by default as many as the profile has.
            shrink: whether to look for a smaller case after a failure.
            share_stack: whether some cases may have the same stack and sizes. It costs less if
                ``rule`` compares with what is expected.
            also_large: whether to judge a few wide and long cases, too, if none has failed, of even
                and of uneven sizes. Programs compute large arrays in other ways than small ones,
                however they are used.
                ``domain`` then has cases without dropout.
        """
        (clause,) = self.records
        if self.settings.case is not None:
            reason = self._outside(domain, self.settings.case)
            if reason is None:
                self._judge_given(self.settings.case, {clause: rule})
            else:
                self.records[clause].count(NOT_TESTED, reason)
            return
        self._draw(clause, domain, rule, at_most, shrink, share_stack)
        large = ((IN_TILES,), _most_used(domain)), (WIDE_AND_LONG, domain)
        for sizes, part in large if also_large else ():
            if not self.records[clause].failures:
                self._judge_sizes(sizes, {clause: rule}, domain=part)

    def _draw(
        self,
        clause: str,
        domain: Domain,
        rule: Rule,
        at_most: int | None,
        shrink: bool,
        share_stack: bool,
    ) -> None:
        """Judges cases that Hypothesis draws; see :meth:`forall`."""
        if self._has_to_end():
            return
        part = self._narrowed(domain)
        if part is not None and not self._is_unsupported(clause):
            examples = self.settings.profile.per_clause
            if at_most is not None:
                examples = min(examples, at_most)
            task = _Task({clause: rule}, shrink, "", self._examples([part]))
            cases = task.judged
            together = _TOGETHER if share_stack else 1

            def search(wanted: Domain, number: int, place: int) -> bool:
                some = min(together, number)
                return self._search(task, [part] * some, [wanted] * some, number, place)

            each = 1 if examples < _MANY else 2
            broken, place = search(part, examples - examples // _LEFT_FOR_MISSING, 0), 0
            pairs = self.settings.profile.per_clause >= _MANY
            missing_ones = missing_parts(part, cases, examples, pairs)
            for place, missing in enumerate(missing_ones, start=1):
                if broken or self._has_to_end():
                    return
                broken = search(missing, each, place)
            if len(cases) < examples and not broken and not self._has_to_end():
                search(part, examples - len(cases), place + 1)

    def each_combination(
        self, combinations: Iterable[Combination], domain: Domain, rules: dict[str, Rule]
    ) -> None:
        """Judges cases of each combination by the rule of each clause, on each device.

        Only the first failing combination is shrunk: in a thoroughly broken implementation the
        others would say the same, slowly.
        """
        if self.settings.case is not None:
            self._judge_given(self.settings.case, rules)
            return
        shrink, only = True, only_config(self.implementation)
        if only is not None and not self.settings.profile.every_combination:
            # Those of a covering array have few of the configuration.
            fitting = combinations_of_config(combinations, only)
            combinations = [*fitting, *(c for c in combinations if c not in fitting)]
        for batch in side_by_side(list(combinations)):
            if self._has_to_end():
                for combination in batch:
                    self._note(combination, {_OUT_OF_TIME})
                continue
            parts = {combination: self._part_of(domain, combination) for combination in batch}
            supported = {combination: part for combination, part in parts.items() if part}
            for device in self.settings.devices if supported else ():
                there = {c: part.but(device=(device,)) for c, part in supported.items()}
                broken = self._search_together(there, rules, shrink)
                shrink = shrink and not broken

    def each_size(self, axis: str, rules: dict[str, Rule]) -> None:
        """Judges cases of each size of ``axis``, the other sizes staying small.

        Args:
            axis: one of ``spec.sizes.AXES``.
            rules: clause to the rule by which the cases are judged.
        """
        self._judge_sizes(ladder(axis, self.settings.profile.every_size), rules)

    def sizes_together(self, part: tuple[int, int], rules: dict[str, Rule]) -> None:
        """Judges cases in which pairs of sizes are large.

        Args:
            part: which part of the cases, counted from 0, and how many parts there are.
            rules: clause to the rule by which the cases are judged.
        """
        rows, _ = sizes_together(self.settings.profile.work_limit)
        index, count = part
        self._judge_sizes(rows[index::count], rules)

    def few_sizes(self, dtype: str, rule: Rule) -> None:
        """Judges cases in one dtype of a few sizes, and of those asked for, for the one clause.

        The few are three, or more and those of every other class in each ladder: two dtypes that
        are neighbours have all classes. A given case is left to :meth:`forall`.

        Args:
            dtype: name of the dtype.
            rule: by which the cases are judged.
        """
        (clause,) = self.records
        if self.settings.case is not None:
            return
        every, _ = sizes_together(0)
        if self.settings.profile.every_size:
            first = tuple(PRECISIONS).index(dtype) % 2
            every += tuple(sizes for axis in PAIRED for sizes in ladder(axis, False)[first::2])
        else:
            every = every[2::3]
        self._judge_sizes((*every, *self.settings.sizes), {clause: rule}, dtypes=(dtype,))

    def own_sizes(self, rules: dict[str, Rule]) -> None:
        """Judges cases of the sizes that were asked for. An instance is asked in its own ones."""
        sizes = self.settings.sizes
        if not sizes and only_config(self.implementation) is not None:
            sizes = _OF_INSTANCES
        self._judge_sizes(sizes, rules, in_full=True)

    def _judge_sizes(
        self,
        every: Iterable[Sizes],
        rules: dict[str, Rule],
        in_full: bool = False,
        dtypes: tuple[str, ...] = _OF_SIZES,
        domain: Domain | None = None,
    ) -> None:
        """Judges cases of given sizes, on each device.

        Hypothesis does not shrink them: all other sizes are small already.

        Args:
            every: the sizes.
            rules: clause to the rule by which the cases are judged.
            in_full: whether sizes have all their cases even if these take long.
            dtypes: names of the dtypes that cases may have.
            domain: that the cases are in, but for their sizes; None for any.
        """
        if self.settings.case is not None:
            self._judge_given(self.settings.case, rules)
            return
        rules = {clause: r for clause, r in rules.items() if not self._is_unsupported(clause)}
        search, only = Search(), only_config(self.implementation)
        declared = self._declared
        asked = self._asked(dtypes)
        there = [name for name in asked if name in declared]
        if asked and not there:
            self._count_unsupported(", ".join(f"no {name}" for name in asked))
        if not there:
            every = ()
        # Cases of a domain are few: the name of the test decides what they have.
        first = 0 if domain is None else zlib.crc32(self._test.encode()) % _PLACES
        for (place, sizes), device in product(enumerate(every, first), self.settings.devices):
            own, reason = (sizes, None) if only is None else sizes_of_config(sizes, only)
            if own is None:
                self._note_sizes(str(sizes), str(reason))
                self._count_unsupported(str(reason))
                continue
            sizes = own
            groups, reason = cases_of_sizes(
                *(sizes, place, declared, tuple(there), device),
                in_full=in_full,
                only=only,
                domain=domain,
            )
            if reason:
                self._note_sizes(str(sizes), reason)
                self._count_unsupported(reason)
            if domain is not None and not self.settings.profile.every_size:
                groups = groups[:1]
            for group in groups:
                self._require_time()
                group = [replace(case, products=self.settings.products) for case in group]
                if work(sizes) < _SIDE_BY_SIDE_SECONDS:
                    self._judge.prepare(group)
                for case in group:
                    if self._has_to_end():
                        self._note_sizes(str(sizes), _OUT_OF_TIME)
                        break
                    outcome = self._examine(case, _rules_for(case, rules), search, counts=True)
                    judged = any({*found.verdicts} - {UNSUPPORTED} for found in outcome.records)
                    why = {reason for found in outcome.records for reason in found.reasons}
                    self._note_sizes(str(sizes_of(case)), "" if judged else ", ".join(sorted(why)))
        if only is None:
            self._leave_out_options(search, rules, domain)
        self._keep(search, rules)

    def _leave_out_options(
        self, search: Search, rules: dict[str, Rule], domain: Domain | None
    ) -> None:
        """Looks for failing cases of the same sizes with fewer options.

        Args:
            search: with the failures so far.
            rules: clause to the rule by which its cases are judged.
            domain: that the cases are in, but for their sizes; None for any.
        """
        for clause, failure in list(search.smallest.items()):
            case, seconds = Case.parse(failure.case), search.seconds[failure.case]
            end = time.monotonic() + _PLAINER_SECONDS - seconds
            is_cheap = work(sizes_of(case)) <= _PLAINER_WORK
            for without in WITHOUT_AN_OPTION if is_cheap else ():
                if self._out_of_time() or time.monotonic() > end:
                    break
                with suppress(ValueError):  # there is no such case
                    plainer = without(case)
                    if plainer == case or (domain and not _has(domain, plainer)):
                        continue
                    self._examine(plainer, {clause: rules[clause]}, search, counts=False)
                    case = Case.parse(search.smallest[clause].case)

    def _note_sizes(self, sizes: str, reason: str) -> None:
        for record in self.records.values():
            record.note_sizes(sizes, reason)

    def _part_of(self, domain: Domain, combination: Combination) -> Domain | None:
        """The part of ``domain`` with ``combination``; None if there is nothing to judge."""
        before = {clause: dict(record.reasons) for clause, record in self.records.items()}
        part = self._narrowed(domain.within(combination))
        for clause, record in self.records.items():
            known = before[clause]
            new = {r for r, number in record.reasons.items() if number > known.get(r, 0)}
            record.combinations[str(combination)] = ", ".join(sorted(new))
        return part

    def run_failures_again(self) -> None:
        """Judges the smallest failing case of each broken clause again, and counts its failures.

        If it does not fail each time, that is its diagnosis. It is a failure all the same.
        """
        for clause, record in self.records.items():
            if record.failures and not self._out_of_time():
                index = _smallest(record.failures)
                failure = record.failures[index]
                record.failures[index] = self._run_again(clause, failure)

    def _run_again(self, clause: str, failure: Failure) -> Failure:
        question = self._questions[clause, failure.case]
        case, runs, failed_runs, seconds = Case.parse(failure.case), 1, 1, question.seconds
        start = time.monotonic()
        # It is assumed that the next run takes as long as the first one.
        while runs < RUNS and time.monotonic() - start + seconds < _RUNS_SECONDS:
            outcome = self._judge.judge(case, {clause: question.rule})
            runs += 1
            failed_runs += any(record.failures for record in outcome.records)
        counted = replace(failure, runs=runs, failed_runs=failed_runs)
        return replace(counted, diagnosis=diagnosis_of_runs(counted))

    def diagnose(self, diagnostician: Diagnostician, clauses: Iterable[str] | None = None) -> None:
        """Adds a diagnosis to the smallest failure of each broken clause.

        Args:
            diagnostician: of the implementation.
            clauses: ids of the clauses to be diagnosed; by default all that have to hold.
        """
        if clauses is None:
            clauses = [c for c in self.records if must_hold(c, self.settings.strict)]
        for clause in clauses:
            if not self.records[clause].failures:
                continue
            if self._out_of_time():
                self._cut_short = True
                continue
            try:
                self._diagnose(diagnostician, clause)
            except BaseException as error:
                if is_interrupt(error):
                    raise
                # A diagnosis runs the implementation on further cases. Whatever fails in it must
                # not cost the verdict.

    def _diagnose(self, diagnostician: Diagnostician, clause: str) -> None:
        failures, known = self.records[clause].failures, self._evidence[clause]
        index = _smallest(failures)
        smallest = failures[index]
        if smallest.diagnosis is not None:
            return
        lines = dict.fromkeys((smallest.first_case, smallest.case))
        evidence = [known[line] for line in lines if line in known]
        failures[index] = self._judge.diagnose(diagnostician, clause, smallest, evidence)

    def _require_time(self) -> None:
        """Raises NotReached if the test began too late to judge anything."""
        if self._is_late:
            raise NotReached

    def _has_to_end(self) -> bool:
        """Whether the time is over, and some case was judged."""
        if self._out_of_time() and any(
            verdict in record.verdicts for record in self.records.values() for verdict in _ENOUGH
        ):
            self._cut_short = True
        return self._cut_short

    def _outside(self, domain: Domain, case: Case) -> str | None:
        """Why a rule for the cases of ``domain`` says nothing about ``case``."""
        if "gradients" not in self._declared:
            domain = domain.but(cotangents=((),))
        return outside(domain, case)

    def _judge_given(self, case: Case, rules: dict[str, Rule]) -> None:
        search = Search()
        judged = _rules_for(case, rules)
        for clause in rules:
            if clause not in judged:
                self.records[clause].count(NOT_TESTED, "the case has no cotangents")
        if judged:
            self._examine(case, judged, search, counts=True)
            self._keep(search, judged)

    def _keep(self, search: Search, rules: dict[str, Rule]) -> None:
        for clause, failure in search.waived.items():
            self.records[clause].waived.append(failure)
        for clause, failure in search.smallest.items():
            self.records[clause].failures.append(failure)
            self._evidence[clause].update(search.evidence[clause])
            question = _Question(rules[clause], search.seconds[failure.case])
            self._questions.setdefault((clause, failure.case), question)

    def _is_unsupported(self, clause: str) -> bool:
        """Whether the implementation lacks a need of ``clause``; then one case stands for all."""
        reason = lacking(self.implementation.capabilities, CLAUSES[clause].needs)
        if not reason or self.settings.required:  # a required capability fails, with a case
            return False
        self.records[clause].count(UNSUPPORTED, reason)
        return True

    def _asked(self, dtypes: tuple[str, ...]) -> tuple[str, ...]:
        """Those of ``dtypes`` that were asked for. If nothing can be tested, that is counted."""
        asked = tuple(name for name in dtypes if name in self.settings.dtypes)
        if asked and self.settings.devices:
            return asked
        wanted = " and ".join(dtypes)
        for record in self.records.values():
            reason = "no device to test on" if asked else f"{wanted} was not asked for"
            record.count(NOT_TESTED, reason)
        return ()

    def _narrowed(self, domain: Domain) -> Domain | None:
        """The part of ``domain`` that is asked for and supported; None if it is empty."""
        only = only_config(self.implementation)
        if only is not None:
            fitting, misfits = domain_of_config(domain, only)
            if fitting is None:
                self._count_unsupported(str(reason_of_misfits(misfits)))
                return None
            domain = fitting
        dtypes = self._asked(domain.dtype)
        if not dtypes:
            return None
        asked_for = domain.but(
            dtype=dtypes, device=self.settings.devices, products=self.settings.products
        )
        part, missing = narrowed(asked_for, self._declared)
        for record in self.records.values():
            record.lacking = sorted({*record.lacking, *missing})
        if part is None:
            self._count_unsupported(f"no {', no '.join(missing)}")
        return part

    def _count_unsupported(self, reason: str) -> None:
        for record in self.records.values():
            record.count(UNSUPPORTED, reason)

    def _search_together(
        self, parts: dict[Combination, Domain], rules: dict[str, Rule], shrink: bool
    ) -> bool:
        """Judges cases of each combination; returns whether a clause was broken."""
        reached: set[Combination] = set()

        def note(place: int, case: Case, outcome: CaseOutcome) -> None:
            combination = list(parts)[place]
            reached.add(combination)
            for record in outcome.records:
                self._note(combination, set(record.reasons), record.clause)

        domains, label = list(parts.values()), str(next(iter(parts)))
        task = _Task(rules, shrink, label, self._examples(domains, label), note)
        broken = self._search(task, domains, domains, len(parts), 0)
        more = len(parts) * (self.settings.profile.per_combination - 1)
        if not broken and not self._has_to_end():
            shown = [sizes_that_show(part) for part in domains]
            broken = self._search(task, domains, shown, more, 1)
        for combination in parts:
            if self._cut_short and combination not in reached:
                self._note(combination, {_OUT_OF_TIME})
        return broken

    def _note(self, combination: Combination, reasons: set[str], clause: str = "") -> None:
        """Adds why ``combination`` was left out, to the record of one clause or of all."""
        for record in self.records.values() if not clause else [self.records[clause]]:
            known = record.combinations.get(str(combination), "")
            both = reasons | ({known} if known else set())
            record.combinations[str(combination)] = ", ".join(sorted(both))

    def _search(
        self,
        task: _Task,
        domains: Sequence[Domain],
        parts: Sequence[Domain],
        number: int,
        place: int,
    ) -> bool:
        """Judges up to ``number`` cases; returns whether a clause was broken.

        Args:
            task: what this search has in common with others.
            domains: one for each case that is judged side by side with the others, in the same
                sizes; see :func:`.cases_strategy`. Only the first case that breaks a clause is
                shrunk.
            parts: of the domains, from which the cases are drawn.
            number: largest number of cases.
            place: that tells this search from others of the task. All but the first search, with
                0, leave out cases that were judged before, or are outside their part.
        """
        self._require_time()
        search = Search()
        failing: list[int] = []
        judged: dict[Case, bool] = {}  # while shrinking: whether rules hold
        counted = 0
        label = f"{task.label} {place}" if place else task.label
        seed = zlib.crc32(f"{self.settings.seed} {self._test} {label}".encode())

        def is_new(case: Case, part: Domain) -> bool:
            return case not in task.judged and is_in(part, case)

        def attempt(cases: list[Case]) -> None:
            nonlocal counted
            # After enough attempts nothing fails any more, and Hypothesis stops shrinking.
            if search.shrunk > self.settings.profile.per_shrinking:
                return
            shrinking = search.is_shrinking  # cases of shrinking do not count
            places = list(failing)
            if not shrinking:
                new = [k for k, case in enumerate(cases) if not place or is_new(case, parts[k])]
                places = new[: number - counted]
                self._judge.prepare([cases[k] for k in places])
            holds = True
            for k in places:
                if self._has_to_end():
                    raise _OutOfTime
                if shrinking and cases[k] in judged:  # only other cases have changed
                    holds = holds and judged[cases[k]]
                    continue
                known = len(search.smallest)
                outcome = self._examine(cases[k], task.rules, search, counts=not shrinking)
                judged[cases[k]] = not any(record.failures for record in outcome.records)
                holds = holds and judged[cases[k]]
                if not shrinking:
                    counted += 1
                    task.judged.append(cases[k])
                    task.note(k, cases[k], outcome)
                    if len(search.smallest) > known:  # the first to break a clause
                        failing.append(k)
                        if len(set(domains)) == 1:  # others would say the same
                            break
            if not holds:
                raise _CaseBroken
            # Hypothesis would keep this case as an example.
            if place and counted >= number and not shrinking and task.examples is None:
                raise _Enough

        # In this order: a seed would take the database out of the settings.
        @hypothesis.settings(
            max_examples=-(-number // len(domains)) + (_MORE_ATTEMPTS if place else 0),
            phases=[phase for phase in _PHASES if task.shrink or phase != Phase.shrink],
            database=task.examples,
            deadline=None,
            derandomize=False,
            report_multiple_bugs=False,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
        )
        @hypothesis.seed(seed)
        @hypothesis.given(cases_strategy(domains, parts))
        def examine(cases: list[Case]) -> None:
            attempt(cases)  # Hypothesis reads the source of this function in each search

        # Flaky: an implementation that fails now and then has failed all the same.
        ends = suppress(_CaseBroken, hypothesis.errors.Flaky, _OutOfTime, _Enough)
        with ends, no_local_constants():
            examine()
        self._keep(search, task.rules)
        return bool(search.smallest)

    def _examples(self, domains: Sequence[Domain], label: str = "") -> ExampleDatabase | None:
        """Where the next task keeps failing cases; None for nowhere."""
        self._searches += 1
        if self.settings.examples is None:
            return None
        # An example means the same case only in the same domain.
        name = self.implementation.name
        return self.settings.examples.of(name, self._test, self._searches, label, domains)

    def _examine(
        self, case: Case, rules: dict[str, Rule], search: Search, counts: bool
    ) -> CaseOutcome:
        """Judges ``case`` by each rule, and adds its failures to ``search``.

        Args:
            counts: whether the records count the case.
        """
        self._require_time()
        start = time.monotonic()
        outcome = self._judge.judge(case, rules)
        seconds = time.monotonic() - start
        if counts:
            for found in outcome.records:
                self.records[found.clause].add(found)
                for failure in found.failures:
                    self._tell(found.clause, failure)
        search.add(outcome, seconds)
        return outcome


def _rules_for(case: Case, rules: dict[str, Rule]) -> dict[str, Rule]:
    """Those of ``rules`` that have something to judge in ``case``."""
    if case.cotangents:
        return rules
    return {clause: r for clause, r in rules.items() if "gradients" not in CLAUSES[clause].needs}


def _most_used(domain: Domain) -> Domain:
    """The part of ``domain`` with options as most people have them, as far as it has such cases.

    Programs have their fastest code for it.
    """
    plain = {"layout": "batched", "projection": False, "bias": True}
    return domain.but(
        **{name: (value,) for name, value in plain.items() if value in getattr(domain, name)}
    )


def _has(domain: Domain, case: Case) -> bool:
    """Whether ``case`` is in ``domain``, but for its sizes."""
    how = case.cotangents in domain.cotangents and case.training in domain.training
    return how and has_options_of(domain, case)


def _smallest(failures: list[Failure]) -> int:
    """The index of the failure that is easiest to read."""
    return min(range(len(failures)), key=lambda index: failures[index].size)
