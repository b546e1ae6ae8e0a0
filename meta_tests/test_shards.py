"""Shards: each test is in one, all take about the same time, and none is conformant by itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from lstm_conformance.reports.tables import summary
from lstm_conformance.runner.failures.failure import Failure
from lstm_conformance.runner.gate.baseline import Comparison
from lstm_conformance.runner.gate.exit_status import exit_status
from lstm_conformance.runner.judging.known_deviations import Deviation
from lstm_conformance.runner.searching.profiles import PROFILES
from lstm_conformance.runner.searching.record import Record
from lstm_conformance.runner.session.expected_seconds import _measured, expected_seconds
from lstm_conformance.runner.session.shards import Shard
from lstm_conformance.runner.session.suite import judging_tests
from lstm_conformance.spec.clauses import TESTABLE

from .helpers.command_line import check, environment
from .helpers.sessions import CASE, DEVIATION, add_constructed, planned

EVERYTHING = judging_tests(TESTABLE, PROFILES["default"])


@pytest.mark.parametrize("count", [1, 2, 7, 40])
def test_every_test_is_in_one_shard(count: int) -> None:
    shards = [Shard(index, count).tests(EVERYTHING) for index in range(1, count + 1)]
    assert sorted(name for shard in shards for name in shard) == sorted(EVERYTHING)


def test_the_order_of_the_tests_does_not_matter() -> None:
    for index in (1, 2, 3):
        shard = Shard(index, 3)
        assert shard.tests(EVERYTHING) == shard.tests(sorted(EVERYTHING, reverse=True))


@pytest.mark.parametrize("count", [2, 4, 8])
def test_shards_take_about_the_same_time(count: int) -> None:
    seconds = expected_seconds(EVERYTHING)
    loads = [
        sum(seconds[name] for name in Shard(index, count).tests(EVERYTHING))
        for index in range(1, count + 1)
    ]
    assert max(loads) < 1.1 * mean(loads)


def test_most_tests_were_measured_and_no_other() -> None:
    assert set(_measured()) <= set(EVERYTHING)
    assert len(_measured()) > 0.9 * len(EVERYTHING)


def test_pytest_collects_the_tests_by_these_names(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--pyargs", "lstm_conformance.tests", "-c", "/dev/null",
         "--collect-only", "-q", "-p", "no:cacheprovider", "--lstm-implementation", "reference"],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    collected = [line.partition("::") for line in done.stdout.splitlines() if "::" in line]
    assert [f"{Path(path).stem}.{name}" for path, _, name in collected] == [*EVERYTHING]


@pytest.mark.parametrize("text", ["0/3", "4/3", "x", "1/", "1/2/3", "-1/3", "1/99999999", "²/3"])
def test_malformed_shards(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no shard: 2/8 is .*, and 10,000 are possible"):
        Shard.parse(text)


def test_a_malformed_shard_is_refused_in_one_sentence(tmp_path: Path) -> None:
    ended, _ = check("reference", "--shard", "4/3", cwd=tmp_path)
    assert ended.status == 2
    assert "'4/3' is no shard" in ended.err
    assert "Traceback" not in ended.err
    ended, _ = check("reference", "--shard", "1/3", "--profile", "thorough", cwd=tmp_path)
    assert ended.status == 2
    assert "needs --seed" in ended.err
    ended, _ = check("reference", "--shard", "1/3", "--case", "v1", cwd=tmp_path)
    assert ended.status == 2
    assert "--case judges one case: --shard does not go with it." in ended.err


def test_a_shard_without_a_test_says_so_and_is_no_failure(tmp_path: Path) -> None:
    options = ("--profile", "smoke", "--clause", "EQ-2", "--shard", "2/2")
    ended, results = check("reference", *options, cwd=tmp_path)
    assert ended.status == 0
    assert "SHARD DONE: shard 2 of 2 of reference 1.0.0: it has no tests" in ended.out
    assert results["gate_passed"] is False
    assert results["clauses"] == []
    assert results["shard"] == {"index": 2, "count": 2}


def test_the_gate_never_passes_for_a_shard() -> None:
    judged = planned(shard="1/2", known=())
    for name, clauses in judged.tests.items():
        records = [Record(clause, {"pass": 1}).to_json() for clause in clauses]
        judged.add(name, clauses, records, "", 1.0)
    found = judged.results(None)
    assert {clause["verdict"] for clause in found["clauses"]} == {"pass"}
    assert found["gate_passed"] is False
    verdict, gate, *_ = summary(found).splitlines()
    says = "SHARD DONE: shard 1 of 2 of reference 1.0.0: nothing that it judged is broken. "
    assert verdict.startswith(says)
    assert "`lstm-conformance merge`" in verdict
    assert gate == "Gate: open until all shards are merged."


def of_shard(verdict: str, stopped: str | None = None) -> dict[str, Any]:
    """Results of a shard whose tests had this verdict, or were not reached."""
    judged = planned(shard="1/2", known=())
    failures = [Failure("error", CASE, CASE, exception="ValueError: no")] * (verdict == "error")
    for name, clauses in judged.tests.items() if verdict != "not reached" else ():
        records = [Record(clause, {verdict: 1}, failures=failures).to_json() for clause in clauses]
        judged.add(name, clauses, records, "", 1.0)
    return judged.results(stopped)


@pytest.mark.parametrize(
    ("verdict", "stopped", "status", "words", "gate"),
    [
        ("pass", "max-time", 0, "SHARD DONE: shard 1 of 2 ", "Gate: open"),
        ("error", None, 1, "DEVIATES: ", "Gate: failed"),
        ("error", "max-failures", 1, "DEVIATES: ", "Gate: failed"),
        ("not reached", "max-time", 3, "NOT COMPLETED: ", "Gate: not completed."),
        ("pass", "interrupted", 3, "NOT COMPLETED: ", "Gate: not completed."),
    ],
)
def test_a_shard_did_its_part_only_if_nothing_failed_and_every_clause_was_seen(
    verdict: str, stopped: str | None, status: int, words: str, gate: str
) -> None:
    found = of_shard(verdict, stopped)
    assert exit_status(found) == status
    first, second, *_ = summary(found).splitlines()
    assert first.startswith(words)
    assert second.startswith(gate)
    if verdict == "error":
        assert "(shard 1 of 2" in first


def test_a_shard_in_which_nothing_is_supported_is_no_worse_than_a_baseline() -> None:
    judged = planned(shard="1/2", known=())
    for name, clauses in judged.tests.items():
        records = [Record(clause, {"unsupported": 1}).to_json() for clause in clauses]
        judged.add(name, clauses, records, "", 1.0)
    found = judged.results(None)
    assert exit_status(found) == 0
    assert Comparison(Path("before.json"), found, found).status == 0


def test_a_shard_has_only_its_own_clauses_and_combinations() -> None:
    shards = [planned(shard=f"{index}/3") for index in (1, 2, 3)]
    clauses = [{clause for c in judged.tests.values() for clause in c} for judged in shards]
    for judged, mine in zip(shards, clauses, strict=True):
        add_constructed(judged)
        found = judged.results(None)
        assert {clause["id"] for clause in found["clauses"]} == mine
        left_out = {x["reason"] for x in found["coverage"]["combinations"]["left_out"]}
        assert "another shard visits it" in left_out
    assert set().union(*clauses) == set(shards[0].session.plan.clauses)


def test_a_known_deviation_may_show_in_another_shard() -> None:
    for index in (1, 2):
        judged = planned(shard=f"{index}/2", known=(DEVIATION, Deviation(("SHAPE-1",), "unmet")))
        for name, clauses in judged.tests.items():
            record = Record(clauses[0], {"pass": 1}, deviations={"0": (1, 0)}).to_json()
            judged.add(name, clauses, [record], "", 1.0)
        found = judged.results(None)
        assert [deviation["outcome"] for deviation in found["deviations"]] == ["undecided"] * 2
        assert "error" not in {clause["verdict"] for clause in found["clauses"]}
        assert "No case was judged" not in summary(found)
