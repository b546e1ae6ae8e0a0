"""Budgets: every clause gets a case before any gets many; results say what was not reached."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import jsonschema
import pytest

import lstm_conformance.runner.commands.check  # noqa: F401 - Hypothesis draws from the constants of imported files
from lstm_conformance.adapters.reference import ReferenceLSTM
from lstm_conformance.reports.tables import summary
from lstm_conformance.runner.commands.main import main
from lstm_conformance.runner.judging.rules import close
from lstm_conformance.runner.processes.interrupts import Interrupts
from lstm_conformance.runner.searching.checker import Checker
from lstm_conformance.runner.searching.profiles import PROFILES
from lstm_conformance.runner.searching.record import Record
from lstm_conformance.runner.searching.settings import Settings
from lstm_conformance.runner.session.budget import Budget, most_informative_first
from lstm_conformance.runner.session.channel import Channel, ResultsEnd
from lstm_conformance.runner.session.option_values import duration
from lstm_conformance.runner.session.options import Options
from lstm_conformance.runner.session.suite import judging_tests
from lstm_conformance.spec.case import Case
from lstm_conformance.spec.clauses import TESTABLE, prerequisites
from lstm_conformance.spec.combinations import Combination, all_combinations, covering_first
from lstm_conformance.spec.contract import Observation
from lstm_conformance.spec.strategies import PLAIN

from .helpers.command_line import SCHEMA, check
from .helpers.selection import elsewhere
from .helpers.sessions import judge, planned, without_times

Results = dict[str, Any]


class Slow(ReferenceLSTM):
    """The reference, in which every run of a case takes ten seconds of its own clock."""

    def __init__(self, wrong: bool = False) -> None:
        self.now = 1000.0
        self.runs = 0
        self._wrong = wrong

    def clock(self) -> float:
        """Seconds."""
        return self.now

    def run(self, case: Case) -> Observation:
        self.now += 10.0
        self.runs += 1
        if self._wrong and case.seq_len > 1:
            raise ValueError("no")
        return super().run(case)


CLAUSES = ("EQ-1", "SHAPE-1", "COMB-1", "COMB-2")


@cache
def judged_in(seconds: float | None, wrong: bool = False) -> Results:
    return _judged(seconds, wrong)


def _judged(
    seconds: float | None, wrong: bool, resume: Results | None = None, slow: Slow | None = None
) -> Results:
    slow = slow or Slow(wrong)
    judged = planned(
        resume, implementation=slow, clock=slow.clock, max_time=seconds, clauses=CLAUSES, known=()
    )
    judge(judged)
    stopped = "max-time" if judged.session.collector.outcomes.unfinished else None
    found: Results = json.loads(json.dumps(judged.results(stopped), allow_nan=False))
    return found


def states(found: Results) -> set[str]:
    return {part["state"] for part in found.get("parts", {}).values()}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("300", 300), ("90s", 90), ("5m", 300), ("1h", 3600), ("1.5h", 5400), ("0.001", 0.001)],
)
def test_times(text: str, seconds: float) -> None:
    assert duration(text) == seconds
    assert duration(repr(duration(text))) == seconds


@pytest.mark.parametrize("text", ["", "0", "0m", "-5m", "5 m", "5d", "m", "nan", "inf", "1e3", "٣"])
def test_malformed_times(text: str) -> None:
    with pytest.raises(ValueError, match="is no time: give seconds, or 90s, 5m, 1h"):
        duration(text)


def test_the_most_informative_tests_come_first() -> None:
    tests = judging_tests(TESTABLE, PROFILES["default"])
    order = most_informative_first(tests)
    assert sorted(order) == sorted(tests)
    informative = [max(len(prerequisites(clause)) for clause in tests[name]) for name in order]
    assert informative[0] == max(informative)
    assert (
        max(informative[place] for place, name in enumerate(order) if tests[name] == ("EQ-1",))
        < informative[order.index("test_combinations.test_every_combination[1-layers-batched]")]
    )
    first_of = {tests[name]: place for place, name in reversed([*enumerate(order)])}
    places = sorted(first_of.values())
    assert places == [*range(len(places))], "every clause once, before any a second time"


def test_a_test_may_take_one_and_a_half_times_its_share() -> None:
    now = [0.0]
    budget = Budget(100.0, [f"test {k}" for k in range(10)], 1, lambda: now[0])
    out_of_time = budget.begin("test 0")
    now[0] = 14.0
    assert not out_of_time()
    now[0] = 16.0
    assert out_of_time()
    assert not budget.begin("test 9")()
    now[0] = 99.0
    assert not budget.is_over()
    now[0] = 100.0
    assert budget.is_over()
    assert budget.begin("test 9")()


def test_the_time_begins_with_the_first_test() -> None:
    now = [0.0]
    budget = Budget(100.0, [f"test {k}" for k in range(10)], 1, lambda: now[0])
    now[0] = 5000.0
    assert (budget.end, budget.is_over()) == (None, False)
    out_of_time = budget.begin("test 0")
    assert budget.end == 5100.0
    now[0] = 5014.0
    assert not out_of_time()
    now[0] = 5100.0
    budget.begin_first()
    assert budget.is_over(), "it begins once"
    replacing = Budget(100.0, ["test 9"], 1, lambda: now[0], end=budget.end)
    assert replacing.is_over(), "a process that comes later has no time of its own"


def test_the_first_test_is_never_late() -> None:
    """Also if more than the whole time passes between its announcement and its first case."""
    now = [0.0]
    budget = Budget(1.0, ["test 0", "test 1"], 1, lambda: now[0])
    for judged in (False, True):
        budget.begin_first()
        now[0] += 5.0
        assert not budget.is_over()
        budget.begin("test 0")
        assert budget.end == now[0] + 1.0
        now[0] += 5.0
        budget.end_test(judged)
    assert budget.is_over()


def test_processes_share_the_tests_and_not_the_time() -> None:
    now = [0.0]
    budget = Budget(100.0, [f"test {k}" for k in range(10)], 3, lambda: now[0])
    out_of_time = budget.begin("test 0")
    now[0] = 44.0
    assert not out_of_time()
    now[0] = 46.0
    assert out_of_time()


@pytest.mark.whole
def test_enough_time_changes_nothing() -> None:
    assert without_times(judged_in(1e6)) == without_times(judged_in(None))


def test_little_time_gives_every_test_a_case() -> None:
    found = judged_in(700.0)
    jsonschema.validate(found, SCHEMA)
    assert states(found) == {"cut short", "finished"}
    assert all(clause["cases"] for clause in found["clauses"])
    assert {clause["verdict"] for clause in found["clauses"]} == {"pass"}
    assert found["gate_passed"] is True
    assert found["stopped"] == "max-time"
    assert found["duration_seconds"] < 1.3 * 700, "a case that has begun is finished"
    assert ", as far as was judged in " in summary(found)
    assert " cut short: --resume goes on with the file that --json writes." in summary(found)
    (left_out,) = (
        x
        for x in found["coverage"]["combinations"]["left_out"]
        if x["reason"] == "not reached in the time"
    )
    visited = found["coverage"]["combinations"]["visited"]
    of_all = judged_in(None)["coverage"]["combinations"]["visited"]
    float64 = [text for text in left_out["combinations"] if text.endswith("float64")]
    assert 0 < visited == of_all - len(float64)


def test_too_little_time_gives_no_verdict() -> None:
    found = judged_in(15.0)
    jsonschema.validate(found, SCHEMA)
    assert "not reached" in states(found)
    verdicts = {clause["id"]: clause["verdict"] for clause in found["clauses"]}
    assert verdicts["COMB-1"] == "pass", "the most informative one comes first"
    assert "not tested" in verdicts.values()
    assert found["gate_passed"] is False
    not_tested = next(c for c in found["clauses"] if c["verdict"] == "not tested")
    assert not_tested["reasons"] == {"not reached in the time": 1}
    assert "no case was judged of" in summary(found)


def test_broken_clauses_are_reported_in_any_time() -> None:
    found = judged_in(300.0, wrong=True)
    assert "error" in {clause["verdict"] for clause in found["clauses"]}
    assert found["gate_passed"] is False


@pytest.mark.parametrize("wrong", [elsewhere(False), True])
def test_a_budget_that_ran_out_is_resumed(wrong: bool) -> None:
    found = judged_in(700.0, wrong)
    assert "finished" in states(found) or wrong
    resumed = _judged(None, wrong, resume=found)
    assert without_times(resumed) == without_times(judged_in(None, wrong))


def test_a_clause_with_a_test_that_was_not_reached_is_not_unsupported() -> None:
    judged = planned(clauses=("COMB-3",), known=(), max_time=1.0)
    first, second, *_ = judged.tests
    unsupported = Record("COMB-3", {"unsupported": 1}, reasons={"no packed": 1}).to_json()
    judged.add(first, ("COMB-3",), [unsupported], "", 1.0)
    judged.add(second, ("COMB-3",), [Record("COMB-3", {"pass": 1}).to_json()], "", 1.0)
    assert judged.results("max-time")["clauses"][0]["verdict"] == "pass"
    judged = planned(clauses=("COMB-3",), known=(), max_time=1.0)
    judged.add(first, ("COMB-3",), [unsupported], "", 1.0)
    found = judged.results("max-time")
    assert found["clauses"][0]["verdict"] == "not tested"
    assert found["gate_passed"] is False


def test_a_clause_that_cannot_be_asked_is_unsupported_when_the_time_is_over() -> None:
    """Its tests ask another clause as well, and were cut short after some cases."""
    slow = Slow()
    slow.capabilities = ReferenceLSTM.capabilities - {"gradients"}
    found = _judged(150.0, False, slow=slow)
    verdicts = {clause["id"]: clause["verdict"] for clause in found["clauses"]}
    assert verdicts["COMB-1"] == "pass"
    assert verdicts["COMB-2"] == "unsupported"
    assert found["stopped"] == "max-time"
    assert found["gate_passed"]


@pytest.mark.parametrize("first", ["inconclusive", "unsupported"])
def test_a_case_without_a_clear_verdict_does_not_end_a_test(first: str) -> None:
    checker = Checker(
        ReferenceLSTM(),
        Settings(PROFILES["smoke"], 0, ("float64",), ("cpu",)),
        "test",
        ["EQ-4"],
        out_of_time=lambda: True,
    )
    checker.records["EQ-4"].verdicts = {first: 1}
    checker.forall(PLAIN, close())
    assert checker.records["EQ-4"].verdicts == {first: 1, "pass": 1}
    assert checker.cut_short


def test_an_unsupported_clause_takes_no_time() -> None:
    settings = Settings(PROFILES["default"], 0, ("float64",), ("cpu",))
    checker = Checker(ReferenceLSTM(), settings, "test", ["PARAM-1"])
    checker.forall(PLAIN, close())
    assert checker.records["PARAM-1"].verdicts == {"unsupported": 1}
    assert not checker.cut_short


def test_the_first_combinations_cover_every_pair() -> None:
    group = [c for c in all_combinations() if (c.num_layers, c.layout) == (2, "batched")]
    ordered = covering_first(group)
    assert sorted(map(str, ordered)) == sorted(map(str, group))
    assert pairs(ordered[:10]) == pairs(group)
    assert pairs(group[:10]) != pairs(group), "in their plain order they do not"


def pairs(some: list[Combination]) -> set[tuple[tuple[str, Any], ...]]:
    values = [sorted(vars(combination).items()) for combination in some]
    return {(row[i], row[j]) for row in values for i in range(len(row)) for j in range(i)}


def test_clauses_that_cannot_be_asked_are_unsupported_in_any_time() -> None:
    """Also if the capability follows from the cases, and not from the clause."""
    slow = Slow()
    clauses = ("EQ-1", "SHAPE-1", "DIR-1", "PARAM-1", "COMB-3")
    judged = planned(
        implementation=slow,
        clock=slow.clock,
        max_time=1.0,
        clauses=clauses,
        known=(),
        without=("bidirectional",),
    )
    judge(judged)
    verdicts = {clause["id"]: clause["verdict"] for clause in judged.results("max-time")["clauses"]}
    assert verdicts.pop("DIR-1") == verdicts.pop("PARAM-1") == "unsupported"
    assert sorted(verdicts.values()) == ["not tested", "not tested", "pass"]
    assert slow.runs == 1


@pytest.mark.parametrize("workers", ["0", elsewhere("2")])
def test_in_no_time_one_clause_is_judged(workers: str, tmp_path: Path) -> None:
    options = ("--profile", "smoke", "--clause", "EQ-1,SHAPE-1,STATE-1,PARAM-1")
    more = ("--max-time", "0.001", "-n", workers)
    ended, found = check("reference", *options, *more, cwd=tmp_path)
    assert ended.status == 3
    jsonschema.validate(found, SCHEMA)
    assert found["stopped"] == "max-time"
    assert "not reached" in states(found)
    verdicts = Counter(clause["verdict"] for clause in found["clauses"])
    assert 1 <= verdicts["pass"] <= 2
    assert verdicts["unsupported"] == 1
    assert "no verdict on reference 1.0.0 (max-time)" in ended.out
    (tmp_path / "first.json").write_text(json.dumps(found))
    ended, resumed = check(
        "reference", *options, "--resume", "first.json", "--max-time", "9h", cwd=tmp_path
    )
    assert ended.status == 0
    assert resumed["stopped"] is None
    assert "parts" not in resumed
    assert all(clause["cases"] >= 10 for clause in resumed["clauses"] if clause["id"] != "PARAM-1")


@pytest.mark.whole
def test_enough_time_in_processes(tmp_path: Path) -> None:
    options = ("--profile", "smoke", "--clause", "EQ-1", "--clause", "SHAPE-1")
    more = ("--isolate", "--max-time", "9h", "-n", "2")
    ended, found = check("reference", *options, *more, cwd=tmp_path)
    assert ended.status == 0, ended.err
    assert found["stopped"] is None
    assert min(clause["cases"] for clause in found["clauses"]) >= 10


@pytest.mark.parametrize(
    ("seconds", "dies", "runs"),
    [elsewhere(400.0, False, 1), (2000.0, False, 2), elsewhere(2000.0, True, 1)],
)
def test_tests_that_were_cut_short_get_the_time_that_is_left(
    seconds: float, dies: bool, runs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The expected seconds are wrong: one test is expected to take no time."""
    slow = Slow()
    found_by_run = []

    def expected(names: Iterable[str]) -> dict[str, float]:
        return {name: 0.01 if name.startswith("test_shapes.") else 1.0 for name in names}

    def run_tests(
        command: list[str], log: Path, interrupts: Interrupts, channel: Channel, *others: Any
    ) -> int:
        number = os.dup(int(dict(pairwise(command))["--lstm-channel"]))
        channel.start()
        other_end = ResultsEnd(number)
        options = Options.from_json(other_end.options)
        earlier = json.loads(options.resume.read_text("utf-8")) if options.resume else None
        if earlier is not None and dies:
            log.write_text("")
            other_end._socket.close()
            return -signal.SIGSEGV
        log.write_text("")
        found_by_run.append(_judged(options.max_time, False, earlier, slow))
        other_end.send(cast(Any, found_by_run[-1]))
        return 0

    monkeypatch.setattr("lstm_conformance.runner.session.budget.expected_seconds", expected)
    monkeypatch.setattr("lstm_conformance.runner.session.pytest_process._run", run_tests)
    monkeypatch.setattr(
        "lstm_conformance.runner.commands.check.time", SimpleNamespace(monotonic=slow.clock)
    )
    file = tmp_path / "results.json"
    words = ["--profile", "smoke", "--dtype", "float64", *(f"--clause={c}" for c in CLAUSES)]
    arguments = ["--max-time", f"{seconds}", "--json", str(file)]
    status = main(["check", "reference", *words, *arguments])
    assert (status, len(found_by_run)) == (3 if dies else 0, runs)
    assert found_by_run[0]["stopped"] == "max-time"
    assert slow.now <= 1000.0 + seconds + 100.0, "a case that has begun is finished"
    found = json.loads(file.read_text("utf-8"))
    assert found["stopped"] == ("max-time" if runs == 1 else None)
    if found["stopped"] is None:
        assert without_times(found) == without_times(judged_in(None))


def test_a_malformed_time_is_refused_in_one_sentence(tmp_path: Path) -> None:
    ended, _ = check("reference", "--max-time", "soon", cwd=tmp_path)
    assert (ended.status, ended.out) == (2, "")
    assert "'soon' is no time" in ended.err


def test_without_a_limit_the_time_is_never_over() -> None:
    run = planned().session
    assert run.plan.budget is None
