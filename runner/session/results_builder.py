"""From the outcomes of tests to the results of a run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from ...reports.reading import NEWEST
from ...reports.results import (
    AskedResult,
    ChapterResult,
    ClauseResult,
    DeviationResult,
    FailureResult,
    KnownDeviation,
    Results,
    Stopped,
    TensorResult,
)
from ...reports.verdict import GONE, verdict_of
from ...spec.capabilities import lacking
from ...spec.clauses import CHAPTERS, TESTABLE, must_hold, root_causes
from ...spec.out_of_memory import lacked_memory
from ...spec.ratios import LARGEST_RATIO
from ...spec.verdicts import BROKEN, ERROR, NOT_TESTED, PASS, UNSUPPORTED, WAIVED, Verdict
from ..failures.explanation import describe_failure, repeat_command
from ..failures.failure import Failure
from ..failures.standalone_program import standalone_program
from ..searching.record import Record
from ..searching.statistics import Statistics
from .clause_verdict import clause_verdict, left_out_for_a_reason, lets_pass
from .combination_coverage import combination_coverage
from .outcomes import Outcomes
from .size_coverage import size_coverage
from .test_outcome import CUT_SHORT, FINISHED, NOT_REACHED

__all__ = ["build_results", "smallest"]


def build_results(
    asked: AskedResult,
    clauses: Iterable[str],
    outcomes: Outcomes,
    stopped: Stopped | None,
    duration: float,
) -> Results:
    """The results of a run, as ``results.schema.json`` describes them.

    Args:
        asked: what was judged and how.
        clauses: ids of those that were asked for.
        outcomes: of all tests.
        stopped: why the run ended before everything was judged; None if it did not.
        duration: in seconds, from start to end.
    """
    return _Builder(asked, tuple(clauses), outcomes, stopped).results(duration)


def smallest(failures: Iterable[Failure]) -> Failure:
    """The failure that is easiest to read."""
    return min(failures, key=lambda failure: failure.size)


class _Builder:
    """What several parts of the results are made from, computed once."""

    def __init__(
        self,
        asked: AskedResult,
        asked_for: tuple[str, ...],
        outcomes: Outcomes,
        stopped: Stopped | None,
    ) -> None:
        self._asked = asked
        self._asked_for = asked_for
        self._outcomes = outcomes
        self._stopped: Stopped | None = stopped
        self._is_shard = asked["shard"] is not None
        self._records = outcomes.records
        unseen = outcomes.unseen_clauses
        never_asked = self._never_asked(unseen)
        self._records.update({**never_asked, **self._records})
        self._unseen = unseen - {*never_asked}
        self._broken_off = outcomes.broken_off_clauses
        self._not_reached = NOT_REACHED + (" in the time" if stopped == "max-time" else "")

    def _never_asked(self, clauses: Iterable[str]) -> dict[str, Record]:
        """Those that the implementation cannot be asked: it does not matter when the run ended."""
        implementation = self._asked["implementation"]
        declared = frozenset([*implementation["capabilities"], *self._asked["required"]])
        found: dict[str, Record] = {}
        for clause in clauses:
            reason = lacking(declared, TESTABLE[clause].needs)
            if reason:
                found[clause] = Record(clause)
                found[clause].count(UNSUPPORTED, reason)
        return found

    def results(self, duration: float) -> Results:
        asked, outcomes = self._asked, self._outcomes
        deviations = self._deviations()
        gone = {c for d in deviations if d["outcome"] == "gone" for c in d["clauses"]}
        # Of a shard, only the clauses of its own tests are results.
        shown = outcomes.clauses if self._is_shard else set(self._asked_for)
        clauses = [self._clause(c, c in gone) for c in self._asked_for if c in shown]
        causes = root_causes({c["id"] for c in clauses if c["verdict"] in BROKEN})
        for clause in clauses:
            clause["root_cause"] = clause["id"] in causes
            if clause["failure"] is not None and not clause["root_cause"]:
                # A page draws those of causes. Where much is broken, others would fill the file.
                clause["failure"].pop("ratio_map", None)
        everything = Statistics()
        for record in self._records.values():
            everything.add(record.statistics)
        inside = sum(record.seconds for record in self._records.values())
        chapters = self._chapters()
        gate_passed = self._passes_the_gate(clauses)
        results: Results = {
            "schema_version": NEWEST,
            "verdict": verdict_of(clauses, gate_passed),
            "gate_passed": gate_passed,
            "stopped": self._stopped,
            "implementation": asked["implementation"],
            "environment": asked["environment"],
            "seed": asked["seed"],
            "profile": asked["profile"],
            "dtypes": asked["dtypes"],
            "devices": asked["devices"],
            "missing_devices": asked["missing_devices"],
            "working_precision": asked["working_precision"],
            "kinds": asked["kinds"],
            "strict": asked["strict"],
            "required": asked["required"],
            "without": asked["without"],
            "sizes": asked["sizes"],
            "case": asked["case"],
            "shard": asked["shard"],
            "threshold": asked["threshold"],
            "tests": {
                name: round(outcome.seconds, 3)
                for name, outcome in sorted(outcomes.by_test.items())
                if outcome.state == FINISHED
            },
            "deviations": deviations,
            "clauses": clauses,
            "chapters": chapters,
            "tensors": _tensors(everything),
            "coverage": {
                "combinations": combination_coverage(
                    asked, self._asked_for, outcomes, self._records, self._not_reached
                ),
                "sizes": size_coverage(asked, self._asked_for, self._records, self._not_reached),
            },
            "duration_seconds": round(duration, 3),
            "time_in_tests_seconds": round(sum(outcome.seconds for outcome in outcomes), 3),
            "time_in_implementation_seconds": round(inside, 3),
        }
        if self._is_shard or outcomes.unfinished:
            results["parts"] = {
                name: outcome.to_json() for name, outcome in sorted(outcomes.by_test.items())
            }
        return results

    def _passes_the_gate(self, clauses: list[ClauseResult]) -> bool:
        """Whether the run was completed, and no verdict is an obstacle."""
        nothing_seen = any(c["verdict"] == NOT_TESTED and c["id"] in self._unseen for c in clauses)
        # Every planned test has to report its own end, or to be cut short by a budget.
        ended = self._stopped == "max-time" or not self._outcomes.in_state(CUT_SHORT, NOT_REACHED)
        # A shard does not know the verdicts of the others.
        complete = not self._is_shard and not nothing_seen and self._stopped in (None, "max-time")
        return (
            complete
            and ended
            and any(clause["verdict"] == PASS for clause in clauses)
            and all(
                lets_pass(c["verdict"], c["must_hold"], left_out_for_a_reason(c)) for c in clauses
            )
        )

    def _chapters(self) -> list[ChapterResult]:
        seconds: dict[str, float] = {}
        for outcome in self._outcomes:
            chapter = TESTABLE[outcome.clauses[0]].chapter
            seconds[chapter] = seconds.get(chapter, 0.0) + outcome.seconds
        return [
            {"id": c.id, "title": c.title, "seconds": round(seconds[c.id], 3)}
            for c in CHAPTERS.values()
            if seconds.get(c.id)
        ]

    def _deviations(self) -> list[DeviationResult]:
        found: list[DeviationResult] = []
        for index, deviation in enumerate(self._asked["deviations"]):
            pairs = [r.deviations.get(str(index), (0, 0)) for r in self._records.values()]
            judged, failed = (sum(pair[k] for pair in pairs) for k in (0, 1))
            # A test that broke off does not say in which case. A deviation without conditions
            # covers it all the same.
            named = {*deviation["clauses"]}
            broken_off = set() if deviation["when"] else named & {*self._broken_off}
            judged, failed = judged + len(broken_off), failed + len(broken_off)
            # Cases that were not reached, or are in another shard, may fail as known.
            seen = not self._is_shard and not named & self._unseen
            outcome = _outcome(judged, failed, seen)
            found.append(
                cast(
                    DeviationResult,
                    {**deviation, "outcome": outcome, "cases": judged, "failed": failed},
                )
            )
        return found

    def _clause(self, clause_id: str, gone: bool) -> ClauseResult:
        record = self._records.get(clause_id, Record(clause_id))
        counts = dict(sorted(record.verdicts.items()))
        known = [d for d in self._asked["deviations"] if clause_id in d["clauses"]]
        verdict = clause_verdict(
            counts,
            [failure.verdict for failure in record.failures],
            broken_off=clause_id in self._broken_off,
            known_to_fail=any(not deviation["when"] for deviation in known),
            unseen=clause_id in self._unseen,
            gone=gone,
            out_of_memory=lacked_memory(record.reasons),
        )
        failure = None
        if record.failures or record.waived:
            failure = self._failure(clause_id, smallest(record.failures or record.waived))
        clause = TESTABLE[clause_id]
        worst = record.statistics.worst_ratio
        return {
            "id": clause.id,
            "chapter": clause.chapter,
            "level": clause.level,
            "kind": clause.kind,
            "must_hold": must_hold(clause.id, self._asked["strict"]),
            "title": clause.title,
            "text": clause.text,
            "equation": clause.equation,
            "source": clause.source,
            "verdict": verdict,
            "cases": sum(counts.values()) - counts.get(NOT_TESTED, 0),
            "counts": counts,
            "worst_ratio": None if worst is None else min(worst, LARGEST_RATIO),
            "reasons": self._reasons(record, verdict, known, gone),
            "lacking": record.lacking,
            "seconds": round(record.seconds, 3),
            "failure": failure,
            "root_cause": False,
        }

    def _reasons(
        self, record: Record, verdict: Verdict, known: list[KnownDeviation], gone: bool
    ) -> dict[str, int]:
        """Why the verdict on a clause is what it is; the most important reason first."""
        reasons = dict(sorted(record.reasons.items()))
        broken_off = self._broken_off.get(record.clause)
        if broken_off is not None and not record.failures:
            reasons = {broken_off: 1, **reasons}
        elif record.clause not in self._records or (
            verdict == NOT_TESTED and record.clause in self._unseen
        ):
            reasons = {self._not_reached: 1, **reasons}
        if verdict == WAIVED:
            failed = [
                deviation
                for index, deviation in enumerate(self._asked["deviations"])
                if record.deviations.get(str(index), (0, 0))[1]
            ]
            text = "; ".join(dict.fromkeys(_described(deviation) for deviation in failed or known))
            reasons = {f"known deviation: {text}": record.verdicts.get(WAIVED, 1), **reasons}
        elif gone and verdict == ERROR and not record.failures and broken_off is None:
            reasons = {GONE: 1, **reasons}
        return reasons

    def _failure(self, clause_id: str, failure: Failure) -> FailureResult:
        plain, target = failure.to_json(), self._asked["implementation"]["target"]
        return {
            **plain,
            "command": repeat_command(clause_id, plain, target),
            "program": standalone_program(plain, target),
            "explanation": describe_failure(clause_id, plain, target),
        }


def _outcome(judged: int, failed: int, seen: bool) -> str:
    """What came of a known deviation, see the schema."""
    if failed:
        return "waived"
    if not seen:
        return "undecided"
    return "gone" if judged else "unmatched"


def _described(deviation: KnownDeviation) -> str:
    shown = ", ".join([*deviation["findings"], *filter(None, [deviation["link"]])])
    return f"{deviation['reason']} ({shown})" if shown else deviation["reason"]


def _tensors(everything: Statistics) -> list[TensorResult]:
    return [
        {
            "tensor": kind.split()[1],
            "dtype": kind.split()[0],
            "cases": cases,
            "worst_ratio": min(worst, LARGEST_RATIO),
            "histogram": sorted(
                [int(exponent), number] for exponent, number in everything.histograms[kind].items()
            ),
        }
        for kind, (cases, worst) in sorted(everything.tensors.items())
    ]
