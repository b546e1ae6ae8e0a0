"""Runs in this process: whole runs, shards and resumed runs."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from lstm_conformance.adapters.reference import ReferenceLSTM
from lstm_conformance.adapters.without import Without
from lstm_conformance.runner.failures.failure import Failure
from lstm_conformance.runner.judging.comparison import Finding
from lstm_conformance.runner.judging.known_deviations import Deviation
from lstm_conformance.runner.searching.checker import NotReached
from lstm_conformance.runner.searching.record import Record
from lstm_conformance.runner.searching.statistics import Statistics
from lstm_conformance.runner.session.collector import Collector
from lstm_conformance.runner.session.construction import Judged
from lstm_conformance.runner.session.options import Options
from lstm_conformance.runner.session.plan import Plan, make_plan, settings_of
from lstm_conformance.runner.session.session import JudgingSession, asked_result
from lstm_conformance.runner.session.suite import runs_of
from lstm_conformance.runner.session.test_outcome import TestOutcome
from lstm_conformance.spec.contract import Implementation

Results = dict[str, Any]

CLAUSES = ("EQ-1", "SHAPE-1", "COMB-1", "COMB-2", "COMB-3")
CASE = "v1 input_size=1 hidden_size=1"
DEVIATION = Deviation(("EQ-1", "COMB-3"), "known <script>")


class Run:
    """One run in this process.

    Attributes:
        session: of the run.
        tests: name of each planned test to its clauses; tests can be taken away.
    """

    def __init__(self, session: JudgingSession) -> None:
        self.session = session
        self.tests = dict(session.plan.tests)

    def add(
        self,
        test: str,
        clauses: tuple[str, ...],
        records: list[Any] | None,
        broken_off: str = "",
        seconds: float = 1.0,
        cut_short: bool = False,
    ) -> None:
        """Adds a report of a test, with its records as JSON."""
        read = [Record.from_json(json.loads(json.dumps(plain))) for plain in records or ()]
        self.session.collector.add(test, clauses, read, broken_off, seconds, cut_short)

    def results(self, stopped: Any) -> Results:
        """The results of what was added."""
        found: Any = self.session.collector.results(stopped)
        return dict(found)


def run_of(
    options: Options,
    implementation: Implementation | None = None,
    known: tuple[Deviation, ...] = (),
    clock: Callable[[], float] = lambda: 0.0,
    planned: bool = True,
) -> Run:
    """The run that ``options`` ask for, with other known deviations."""
    judged_one: Implementation = ReferenceLSTM() if implementation is None else implementation
    if options.without:
        judged_one = Without(judged_one, frozenset(options.without))
    judged = Judged(judged_one, "reference")
    settings = replace(settings_of(options, judged.devices), deviations=known)
    asked = asked_result(options, judged, settings)
    plan = make_plan(options, asked, clock=clock) if planned else Plan(options.clauses)
    collector = Collector(asked, plan, clock=clock)
    return Run(JudgingSession(judged, settings, plan, collector))


def planned(
    resume: Results | None = None,
    shard: str | None = None,
    clauses: tuple[str, ...] = CLAUSES,
    known: tuple[Deviation, ...] = (DEVIATION,),
    implementation: ReferenceLSTM | None = None,
    seed: int = 0,
    profile: str = "smoke",
    dtypes: tuple[str, ...] = ("float64",),
    without: tuple[str, ...] = (),
    max_time: float | None = None,
    clock: Callable[[], float] = lambda: 0.0,
) -> Run:
    """A planned run of a few clauses of the reference; it resumes the results ``resume``."""
    options = Options(
        target="reference",
        profile=profile,
        seed=seed,
        dtypes=dtypes,
        clauses=clauses,
        without=without,
        shard=shard,
        max_time=max_time,
    )
    with tempfile.TemporaryDirectory() as folder:
        if resume is not None:
            file = Path(folder) / "earlier.json"
            file.write_text(json.dumps(resume, allow_nan=False), "utf-8")
            options = replace(options, resume=file)
        return run_of(options, implementation, known, clock)


def constructed(name: str, clauses: tuple[str, ...]) -> TestOutcome:
    """A possible outcome of a test, with all fields filled; it differs from name to name."""
    weight = sum(map(ord, name))
    records = []
    for clause in clauses:
        statistics = Statistics(
            weight % 200 / 7,
            {"float64 output": (weight % 3 + 1, weight / 11)},
            {"float64 output": {str(weight % 5): weight % 3 + 1}},
        )
        record = Record(clause, {"pass": weight % 5 + 1}, statistics)
        record.reasons = {f"reason {weight % 2}": 1}
        record.lacking = ["packed"] if weight % 2 else []
        record.deviations = {"0": (2, 1)} if clause in DEVIATION.clauses else {}
        record.seconds = weight / 13
        records.append(record)
    if name.endswith("coinciding_sizes"):
        finding = Finding(
            "output",
            "fail",
            float("inf"),
            (0, 0, 0),
            float("nan"),
            1.0,
            1e-17,
            "<script>alert(1)</script>",
        )
        records[0].statistics.worst_ratio = float("inf")
        records[0].failures = [Failure("fail", CASE, CASE, finding)]
        records[0].verdicts["fail"] = 1
    return TestOutcome(clauses, "finished", "", weight / 17, records)


def add_constructed(judged: Run, names: list[str] | None = None) -> None:
    """Adds a constructed outcome for each of the tests; by default for all planned tests."""
    for name in judged.tests if names is None else names:
        outcome = constructed(name, judged.tests[name])
        records = [record.to_json() for record in outcome.records]
        judged.add(name, outcome.clauses, records, "", outcome.seconds)


def shard(text: str, broken_off: str = "", stopped: str | None = None, **options: Any) -> Results:
    """Results of one shard, such as ``"1/2"``, as they are read from a file."""
    judged = planned(shard=text, **options)
    add_constructed(judged)
    if broken_off in judged.tests:
        judged.add(broken_off, judged.tests[broken_off], None, "crashed <b>", 1.0)
    # Tuples become lists in a file.
    found: Results = json.loads(json.dumps(judged.results(stopped), allow_nan=False))
    return found


def judge(judged: Run) -> None:
    """Runs the planned tests in their order, as pytest does."""
    session = judged.session
    functions = {
        run.name: run
        for clause in session.plan.clauses
        for run in runs_of(clause, session.settings.profile)
    }
    for name, clauses in judged.tests.items():
        checker = session.checker(name, clauses)
        with suppress(NotReached):
            functions[name.partition(".")[2]].test(checker)
            records = [record.to_json() for record in checker.records.values()]
            judged.add(name, clauses, records, "", 1.0, checker.cut_short)


def without_times(results: Any) -> Any:
    """``results`` without all seconds, and without how busy the machine was."""
    if isinstance(results, dict):
        return {
            name: sorted(value) if name == "tests" else without_times(value)
            for name, value in results.items()
            if "seconds" not in name and name != "load_average"
        }
    return [without_times(value) for value in results] if isinstance(results, list) else results
