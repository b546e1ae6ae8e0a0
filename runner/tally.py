"""What came of the tests, added up to results."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from .checker import ERROR, NOT_TESTED, UNSUPPORTED, WAIVED, Failure, Record
from .explain import command, explain, program
from .judge import FAIL, INCONCLUSIVE, PASS
from .spec.clauses import CHAPTERS, TESTABLE, root_causes
from .spec.combinations import all_combinations

__all__ = ["GONE", "SCHEMA_VERSION", "Tally", "excused", "failure_as_json", "smallest"]

SCHEMA_VERSION = 2

# Clauses that visit parameter combinations: their records tell the coverage.
_VISITING = "COMB-1"

# JSON has no infinity.
_LARGEST_RATIO = 1e99

_NOT_REACHED = "not reached"

# Why a clause is in error that holds, though a known deviation says that it does not.
GONE = "known as a deviation, but it is none any more: remove the entry"


class Tally:
    """Adds up what tests found out about clauses.

    Args:
        asked: what was judged and how: the part of the results that is known before any test is
            run, with known deviations as ``clauses``, ``when``, ``reason`` and ``link``.
        clauses: ids of those that are judged.
    """

    def __init__(self, asked: dict[str, Any], clauses: Iterable[str]) -> None:
        self._asked = asked
        self.clauses = tuple(clauses)
        self._records: dict[str, Record] = {}
        self._broken_off: dict[str, str] = {}
        self._tests: dict[str, float] = {}
        self._chapters: dict[str, float] = {}
        self._waived_whole: set[str] = set()

    def add(
        self,
        test: str,
        clauses: tuple[str, ...],
        records: Iterable[Record] | None,
        broken_off: str,
        seconds: float,
    ) -> None:
        """Takes in what one test found out.

        Args:
            test: its name, with its file.
            clauses: that the test judges.
            records: of the test; None if it never got so far.
            broken_off: why it came to no verdict, if it did not: a crash, or an error in it.
            seconds: that it took.
        """
        self._tests[test] = seconds
        chapter = TESTABLE[clauses[0]].chapter
        self._chapters[chapter] = self._chapters.get(chapter, 0.0) + seconds
        for record in records or ():
            self.add_record(record)
        for clause in clauses if broken_off else ():
            self._broken_off[clause] = broken_off[-2000:]

    def add_record(self, record: Record) -> None:
        """Takes in what is known of one clause."""
        known = self._records.setdefault(record.clause, Record(record.clause))
        known.add(record)
        known.failures += record.failures
        known.waived += record.waived

    def results(self, stopped: str | None, duration: float) -> dict[str, Any]:
        """The results, of the form that ``results.schema.json`` describes.

        Args:
            stopped: why the run ended before everything was judged; None if it did not.
            duration: in seconds, from start to end.
        """
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
        complete = stopped in (None, "max-time")
        everything = Record("")
        for record in self._records.values():
            everything.add(record)
        return {
            "schema_version": SCHEMA_VERSION,
            "conformant": complete and PASS in verdicts and all(map(_stands, clauses)),
            "stopped": stopped,
            **self._asked,
            "tests": {name: round(seconds, 3) for name, seconds in sorted(self._tests.items())},
            "deviations": deviations,
            "clauses": clauses,
            "chapters": [
                {"id": c.id, "title": c.title, "seconds": round(self._chapters[c.id], 3)}
                for c in CHAPTERS.values()
                if c.id in self._chapters
            ],
            "tensors": _tensors(everything),
            "growth": _growth(everything),
            "coverage": {"combinations": self._combinations()},
            "duration_seconds": round(duration, 3),
            "time_in_tests_seconds": round(sum(self._chapters.values()), 3),
            "time_in_implementation_seconds": round(everything.seconds, 3),
        }

    def _deviations(self) -> list[dict[str, Any]]:
        found = []
        for place, deviation in enumerate(self._asked["deviations"]):
            pairs = [r.deviations.get(str(place), (0, 0)) for r in self._records.values()]
            judged, failed = (sum(pair[k] for pair in pairs) for k in (0, 1))
            # A test that ended its process cannot tell of which case.
            whole = set() if deviation["when"] else {*deviation["clauses"]} & {*self._broken_off}
            self._waived_whole |= whole
            judged, failed = judged + len(whole), failed + len(whole)
            outcome = "waived" if failed else "gone" if judged else "unmatched"
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
        if clause_id in self._broken_off and not record.failures:
            verdict = WAIVED if clause_id in self._waived_whole else ERROR
            reasons = {self._broken_off[clause_id]: 1, **reasons}
        elif clause_id not in self._records:
            reasons = {_NOT_REACHED: 1}
        if verdict == WAIVED:
            known = [d for d in self._asked["deviations"] if clause_id in d["clauses"]]
            text = "; ".join(dict.fromkeys(_described(deviation) for deviation in known))
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
            "worst_ratio": None if ratio is None else min(ratio, _LARGEST_RATIO),
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
        why = _NOT_REACHED
        if self._asked["case"] is not None or _VISITING not in self.clauses:
            why = "not asked for"
        elif self._asked["profile"] == "smoke":
            why = "profile smoke visits a covering array"
        elif self._asked["shard"] is not None:
            why = "another shard visits it"
        everything = [str(combination) for combination in all_combinations()]
        left_out = {text: visiting.get(text, why) for text in everything}
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


def excused(clause: str) -> bool:
    """Whether breaking ``clause`` is no reason to fail: it is a SHOULD."""
    return TESTABLE[clause].level == "SHOULD"


def smallest(failures: Iterable[Failure]) -> Failure:
    """The one that is easiest to read."""
    return min(failures, key=lambda failure: failure.size)


def failure_as_json(failure: Failure) -> dict[str, Any]:
    """``failure`` as plain JSON, in which numbers that JSON lacks are text."""
    plain = asdict(failure)
    finding = plain["finding"]
    for name in ("observed", "expected", "noise"):
        value = finding.get(name)
        if value is not None and not math.isfinite(value):
            finding[name] = str(value)
    if finding.get("ratio") is not None:
        finding["ratio"] = min(finding["ratio"], _LARGEST_RATIO)
    return plain


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


def _tensors(everything: Record) -> list[dict[str, Any]]:
    return [
        {
            "tensor": kind.split()[1],
            "dtype": kind.split()[0],
            "cases": cases,
            "worst_ratio": min(worst, _LARGEST_RATIO),
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
        means = {"error": 2 ** (error / cases), "noise": 2 ** (noise / cases)}
        rows.append({**of_kind, "cases": cases, **means})
    return sorted(rows, key=lambda row: (row["dtype"], row["tensor"], row["axis"], row["size"]))
