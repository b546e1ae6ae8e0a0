"""Runs cases through an implementation, judges them by a rule, and keeps the record."""

from __future__ import annotations

import math
import os
import sys
import tempfile
import traceback
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity
from hypothesis.database import ExampleDatabase

from ...spec.capabilities import lacking, needed, unsupported
from ...spec.case import Case
from ...spec.clauses import CLAUSES
from ...spec.combinations import Combination
from ...spec.contract import Implementation, Unsupported
from ...spec.narrowing import narrowed
from ...spec.strategies import Domain, case_strategy
from ...spec.verdicts import ERROR, FAIL, INCONCLUSIVE, NOT_TESTED, PASS, UNSUPPORTED, WAIVED
from ..failures.diagnosis import Diagnostician, Evidence
from ..failures.failure import Failure
from ..judging.comparison import Finding
from ..judging.known_deviations import Deviation
from ..judging.rules import Rule
from ..judging.trial import Trial
from ..processes.child_process import ProcessFailed
from .example_database import Examples
from .profiles import Profile
from .record import Record

__all__ = ["Checker", "Search", "Settings"]


# Verdicts on cases that were run and looked at.
_JUDGED = (PASS, FAIL, ERROR, INCONCLUSIVE)

# Those of which one is enough if there is no time for more.
_TELLING = (PASS, FAIL, ERROR, WAIVED)

_OUT_OF_TIME = "not reached in the time"

# A process that did not answer was waited for, and is started anew, which takes as long as many
# cases: it counts for so many more when a case that failed is made smaller.
COST_OF_A_PROCESS = 10

# The folder that packages of this project lie in, which need not be one to import from.
_PACKAGE = Path(__file__).absolute().parents[2]
_HERE = str(_PACKAGE.parent if _PACKAGE.name == "lstm_conformance" else _PACKAGE)

# Of a search. What failed before can be tried only if it was kept.
_PHASES = (Phase.reuse, Phase.generate, Phase.shrink)


@dataclass(frozen=True)
class Settings:
    """What was asked for on the command line.

    Attributes:
        profile: the budget.
        seed: of all that is drawn.
        dtypes, devices: names, the devices being there.
        case: the only one to be judged, whatever a test would draw; None for those it draws.
        required: capabilities whose lack is a failure.
        deviations: known ones.
        examples: cases that failed before, which are tried first.
    """

    profile: Profile
    seed: int
    dtypes: tuple[str, ...]
    devices: tuple[str, ...]
    case: Case | None = None
    required: frozenset[str] = frozenset()
    deviations: tuple[Deviation, ...] = ()
    examples: Examples | None = None


class _CaseBroken(Exception):
    """Tells Hypothesis that a case failed."""


class _OutOfTime(BaseException):
    """Ends a search. Hypothesis takes an exception for a failure of the case, but not this."""


class Checker:
    """The fixture ``lstm_check`` of the tests.

    Args:
        implementation: what is judged.
        settings: how.
        test: name of the test, from which, with the seed, all draws follow.
        clauses: ids of the clauses that the test names.

    Attributes:
        out_of_time: whether no further case shall be judged, if one was.
        cut_short: whether that kept cases from being judged.
    """

    def __init__(
        self,
        implementation: Implementation,
        settings: Settings,
        test: str,
        clauses: Iterable[str],
    ) -> None:
        self.out_of_time: Callable[[], bool] = lambda: False
        self.cut_short = False
        self.implementation = implementation
        self.settings = settings
        self.records = {clause: Record(clause) for clause in clauses}
        self._test = test
        self._searches = 0
        self._evidence: dict[str, dict[str, Evidence]] = {clause: {} for clause in clauses}

    def forall(
        self, domain: Domain, rule: Rule, at_most: int | None = None, shrink: bool = True
    ) -> None:
        """Judges cases drawn from ``domain`` by ``rule``, for the one clause of this test.

        Args:
            domain: where cases come from.
            rule: that they are held to.
            at_most: how many cases are worth their time; as many as the profile has, if fewer.
            shrink: whether a case that fails can be made smaller.
        """
        (clause,) = self.records
        if self.settings.case is not None:
            self._single(self.settings.case, {clause: rule})
            return
        if self._has_to_end():
            return
        part = self._narrowed(domain)
        if part is not None and not self._is_unsupported(clause):
            examples = self.settings.profile.per_clause
            if at_most is not None:
                examples = min(examples, at_most)
            self._search(part, {clause: rule}, examples, shrink)

    def each_combination(
        self, combinations: Iterable[Combination], domain: Domain, rules: dict[str, Rule]
    ) -> None:
        """Judges cases of each combination by the rule of each clause.

        Only the first combination that fails is made smaller: in a thoroughly broken
        implementation the others would say the same, slowly.
        """
        if self.settings.case is not None:
            self._single(self.settings.case, rules)
            return
        shrink = True
        for combination in combinations:
            text, before = str(combination), self._reasons()
            if self._has_to_end():
                for record in self.records.values():
                    record.combinations[text] = _OUT_OF_TIME
                continue
            part = self._narrowed(domain.within(combination))
            if part is not None:
                examples = self.settings.profile.per_combination
                broken = self._search(part, rules, examples, shrink, text)
                shrink = shrink and not broken
            reason = ", ".join(sorted(set((self._reasons() - before).elements())))
            for record in self.records.values():
                record.combinations[text] = reason

    def _has_to_end(self) -> bool:
        """Whether the time is over, and a case was judged that tells something."""
        if self.out_of_time() and any(
            verdict in record.verdicts for record in self.records.values() for verdict in _TELLING
        ):
            self.cut_short = True
        return self.cut_short

    def _reasons(self) -> Counter[str]:
        """Why cases were not judged so far, and how many."""
        return Counter(next(iter(self.records.values())).reasons)

    def _single(self, case: Case, rules: dict[str, Rule]) -> None:
        seen = Search(case)
        self._examine(case, rules, seen)
        self._keep(seen)

    def _is_required(self, asked: frozenset[str]) -> bool:
        """Whether an unsupported case, which needs what is ``asked``, is a failure."""
        # If everything was declared, it was tried, and anything may be what is missing.
        missing = asked - self.implementation.capabilities or asked
        return bool(missing & self.settings.required)

    def _keep(self, seen: Search) -> None:
        for clause, failure in seen.waived.items():
            self.records[clause].waived.append(failure)
        for clause, failure in seen.smallest.items():
            self.records[clause].failures.append(failure)
            self._evidence[clause].update(seen.evidence[clause])

    def diagnose(self, diagnostician: Diagnostician, clause: str) -> None:
        """Adds to the smallest failure of ``clause`` what it looks like."""
        failures = self.records[clause].failures
        smallest = min(failures, key=lambda failure: failure.size)
        failing = dict.fromkeys((smallest.first_case, smallest.case))
        known = self._evidence[clause]
        evidence = [known[case] for case in failing if case in known]
        diagnosis = diagnostician.diagnose(clause, evidence)
        if diagnosis is not None:
            place = failures.index(smallest)
            failures[place] = replace(smallest, diagnosis=diagnosis.as_json())

    def _is_unsupported(self, clause: str) -> bool:
        """Whether what ``clause`` needs is lacking in every case, so that one stands for all."""
        reason = lacking(self.implementation, frozenset(CLAUSES[clause].needs))
        if not reason or self.settings.required:  # what is required fails, with a case
            return False
        self.records[clause].count(UNSUPPORTED, reason)
        return True

    def _narrowed(self, domain: Domain) -> Domain | None:
        """The part of ``domain`` that is asked for and supported; None, and why, if it is empty."""
        dtypes = tuple(name for name in domain.dtype if name in self.settings.dtypes)
        if not dtypes or not self.settings.devices:
            wanted = " and ".join(domain.dtype)
            reason = "no device to test on" if dtypes else f"{wanted} was not asked for"
            for record in self.records.values():
                record.count(NOT_TESTED, reason)
            return None
        # What is required is asked for, and fails.
        declared = self.implementation.capabilities | self.settings.required
        asked_for = domain.but(dtype=dtypes, device=self.settings.devices)
        part, missing = narrowed(asked_for, declared)
        for record in self.records.values():
            record.lacking = sorted({*record.lacking, *missing})
            if part is None:
                record.count(UNSUPPORTED, f"no {', no '.join(missing)}")
        return part

    def _search(
        self, domain: Domain, rules: dict[str, Rule], examples: int, shrink: bool, label: str = ""
    ) -> bool:
        seen = Search()
        seed = zlib.crc32(f"{self.settings.seed} {self._test} {label}".encode())

        # In this order: a seed would take the database out of the settings.
        @hypothesis.settings(
            max_examples=examples,
            phases=[phase for phase in _PHASES if shrink or phase != Phase.shrink],
            database=self._examples(domain, label),
            deadline=None,
            derandomize=False,
            report_multiple_bugs=False,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
        )
        @hypothesis.seed(seed)
        @hypothesis.given(case_strategy(domain))
        def examine(case: Case) -> None:
            if self._has_to_end():
                raise _OutOfTime
            # When enough was tried, nothing fails any more, and shrinking comes to its end.
            if seen.shrunk <= self.settings.profile.per_shrinking and not self._examine(
                case, rules, seen
            ):
                raise _CaseBroken

        # Flaky: an implementation that fails now and then has failed all the same.
        with suppress(_CaseBroken, hypothesis.errors.Flaky, _OutOfTime):
            examine()
        self._keep(seen)
        return bool(seen.smallest)

    def _examples(self, domain: Domain, label: str) -> ExampleDatabase | None:
        """Where the next search keeps cases that fail; None for nowhere."""
        self._searches += 1
        if self.settings.examples is None:
            return None
        # Only in the same domain an example means the same case.
        name = self.implementation.name
        return self.settings.examples.of(name, self._test, self._searches, label, domain)

    def _examine(self, case: Case, rules: dict[str, Rule], seen: Search) -> bool:
        """Judges ``case`` by each rule; whether no clause was broken by it, but as is known."""
        counts = not seen.smallest  # what follows a failure is shrinking
        seen.shrunk += not counts
        trial = Trial(case, self.implementation)
        of_case = unsupported(self.implementation, case)
        holds, broken = True, False
        for clause, rule in rules.items():
            record = self.records[clause]
            needs = frozenset(CLAUSES[clause].needs)
            verdict, findings = UNSUPPORTED, list[Finding]()
            make: Callable[[str], Failure] | None = None
            reason = lacking(self.implementation, needs) or of_case or ""
            if not reason:
                try:
                    findings = rule(trial)
                    verdict = _verdict(findings)
                except Unsupported as missing:
                    reason = str(missing)
                except (Exception, SystemExit) as error:
                    verdict, make = ERROR, _failure_of_error(trial, error)
                    broken = broken or isinstance(error, ProcessFailed)
            if verdict == UNSUPPORTED and self._is_required(needed(case) | needs):
                verdict = FAIL
                findings = [Finding("capability", FAIL, message=f"required, but {reason}")]
            if verdict == FAIL:
                make = _failure_of_findings(trial, findings)
            if self._is_known(clause, case, verdict, counts):
                verdict = WAIVED
            if counts:
                record.count(verdict, reason)
                record.see_ratios(case, findings)
                # Varied cases have zeros and huge numbers in them.
                if trial.runs and all(run is case for run, _ in trial.runs):
                    record.see_growth(case, findings)
            if make is not None:
                # A diagnosis of what broke the process would break it again, many times.
                tells = not broken and (trial.runs or verdict == ERROR)
                evidence = Evidence(trial, rule) if tells else None
                seen.add(clause, case, make, evidence, waived=verdict == WAIVED)
            holds = holds and verdict not in (FAIL, ERROR)
        if broken:
            seen.process_broke()
        if counts:
            next(iter(self.records.values())).seconds += trial.seconds
        return holds

    def _is_known(self, clause: str, case: Case, verdict: str, counts: bool) -> bool:
        """Whether a known deviation foresees that ``case`` does not pass.

        Where results are wrong in a known way, some clauses cannot be judged: that is waived too,
        but shows no deviation.
        """
        if verdict not in _JUDGED:
            return False
        for place, deviation in enumerate(self.settings.deviations):
            if deviation.applies(clause, case):
                failed = verdict in (FAIL, ERROR)
                if counts:
                    self.records[clause].see_deviation(str(place), 1, int(failed))
                return verdict != PASS
        return False


def _verdict(findings: list[Finding]) -> str:
    verdicts = {finding.verdict for finding in findings}
    if not findings:
        return NOT_TESTED
    return next(verdict for verdict in (FAIL, INCONCLUSIVE, PASS) if verdict in verdicts)


class Search:
    """The smallest failure of each clause so far, in the search through one domain.

    Attributes:
        smallest: by clause.
        waived: the same of failures that are known.
        evidence: by clause, all cases that failed, by their lines.
        shrunk: how many cases were tried since the first failure, to find a smaller one; those
            that broke a process count for more.
    """

    def __init__(self, first: Case | None = None) -> None:
        self.smallest: dict[str, Failure] = {}
        self.waived: dict[str, Failure] = {}
        self.evidence: dict[str, dict[str, Evidence]] = {}
        self.shrunk = 0
        self._first = first

    def process_broke(self) -> None:
        """The case that was tried last broke its process."""
        self.shrunk += COST_OF_A_PROCESS

    def add(
        self,
        clause: str,
        case: Case,
        make: Callable[[str], Failure],
        evidence: Evidence | None,
        waived: bool = False,
    ) -> None:
        """One more failure.

        Args:
            clause: that is broken.
            case: that breaks it.
            make: the failure, given the line of the case found first.
            evidence: for a diagnosis; None if there is none.
            waived: whether it is known.
        """
        if waived:
            found, failure = self.waived, make(str(case))
        else:
            known_evidence = self.evidence.setdefault(clause, {})
            if evidence is not None:
                known_evidence.setdefault(str(case), evidence)
            if self._first is None:
                self._first = case
            found, failure = self.smallest, make(str(self._first))
        known = found.get(clause)
        if known is None or failure.size < known.size:
            found[clause] = failure


def _failure_of_error(trial: Trial, error: BaseException) -> Callable[[str], Failure]:
    def make(first: str) -> Failure:
        return Failure(
            ERROR,
            str(trial.case),
            first,
            exception=f"{type(error).__name__}: {error}"[:500],
            traceback=_traceback(error),
            plain=trial.plain,
        )

    return make


def _failure_of_findings(trial: Trial, findings: list[Finding]) -> Callable[[str], Failure]:
    worst = max(
        (finding for finding in findings if finding.verdict == FAIL),
        key=lambda finding: math.inf if finding.ratio is None else finding.ratio,
    )
    return lambda first: Failure(
        FAIL, str(trial.case), first, finding=asdict(worst), plain=trial.plain
    )


def _traceback(error: BaseException) -> str:
    """Its end, with files as they are imported: results travel, and where they lie is private.

    Compilers write programs into the folder for temporary files.
    """
    text = "".join(traceback.format_exception(error, limit=-6))
    folders = {*map(os.path.abspath, sys.path), _HERE, tempfile.gettempdir()}
    for folder in sorted(folders, key=len, reverse=True):
        text = text.replace(f'File "{folder}{os.sep}', 'File "')
    return text[-4000:]
