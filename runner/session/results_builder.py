"""What came of the tests, added up to results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...spec.clauses import CHAPTERS, TESTABLE, root_causes
from ...spec.combinations import all_combinations
from ...spec.verdicts import ERROR, FAIL, INCONCLUSIVE, NOT_TESTED, PASS, UNSUPPORTED, WAIVED
from ..failures.explanation import command, explain, program
from ..failures.failure import Failure
from ..searching.combination_groups import combination_groups
from ..searching.profiles import PROFILES
from ..searching.record import Record
from .test_outcome import (
    BROKEN_OFF,
    CUT_SHORT,
    FINISHED,
    LARGEST_RATIO,
    NOT_REACHED,
    Part,
    failure_as_json,
)

__all__ = ["GONE", "SCHEMA_VERSION", "Tally", "excused", "smallest"]

SCHEMA_VERSION = 2

# Clauses that visit parameter combinations: their records tell the coverage.
_VISITING = "COMB-1"

# Why a clause is in error that holds, though a known deviation says that it does not.
GONE = "known as a deviation, but it is none any more: remove the entry"


class Tally:
    """Adds up what tests found out about clauses.

    Args:
        asked: what was judged and how: the part of the results that is known before any test is
            run, with known deviations as ``clauses``, ``when``, ``reason`` and ``link``.
        clauses: ids of those that are judged.

    Attributes:
        parts: name of each test to what it found out.
    """

    def __init__(self, asked: dict[str, Any], clauses: Iterable[str]) -> None:
        self._asked = asked
        self.clauses = self._asked_for = tuple(clauses)
        self.parts: dict[str, Part] = {}
        self._records: dict[str, Record] = {}
        self._not_reached = NOT_REACHED

    def expect(self, tests: Mapping[str, tuple[str, ...]]) -> None:
        """Tests that are to be run, by name, with the clauses that each judges.

        Of a shard, only the clauses of its own tests are results.
        """
        for test, clauses in tests.items():
            self.parts.setdefault(test, Part(clauses))
        if self._asked["shard"] is not None:
            judged = {clause for part in self.parts.values() for clause in part.clauses}
            self.clauses = tuple(clause for clause in self.clauses if clause in judged)

    def add(
        self,
        test: str,
        clauses: tuple[str, ...],
        records: Iterable[Record] | None,
        broken_off: str,
        seconds: float,
        cut_short: bool = False,
    ) -> None:
        """Takes in what one test found out; if it ends badly twice, all of it.

        Args:
            test: its name, with its file.
            clauses: that the test judges.
            records: of the test; None if it never got so far.
            broken_off: why it came to no verdict, if it did not: a crash, or an error in it.
            seconds: that it took.
            cut_short: whether its time was over before it had judged all of its cases.
        """
        part = self.parts.setdefault(test, Part(clauses))
        part.clauses = tuple(dict.fromkeys((*part.clauses, *clauses)))
        part.records += records or ()
        part.seconds += seconds
        if broken_off:
            part.state, part.why = BROKEN_OFF, broken_off[-2000:]
        elif part.state != BROKEN_OFF:
            part.state = CUT_SHORT if cut_short else FINISHED

    def keep(self, cut_short: Mapping[str, Part]) -> None:
        """Takes what earlier budgets found out about tests that got no further this time.

        The same cases are drawn in the same order, so that the part with more cases has all that
        the other has.
        """
        for name, earlier in cut_short.items():
            part = self.parts[name]
            if part.state in (CUT_SHORT, NOT_REACHED) and part.cases < earlier.cases:
                self.parts[name] = earlier

    def unfinished(self, *states: str) -> list[Part]:
        """The tests that ended in one of ``states``; if none is named, all that did not finish."""
        states = states or (NOT_REACHED, CUT_SHORT, BROKEN_OFF)
        return [part for part in self.parts.values() if part.state in states]

    def results(self, stopped: str | None, duration: float) -> dict[str, Any]:
        """The results, of the form that ``results.schema.json`` describes.

        Args:
            stopped: why the run ended before everything was judged; None if it did not.
            duration: in seconds, from start to end.
        """
        # In the order of names, so that sums come out the same however tests were spread.
        parts = dict(sorted(self.parts.items()))
        self._records = _added_up(parts.values())
        self._not_reached = NOT_REACHED + (" in the time" if stopped == "max-time" else "")
        seconds: dict[str, float] = {}
        for part in parts.values():
            chapter = TESTABLE[part.clauses[0]].chapter
            seconds[chapter] = seconds.get(chapter, 0.0) + part.seconds
        chapters = [c for c in CHAPTERS.values() if seconds.get(c.id)]
        deviations = self._deviations()
        gone = {
            clause
            for deviation in deviations
            if deviation["outcome"] == "gone"
            for clause in deviation["clauses"]
        }
        clauses = [self._clause(clause, clause in gone) for clause in self.clauses]
        verdicts = {clause["verdict"] for clause in clauses}
        causes = root_causes({c["id"] for c in clauses if c["verdict"] in (FAIL, ERROR)})
        for clause in clauses:
            clause["root_cause"] = clause["id"] in causes
        unseen = self._unseen()
        nothing_seen = any(c["verdict"] == NOT_TESTED and c["id"] in unseen for c in clauses)
        # A shard does not know of the others.
        whole = self._asked["shard"] is None and not nothing_seen
        complete = whole and stopped in (None, "max-time")
        everything = Record("")
        for record in self._records.values():
            everything.add(record)
        results = {
            "schema_version": SCHEMA_VERSION,
            "conformant": complete and PASS in verdicts and all(map(_stands, clauses)),
            "stopped": stopped,
            **self._asked,
            "tests": {
                name: round(part.seconds, 3)
                for name, part in parts.items()
                if part.state == FINISHED
            },
            "deviations": deviations,
            "clauses": clauses,
            "chapters": [
                {"id": c.id, "title": c.title, "seconds": round(seconds[c.id], 3)} for c in chapters
            ],
            "tensors": _tensors(everything),
            "growth": _growth(everything),
            "coverage": {"combinations": self._combinations()},
            "duration_seconds": round(duration, 3),
            "time_in_tests_seconds": round(sum(seconds.values()), 3),
            "time_in_implementation_seconds": round(everything.seconds, 3),
        }
        if self._asked["shard"] is not None or self.unfinished():
            results["parts"] = {name: part.as_json() for name, part in parts.items()}
        return results

    def _broken_off(self) -> dict[str, str]:
        """Clause to why a test of it broke off."""
        return {c: part.why for part in self.unfinished(BROKEN_OFF) for c in part.clauses}

    def _unseen(self) -> set[str]:
        """Clauses of which a test was not reached, or cut short."""
        return {c for part in self.unfinished(NOT_REACHED, CUT_SHORT) for c in part.clauses}

    def _deviations(self) -> list[dict[str, Any]]:
        found = []
        for place, deviation in enumerate(self._asked["deviations"]):
            pairs = [r.deviations.get(str(place), (0, 0)) for r in self._records.values()]
            judged, failed = (sum(pair[k] for pair in pairs) for k in (0, 1))
            # A test that ended its process cannot tell of which case.
            whole = set() if deviation["when"] else {*deviation["clauses"]} & {*self._broken_off()}
            judged, failed = judged + len(whole), failed + len(whole)
            # What was not reached, or is in another shard, may fail as known.
            seen = self._asked["shard"] is None and not {*deviation["clauses"]} & self._unseen()
            outcome = "gone" if judged else "unmatched"
            outcome = "waived" if failed else outcome if seen else "undecided"
            found.append({**deviation, "outcome": outcome, "cases": judged, "failed": failed})
        return found

    def _clause(self, clause_id: str, gone: bool) -> dict[str, Any]:
        record = self._records.get(clause_id, Record(clause_id))
        counts = dict(sorted(record.verdicts.items()))
        reasons = dict(sorted(record.reasons.items()))
        verdict = _verdict(counts, record)
        failure = None
        if record.failures or record.waived:
            failure = self._failure(clause_id, smallest(record.failures or record.waived))
        known = [d for d in self._asked["deviations"] if clause_id in d["clauses"]]
        broken_off = self._broken_off()
        if clause_id in broken_off and not record.failures:
            verdict = WAIVED if any(not d["when"] for d in known) else ERROR
            reasons = {broken_off[clause_id]: 1, **reasons}
        elif clause_id not in self._records:
            reasons = {self._not_reached: 1}
        elif verdict == UNSUPPORTED and clause_id in self._unseen():
            verdict = NOT_TESTED  # what was not reached may have it
        if verdict == NOT_TESTED and clause_id in self._unseen():
            reasons = {self._not_reached: 1, **reasons}
        if verdict == WAIVED:
            failed = [
                d
                for place, d in enumerate(self._asked["deviations"])
                if record.deviations.get(str(place), (0, 0))[1]
            ]
            text = "; ".join(dict.fromkeys(_described(deviation) for deviation in failed or known))
            reasons = {f"known deviation: {text}": counts.get(WAIVED, 1), **reasons}
        elif gone and verdict == PASS:
            verdict = ERROR
            reasons = {GONE: 1, **reasons}
        clause = TESTABLE[clause_id]
        ratio = record.worst_ratio
        return {
            "id": clause.id,
            "chapter": clause.chapter,
            "level": clause.level,
            "title": clause.title,
            "text": clause.text,
            "equation": clause.equation,
            "source": clause.source,
            "verdict": verdict,
            "cases": sum(counts.values()) - counts.get(NOT_TESTED, 0),
            "counts": counts,
            "worst_ratio": None if ratio is None else min(ratio, LARGEST_RATIO),
            "reasons": reasons,
            "lacking": record.lacking,
            "seconds": round(record.seconds, 3),
            "failure": failure,
        }

    def _failure(self, clause_id: str, failure: Failure) -> dict[str, Any]:
        plain, target = failure_as_json(failure), self._asked["implementation"]["target"]
        return {
            **plain,
            "command": command(clause_id, plain, target),
            "program": program(plain, target),
            "explanation": explain(clause_id, plain, target),
        }

    def _combinations(self) -> dict[str, Any]:
        visiting = self._records.get(_VISITING, Record(_VISITING)).combinations
        everything = [str(combination) for combination in all_combinations()]
        why = self._why_not_visited()
        left_out = {text: visiting.get(text, why[text]) for text in everything}
        left_out = {text: reason for text, reason in left_out.items() if reason}
        by_reason: dict[str, list[str]] = {}
        for text, reason in left_out.items():
            by_reason.setdefault(reason, []).append(text)
        return {
            "total": len(everything),
            "visited": len(everything) - len(left_out),
            "left_out": [
                {"reason": reason, "combinations": texts} for reason, texts in by_reason.items()
            ],
        }

    def _why_not_visited(self) -> dict[str, str]:
        """Why each combination was not visited, if it was not."""
        why = dict.fromkeys(map(str, all_combinations()), "profile smoke visits a covering array")
        if self._asked["case"] is not None or _VISITING not in self._asked_for:
            return dict.fromkeys(why, "not asked for")
        tests = [test for test, part in self.parts.items() if _VISITING in part.clauses]
        groups = combination_groups(PROFILES[self._asked["profile"]].every_combination)
        for name, group in groups.items():
            mine = self._asked["shard"] is None or any(t.endswith(f"[{name}]") for t in tests)
            reason = self._not_reached if mine else "another shard visits it"
            why.update(dict.fromkeys(map(str, group), reason))
        return why


def excused(clause: str) -> bool:
    """Whether breaking ``clause`` is no reason to fail: it is a SHOULD."""
    return TESTABLE[clause].level == "SHOULD"


def smallest(failures: Iterable[Failure]) -> Failure:
    """The one that is easiest to read."""
    return min(failures, key=lambda failure: failure.size)


def _described(deviation: dict[str, Any]) -> str:
    link = deviation["link"]
    return f"{deviation['reason']} ({link})" if link else str(deviation["reason"])


def _verdict(counts: dict[str, int], record: Record) -> str:
    """The gravest verdict of a failure; without one, pass if any case passed."""
    of_failures = {failure.verdict for failure in record.failures}
    for verdict in (FAIL, ERROR):
        if verdict in of_failures:
            return verdict
    return next((v for v in (WAIVED, PASS, INCONCLUSIVE, UNSUPPORTED) if counts.get(v)), NOT_TESTED)


def _stands(clause: dict[str, Any]) -> bool:
    """Whether a clause is no obstacle to conformance: shown, or left out for a reason.

    A clause for which no case was ever drawn or looked at is one.
    """
    if clause["verdict"] == NOT_TESTED:
        return bool(clause["counts"] and clause["reasons"])
    return clause["level"] == "SHOULD" or clause["verdict"] in (PASS, UNSUPPORTED, WAIVED)


def _added_up(parts: Iterable[Part]) -> dict[str, Record]:
    """What is known of each clause."""
    records: dict[str, Record] = {}
    for part in parts:
        for record in part.records:
            known = records.setdefault(record.clause, Record(record.clause))
            known.add(record)
            known.failures += record.failures
            known.waived += record.waived
    return records


def _tensors(everything: Record) -> list[dict[str, Any]]:
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


def _growth(everything: Record) -> list[dict[str, Any]]:
    rows = []
    for kind, (cases, error, noise) in everything.growth.items():
        dtype, tensor, axis, size = kind.split()
        of_kind = {"dtype": dtype, "tensor": tensor, "axis": axis, "size": int(size)}
        means = {"error": _power(error / cases), "noise": _power(noise / cases)}
        rows.append({**of_kind, "cases": cases, **means})
    return sorted(rows, key=lambda row: (row["dtype"], row["tensor"], row["axis"], row["size"]))


def _power(logarithm: float) -> float:
    """Of two, within what a number can hold."""
    power: float = 2.0 ** min(max(logarithm, -1000.0), 1000.0)
    return power
