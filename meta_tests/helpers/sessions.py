"""Sessions in this process, planned or with results: whole runs, shards and resumed runs."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lstm_conformance.adapters.reference import ReferenceLSTM
from lstm_conformance.runner.failures.failure import Failure
from lstm_conformance.runner.judging.known_deviations import Deviation
from lstm_conformance.runner.searching.checker import Settings
from lstm_conformance.runner.searching.profiles import PROFILES
from lstm_conformance.runner.searching.record import Record
from lstm_conformance.runner.session.session import JudgingSession
from lstm_conformance.runner.session.shards import Shard
from lstm_conformance.runner.session.suite import runs
from lstm_conformance.runner.session.test_outcome import Part

Results = dict[str, Any]

CLAUSES = ("EQ-1", "SHAPE-1", "COMB-1", "COMB-2", "COMB-3")
CASE = "v1 input_size=1 hidden_size=1"
DEVIATION = Deviation(("EQ-1", "COMB-3"), "known <script>")


def session(
    shard: str | None = None,
    clauses: tuple[str, ...] = CLAUSES,
    known: tuple[Deviation, ...] = (DEVIATION,),
    implementation: ReferenceLSTM | None = None,
    seed: int = 0,
    profile: str = "smoke",
    dtypes: tuple[str, ...] = ("float64",),
    without: frozenset[str] = frozenset(),
    max_time: float | None = None,
    clock: Callable[[], float] = lambda: 0.0,
) -> JudgingSession:
    """One that judges a few clauses of the reference; :meth:`plan` is still to be called."""
    settings = Settings(PROFILES[profile], seed, dtypes, ("cpu",), deviations=known)
    return JudgingSession(
        "reference",
        implementation or ReferenceLSTM(),
        settings,
        clauses,
        {},
        None,
        None,
        without=without,
        shard=None if shard is None else Shard.parse(shard),
        max_time=max_time,
        clock=clock,
    )


def planned(resume: Results | None = None, **options: Any) -> JudgingSession:
    """The same, planned; of ``resume`` what is finished is taken over."""
    made = session(**options)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "earlier.json"
        if resume is not None:
            file.write_text(json.dumps(resume, allow_nan=False), "utf-8")
        made.plan(file if resume is not None else None)
    return made


def constructed(name: str, clauses: tuple[str, ...]) -> Part:
    """What a test might have found out: of everything something, other things for each name."""
    weight = sum(map(ord, name))
    records = []
    for clause in clauses:
        record = Record(clause, {"pass": weight % 5 + 1}, weight / 7)
        record.tensors = {"float64 output": (weight % 3 + 1, weight / 11)}
        record.histograms = {"float64 output": {str(weight % 5): weight % 3 + 1}}
        record.growth = {"float64 output seq_len 8": (weight % 3 + 1, weight / 3, -weight / 9)}
        record.reasons = {f"reason {weight % 2}": 1}
        record.lacking = ["packed"] if weight % 2 else []
        record.deviations = {"0": (2, 1)} if clause in DEVIATION.clauses else {}
        record.seconds = weight / 13
        records.append(record)
    if name.endswith("coinciding_sizes"):
        finding = {
            "tensor": "output",
            "verdict": "fail",
            "ratio": float("inf"),
            "index": (0, 0, 0),
            "observed": float("nan"),
            "expected": 1.0,
            "noise": 1e-17,
            "message": "<script>alert(1)</script>",
        }
        records[0].worst_ratio = float("inf")
        records[0].failures = [Failure("fail", CASE, CASE, finding, diagnosis={})]
        records[0].verdicts["fail"] = 1
    return Part(clauses, "finished", "", weight / 17, records)


def add_constructed(judged: JudgingSession, names: list[str] | None = None) -> None:
    """Adds what is constructed for tests; for all that are planned if none are named."""
    for name in judged.tests if names is None else names:
        part = constructed(name, judged.tests[name])
        records = [record.as_json() for record in part.records]
        judged.add(name, part.clauses, records, "", part.seconds)


def shard(text: str, broken_off: str = "", stopped: str | None = None, **options: Any) -> Results:
    """Results of one shard, such as ``"1/2"``, as they are read from a file."""
    judged = planned(shard=text, **options)
    add_constructed(judged)
    if broken_off in judged.tests:
        judged.add(broken_off, judged.tests[broken_off], None, "crashed <b>", 1.0)
    # What is read from a file has lists where there were tuples.
    found: Results = json.loads(json.dumps(judged.results(stopped), allow_nan=False))
    return found


def judge(judged: JudgingSession) -> None:
    """Runs the planned tests in their order, as pytest does it."""
    functions = {
        run.name: run for clause in judged.clauses for run in runs(clause, judged.settings.profile)
    }
    for name, clauses in judged.tests.items():
        if not judged.is_over():
            checker = judged.checker(name, clauses)
            functions[name.partition(".")[2]].test(checker)
            records = [record.as_json() for record in checker.records.values()]
            judged.add(name, clauses, records, "", 1.0, checker.cut_short)


def without_times(results: Any) -> Any:
    """``results`` but for seconds, of which those of tests are their only content."""
    if isinstance(results, dict):
        return {
            name: sorted(value) if name == "tests" else without_times(value)
            for name, value in results.items()
            if "seconds" not in name
        }
    return [without_times(value) for value in results] if isinstance(results, list) else results
