"""A resumed run equals an uninterrupted one: no test is judged twice, and none is left out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lstm_conformance.reports.tables import summary
from lstm_conformance.runner.searching.record import Record
from lstm_conformance.runner.searching.statistics import Statistics
from lstm_conformance.spec.usage_error import UsageError

from .helpers.command_line import SCHEMA, check
from .helpers.sessions import Run, add_constructed, judge, planned, without_times

Results = dict[str, Any]


def as_read(results: Results) -> Results:
    found: Results = json.loads(json.dumps(results, allow_nan=False))
    return found


def interrupted(**options: Any) -> Results:
    """Results of which half of the tests are finished."""
    judged = planned(**options)
    add_constructed(judged, [*judged.tests][::2])
    return as_read(judged.results("interrupted"))


@pytest.mark.parametrize("shard", [None, "1/2", "2/2"])
def test_a_resumed_run_equals_an_uninterrupted_one(shard: str | None) -> None:
    found = interrupted(shard=shard)
    jsonschema.validate(found, SCHEMA)
    resumed = planned(found, shard=shard)
    uninterrupted = planned(shard=shard)
    assert set(resumed.tests) == set(uninterrupted.tests) - set(found["tests"])
    add_constructed(resumed)
    add_constructed(uninterrupted)
    assert without_times(as_read(resumed.results(None))) == without_times(
        as_read(uninterrupted.results(None))
    )


def test_a_test_that_broke_off_is_run_again() -> None:
    judged = planned()
    add_constructed(judged)
    whole = as_read(judged.results(None))
    assert "parts" not in whole, "all was judged: there is nothing to join"
    test = [*judged.tests][1]
    judged.add(test, judged.tests[test], None, "crashed", 1.0)
    found = as_read(judged.results(None))
    assert "crashed" in json.dumps(found)
    assert test not in found["tests"]
    assert "1 broken off" in summary(found)
    resumed = planned(found)
    assert [*resumed.tests] == [test]
    add_constructed(resumed)
    assert without_times(as_read(resumed.results(None))) == without_times(whole)


def test_a_test_that_was_cut_short_is_run_again_as_a_whole() -> None:
    judged = planned()
    add_constructed(judged)
    whole = as_read(judged.results(None))
    test = next(iter(judged.tests))
    judged = planned()
    add_constructed(judged, [name for name in judged.tests if name != test])
    record = Record("COMB-1", {"pass": 1}, Statistics(29.5), {"of what is replaced": 9})
    judged.add(test, judged.tests[test], [record.to_json()], "", 1.0, cut_short=True)
    found = as_read(judged.results("max-time"))
    assert test not in found["tests"]
    assert "1 cut short" in summary(found)
    resumed = planned(found)
    assert [*resumed.tests] == [test]
    add_constructed(resumed)
    assert without_times(as_read(resumed.results(None))) == without_times(whole)


def cut_short(judged: Run, test: str, cases: int) -> None:
    record = Record(judged.tests[test][0], {"pass": cases})
    judged.add(test, judged.tests[test], [record.to_json()], "", 1.0, cut_short=True)


@pytest.mark.parametrize(("earlier", "later", "kept"), [(3, None, 3), (3, 2, 3), (3, 5, 5)])
def test_an_outcome_that_was_cut_short_is_kept_unless_more_cases_are_judged(
    earlier: int, later: int | None, kept: int
) -> None:
    judged = planned(max_time=60.0)
    test = [*judged.tests][1]
    cut_short(judged, test, earlier)
    resumed = planned(as_read(judged.results("max-time")), max_time=60.0)
    assert [*resumed.tests][-1] == test, "what has had no case comes first"
    if later is not None:
        cut_short(resumed, test, later)
    found = as_read(resumed.results("max-time"))
    jsonschema.validate(found, SCHEMA)
    assert found["parts"][test]["state"] == "cut short"
    assert found["parts"][test]["records"][0]["verdicts"] == {"pass": kept}


def test_a_test_that_breaks_off_loses_its_earlier_outcome() -> None:
    judged = planned(max_time=60.0)
    test = [*judged.tests][1]
    cut_short(judged, test, 3)
    resumed = planned(as_read(judged.results("max-time")), max_time=60.0)
    resumed.add(test, resumed.tests[test], None, "crashed", 1.0)
    assert resumed.results("max-time")["parts"][test]["state"] == "broken off"


def test_a_run_can_be_resumed_again_and_again() -> None:
    found = as_read(planned().results("interrupted"))
    tests = [*planned().tests]
    for test in tests:
        resumed = planned(found)
        add_constructed(resumed, [test])
        found = as_read(resumed.results(None if test == tests[-1] else "interrupted"))
    whole = planned()
    add_constructed(whole)
    assert without_times(found) == without_times(as_read(whole.results(None)))


def test_a_judgement_of_the_reference_is_resumed() -> None:
    """With real cases: those of a test do not depend on which other tests run."""
    options: dict[str, Any] = {"clauses": ("EQ-1", "SHAPE-1", "SHAPE-2")}
    judged = planned(**options)
    judge(judged)
    whole = as_read(judged.results(None))
    part = planned(**options)
    part.tests.popitem()
    judge(part)
    resumed = planned(as_read(part.results("interrupted")), **options)
    assert len(resumed.tests) == 1
    judge(resumed)
    assert without_times(as_read(resumed.results(None))) == without_times(whole)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"seed": 3}, "in --seed (0 and 3)"),
        ({"profile": "default"}, "in --profile (smoke and default)"),
        ({"dtypes": ("float32",)}, "in --dtype"),
        ({"known": ()}, "in the known deviations"),
        ({"without": ("packed",)}, "in --without (none and packed)"),
        ({"shard": "1/2"}, "in --shard (none and 1/2)"),
        ({"clauses": ("EQ-1", "COMB-1")}, "other clauses than are asked for"),
        (
            {"clauses": ("EQ-1", "SHAPE-1", "SHAPE-2", "COMB-1", "COMB-2", "COMB-3")},
            "other clauses than are asked for",
        ),
    ],
)
def test_results_of_another_run_are_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=r"earlier\.json") as raised:
        planned(interrupted(), **options)
    assert says in str(raised.value)


def test_complete_results_leave_no_test_to_run() -> None:
    judged = planned()
    add_constructed(judged)
    whole = as_read(judged.results(None))
    resumed = planned(whole)
    assert not resumed.tests
    assert resumed.results(None) == whole
    with pytest.raises(UsageError, match="other clauses than are asked for"):
        planned(whole, clauses=("EQ-1", "COMB-1"))
    with pytest.raises(UsageError, match=r"an older lstm-conformance wrote it\."):
        planned({**whole, "stopped": "interrupted"})


def with_another_implementation(found: Results) -> None:
    found["implementation"]["version"] = "<script>"


def with_another_numpy(found: Results) -> None:
    found["environment"]["packages"]["numpy"] = "0.1"


def with_an_unknown_test(found: Results) -> None:
    found["parts"]["<script>"] = found["parts"][min(found["parts"])]


def with_wrong_types(found: Results) -> None:
    found["parts"] = []


def with_a_huge_count(found: Results) -> None:
    for part in found["parts"].values():
        for record in part["records"]:
            record["verdicts"] = {"pass": 10**40}


@pytest.mark.parametrize(
    "change",
    [
        with_another_implementation, with_another_numpy, with_an_unknown_test, with_wrong_types,
        with_a_huge_count,
    ],
)  # fmt: skip
def test_other_or_damaged_results_are_refused(change: Callable[[Results], None]) -> None:
    found = interrupted()
    change(found)
    with pytest.raises(UsageError, match=r"earlier\.json .*\.$"):
        planned(found)


def test_the_command_judges_what_is_missing(tmp_path: Path) -> None:
    options = ("--profile", "smoke", "--clause", "EQ-1", "--clause", "SHAPE-1", "--shard", "1/1")
    _, whole = check("reference", *options, cwd=tmp_path)
    kept, missing = sorted(whole["parts"])
    nothing = {"state": "not reached", "seconds": 0, "records": []}
    whole["parts"][missing].update(nothing)
    del whole["tests"][missing]
    whole["parts"][kept]["records"][0]["reasons"]["kept"] = 1
    (tmp_path / "first.json").write_text(json.dumps({**whole, "stopped": "interrupted"}))
    _, resumed = check("reference", *options, "--resume", "first.json", cwd=tmp_path)
    _, again = check("reference", *options, "--resume", "results.json", cwd=tmp_path)
    assert resumed["stopped"] is None
    assert sorted(resumed["tests"]) == [kept, missing]
    assert resumed["parts"][missing]["records"][0]["verdicts"].keys() == {"pass"}
    assert resumed["parts"][kept] == whole["parts"][kept], "it is not judged again"
    assert without_times(again) == without_times(resumed), "nothing is missing"


@pytest.mark.whole
def test_files_that_cannot_be_resumed_are_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "cut.json").write_text('{"schema_version": 2, "parts": {')
    for name, says in (("cut.json", "cut off"), ("none.json", "cannot be read")):
        ended, _ = check("reference", "--resume", name, "--clause", "EQ-1", cwd=tmp_path)
        assert (ended.status, ended.out) == (2, "")
        assert ended.err.startswith("lstm-conformance: ")
        assert ended.err.count("\n") == 1
        assert says in ended.err
