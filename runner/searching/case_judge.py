"""Judges one case by the rules of one or several clauses."""

from __future__ import annotations

import math
import os
import re
import sys
import tempfile
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from ...spec.capabilities import lacking, needed, unsupported
from ...spec.case import Case
from ...spec.clauses import CLAUSES
from ...spec.clean_text import clean_text
from ...spec.contract import Implementation, Unsupported
from ...spec.interrupts import is_interrupt
from ...spec.out_of_memory import OUT_OF_MEMORY, free_memory, is_out_of_memory, lacked_memory
from ...spec.verdicts import (
    ERROR,
    FAIL,
    INCONCLUSIVE,
    NOT_TESTED,
    PASS,
    UNSUPPORTED,
    WAIVED,
    Verdict,
)
from ..failures.diagnosis import Diagnostician, Evidence
from ..failures.failure import Failure
from ..failures.ratio_map import ratio_map
from ..judging.canary import JudgeChanged, watched
from ..judging.comparison import Finding
from ..judging.known_deviations import applying
from ..judging.rules import Rule, judged_by
from ..judging.trial import Trial, Trials
from ..processes.child_process import ImplementationRaised, ProcessFailed
from .record import Record
from .settings import Settings

__all__ = ["CaseJudge", "CaseOutcome", "Judge", "count_known"]

# Verdicts of cases that were run. A known deviation applies to no others.
_JUDGED = (PASS, FAIL, ERROR, INCONCLUSIVE)

# The folder that this package lies in. It need not be one that modules are imported from.
_PACKAGE = Path(__file__).absolute().parents[2]
_HERE = str(_PACKAGE.parent if _PACKAGE.name == "lstm_conformance" else _PACKAGE)

# In characters.
_LONGEST_EXCEPTION, _LONGEST_TRACEBACK = 500, 4000

# A file with an absolute path, of any system: implementations may be built on another one.
_IN_A_FOLDER = re.compile(r'File "(?:/|[A-Za-z]:[\\/])[^"]*?([^"\\/]+)"')


@dataclass(frozen=True)
class CaseOutcome:
    """The outcome of one case.

    Attributes:
        records: one for each clause, of this case alone.
        evidence: clause to the evidence with which a diagnosis of its failure can start.
        broke_process: whether the process that ran the case ended or hung.
    """

    records: list[Record]
    evidence: dict[str, Evidence] = field(default_factory=dict)
    broke_process: bool = False


class Judge(Protocol):
    """Judges cases, in this process or in another one."""

    def prepare(self, cases: Sequence[Case]) -> None:
        """Says that ``cases``, all of the same stack, are judged next.

        What is expected of them may be computed for all at once.
        """
        ...

    def judge(self, case: Case, rules: dict[str, Rule]) -> CaseOutcome:
        """Runs ``case`` and judges it by the rule of each clause."""
        ...

    def diagnose(
        self,
        diagnostician: Diagnostician,
        clause: str,
        failure: Failure,
        evidence: Sequence[Evidence],
    ) -> Failure:
        """``failure`` with a diagnosis, if one can be made.

        Args:
            diagnostician: of the implementation, in this process.
            clause: that is broken.
            failure: the smallest one of the clause.
            evidence: of this failure, as far as :class:`CaseOutcome` gave any.
        """
        ...


class CaseJudge:
    """Judges cases in this process.

    Args:
        implementation: that is judged.
        settings: how cases are judged.
    """

    def __init__(self, implementation: Implementation, settings: Settings) -> None:
        self._implementation = implementation
        self._settings = settings
        self._trials = Trials(implementation)

    def prepare(self, cases: Sequence[Case]) -> None:
        """See :class:`Judge`."""
        self._trials.prepare(cases)

    def judge(self, case: Case, rules: dict[str, Rule]) -> CaseOutcome:
        """See :class:`Judge`."""
        trial = self._trials.trial(case)
        outcome = self._judge(trial, rules)
        if any(lacked_memory(record.reasons) for record in outcome.records):
            # What earlier cases left behind may have been in the way.
            free_memory()
            trial = self._trials.trial(case)
            outcome = self._judge(trial, rules)
        return outcome

    def _judge(self, trial: Trial, rules: dict[str, Rule]) -> CaseOutcome:
        outcome = _Judgement(trial, self._implementation, self._settings)
        for clause, rule in rules.items():
            outcome.judge(clause, rule)
        outcome.share_seconds()
        return CaseOutcome(outcome.records, outcome.evidence, outcome.broke_process)

    def diagnose(
        self,
        diagnostician: Diagnostician,
        clause: str,
        failure: Failure,
        evidence: Sequence[Evidence],
    ) -> Failure:
        """See :class:`Judge`."""
        diagnosis = (
            diagnostician.diagnose(clause, evidence)
            or diagnostician.of_random_dropout(failure)
            or diagnostician.of_use(clause, failure)
        )
        if diagnosis is None:
            return failure
        finding, where = failure.finding, None
        if finding is not None and finding.index is not None:
            where = ratio_map(self._implementation, Case.parse(failure.case), finding.tensor)
        return replace(failure, diagnosis=diagnosis, ratio_map=where)


class _Judgement:
    """The judgement of one case, clause by clause."""

    def __init__(self, trial: Trial, implementation: Implementation, settings: Settings) -> None:
        self.records: list[Record] = []
        self.evidence: dict[str, Evidence] = {}
        self.broke_process = False
        self._trial = trial
        self._implementation = implementation
        self._settings = settings
        self._case_unsupported, self._error = self._ask()
        self._judged: list[Record] = []

    def _ask(self) -> tuple[str | None, BaseException | None]:
        """Why the case is not supported, or what asking raised. It is the same for every clause."""
        try:
            return unsupported(self._implementation, self._trial.case), None
        except BaseException as error:
            if is_interrupt(error):
                raise
            return None, error

    def judge(self, clause: str, rule: Rule) -> None:
        """Adds the record of ``clause``."""
        trial, record = self._trial, Record(clause)
        self.records.append(record)
        findings: list[Finding] = []
        failure: Failure | None = None
        needs = frozenset(CLAUSES[clause].needs)
        reason = lacking(self._implementation.capabilities, needs) or self._case_unsupported or ""
        verdict: Verdict = UNSUPPORTED
        own_seconds = trial.seconds - trial.shared_seconds
        if not reason:
            try:
                findings = self._findings(rule)
                verdict = _verdict(findings)
                if verdict == INCONCLUSIVE:
                    reason = next((f.message for f in findings if f.message), "")
            except Unsupported as missing:
                reason = clean_text(missing)
            # pytest.skip() and pytest.exit() raise no Exception, and neither may end the test.
            except BaseException as error:
                if is_interrupt(error):
                    raise
                if is_out_of_memory(error):
                    verdict, reason = NOT_TESTED, f"{OUT_OF_MEMORY} on {trial.case.device}"
                else:
                    verdict, failure = ERROR, _failure_of_error(trial, error)
                self.broke_process = self.broke_process or isinstance(error, ProcessFailed)
            self._judged.append(record)
        record.seconds = trial.seconds - trial.shared_seconds - own_seconds
        if verdict == UNSUPPORTED and self._is_required(needed(trial.case) | needs):
            verdict = FAIL
            findings = [Finding("capability", FAIL, message=f"required, but {reason}")]
        if verdict == FAIL:
            failure = _failure_of_findings(trial, findings)
        if verdict in _JUDGED and count_known(record, trial.case, verdict, self._settings):
            verdict = WAIVED
        record.count(verdict, clean_text(reason))
        record.statistics.add_ratios(trial.case, findings)
        if failure is not None:
            (record.waived if verdict == WAIVED else record.failures).append(failure)
            # A diagnosis would break the process many times again.
            if not self.broke_process and (trial.runs or failure.verdict == ERROR):
                self.evidence[clause] = Evidence(trial, rule)

    def _findings(self, rule: Rule) -> list[Finding]:
        if self._error is not None:
            raise self._error
        # What the trial has computed so far is wrong, too.
        if self._trial.judge_changed is not None:
            raise self._trial.judge_changed
        try:
            with watched():
                return judged_by(rule, self._trial)
        except JudgeChanged as error:
            self._trial.judge_changed = error
            self._trial.plain = False  # a program without the judge would not raise it
            raise

    def share_seconds(self) -> None:
        """Divides the run that all rules looked at among their clauses."""
        for record in self._judged:
            record.seconds += self._trial.shared_seconds / len(self._judged)

    def _is_required(self, asked: frozenset[str]) -> bool:
        """Whether an unsupported case, which needs the capabilities ``asked``, is a failure."""
        # If all are declared, the case was tried, and any of them may be missing.
        missing = asked - self._implementation.capabilities or asked
        return bool(missing & self._settings.required)


def count_known(record: Record, case: Case, verdict: Verdict, settings: Settings) -> bool:
    """Whether a known deviation says that ``case`` does not pass; counts the case for it.

    A known deviation makes some clauses inconclusive. These cases are waived too, but they do not
    show that the deviation is still there.
    """
    index = applying(settings.deviations, record.clause, case)
    if index is None:
        return False
    record.count_deviation(str(index), 1, int(verdict in (FAIL, ERROR)))
    return verdict != PASS


def _verdict(findings: list[Finding]) -> Verdict:
    verdicts = {finding.verdict for finding in findings}
    if FAIL in verdicts:
        return FAIL
    if INCONCLUSIVE in verdicts:
        return INCONCLUSIVE
    return PASS if PASS in verdicts else NOT_TESTED


def _failure_of_error(trial: Trial, error: BaseException) -> Failure:
    line = str(trial.case)
    if isinstance(error, ImplementationRaised):
        exception, text = str(error), error.traceback
    else:
        exception = f"{type(error).__name__}: {clean_text(error)}"
        text = clean_text("".join(traceback.format_exception(error, limit=-6)))
    exception = _without_folders(exception)[:_LONGEST_EXCEPTION]
    text = _without_folders(text)[-_LONGEST_TRACEBACK:]
    return Failure(ERROR, line, line, None, exception, text, trial.plain)


def _failure_of_findings(trial: Trial, findings: list[Finding]) -> Failure:
    line = str(trial.case)
    worst = max(
        (finding for finding in findings if finding.verdict == FAIL),
        key=lambda finding: math.inf if finding.ratio is None else finding.ratio,
    )
    return Failure(FAIL, line, line, worst, plain=trial.plain)


def _without_folders(text: str) -> str:
    """A message or a traceback, with files as they are imported.

    Results are passed on, and the folders of a machine are private. Compilers write programs into
    the folder for temporary files. A message of TorchScript has a traceback of its own. Of a file
    in any other folder, such as that in which a compiled library was built, only the name is kept.
    """
    folders = {*map(os.path.abspath, sys.path), _HERE, tempfile.gettempdir()}
    for folder in sorted(folders, key=len, reverse=True):
        text = text.replace(f'File "{folder}{os.sep}', 'File "')
    return _IN_A_FOLDER.sub(r'File "\1"', text)
