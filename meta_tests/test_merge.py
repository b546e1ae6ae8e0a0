"""Merged shards equal one run; other or damaged files are refused in one sentence."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lstm_conformance.runner.commands.main import main
from lstm_conformance.runner.gate.merging import merged
from lstm_conformance.spec.usage_error import UsageError

from .helpers.command_line import SCHEMA, check, run
from .helpers.sessions import CASE, add_constructed, planned, shard, without_times

Results = dict[str, Any]


def whole() -> Results:
    judged = planned()
    add_constructed(judged)
    return judged.results(None)


def shards(count: int, **options: Any) -> dict[str, Results]:
    """Not in their order."""
    return {f"{i}.json": shard(f"{i}/{count}", **options) for i in range(count, 0, -1)}


@pytest.mark.parametrize("count", [1, 2, 3, 9])
def test_merged_shards_equal_one_run(count: int) -> None:
    found = merged(shards(count))
    jsonschema.validate(found, SCHEMA)
    assert without_times(found) == without_times(json.loads(json.dumps(whole())))
    assert "<script>" in json.dumps(found), "names and messages are kept as they are"


def test_a_test_that_broke_off_in_a_shard_is_an_error() -> None:
    test = "test_shapes.test_shape_of_output"
    judged = planned()
    assert test in judged.tests
    add_constructed(judged)
    judged.add(test, judged.tests[test], None, "crashed <b>", 1.0)
    found = merged(shards(3, broken_off=test))
    assert without_times(found) == without_times(json.loads(json.dumps(judged.results(None))))
    verdicts = {clause["id"]: clause["verdict"] for clause in found["clauses"]}
    assert verdicts["SHAPE-1"] == "error"


def test_capabilities_that_one_shard_found_are_found() -> None:
    given = shards(2)
    given["1.json"]["implementation"]["undeclared"] = ["float16"]
    for results in given.values():  # only what is imported is named
        results["environment"]["packages"].pop("torch", None)
    given["2.json"]["environment"]["packages"]["torch"] = "2.13.0"
    given["2.json"]["environment"]["platform"] = "another kernel"
    found = merged(given)
    assert found["implementation"]["undeclared"] == ["float16"]
    assert found["environment"]["packages"]["torch"] == "2.13.0"
    assert found["environment"]["platform"].endswith("; another kernel")
    assert merged({"1.json": given["1.json"], "2.json": given["2.json"]}) == found


def test_of_shards_on_several_machines_only_what_is_the_same_is_kept() -> None:
    given = shards(2)
    machine = {"cores": 2, "processor": "Made-up 2", "load_average": {"start": 1.0, "end": 1.5}}
    for results in given.values():
        results["environment"].update(copy.deepcopy(machine))
    assert machine.items() <= merged(given)["environment"].items()
    given["2.json"]["environment"].update(cores=4, load_average={"start": 0.0, "end": 0.5})
    found = merged(given)["environment"]
    assert found["processor"] == "Made-up 2"
    assert not {"cores", "load_average"} & set(found)


def refusal(given: dict[str, Results]) -> str:
    with pytest.raises(UsageError) as raised:
        merged(given)
    sentence = str(raised.value)
    assert sentence.endswith(".")
    return sentence


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"seed": 1}, "they differ in --seed (0 and 1)"),
        ({"dtypes": ("float64", "float32")}, "--dtype (float64 and float64, float32)"),
        ({"without": ("packed",)}, "--without (none and packed)"),
        ({"known": ()}, "known deviations"),
        ({"profile": "default"}, "--profile (smoke and default)"),
    ],
)
def test_shards_of_runs_with_other_options_are_refused(options: dict[str, Any], says: str) -> None:
    sentence = refusal({"a.json": shard("1/2"), "b.json": shard("2/2", **options)})
    assert "a.json and b.json are of two runs" in sentence
    assert says in sentence


@pytest.mark.parametrize(
    ("part", "name", "says"),
    [
        ("implementation", "name", "the name of the implementation (reference and <script>)"),
        ("implementation", "version", "the version of the implementation (1.0.0 and <script>)"),
        ("implementation", "target", "the target"),
        ("implementation", "capabilities", "the capabilities"),
        ("environment", "python", "the version of Python"),
        ("environment", "machine", "the kind of machine"),
        ("packages", "numpy", "the version of numpy"),
        ("packages", "lstm-conformance", "the version of lstm-conformance"),
        ("", "required", "--require"),
        ("", "devices", "--device"),
        ("", "missing_devices", "the missing devices"),
        ("", "case", "--case"),
    ],
)
def test_shards_of_two_runs_are_refused(part: str, name: str, says: str) -> None:
    given = {"a.json": shard("1/2"), "b.json": shard("2/2")}
    place = given["b.json"]
    if part:
        place = place["environment"]["packages"] if part == "packages" else place[part]
    place[name] = "<script>"
    assert says in refusal(given)


def test_incomplete_sets_of_shards_are_refused() -> None:
    two = shards(2)
    first, second = two["1.json"], two["2.json"]
    assert "a is no shard" in refusal({"a": whole()})
    assert "a and b are both shard 1 of 2" in refusal({"a": first, "b": copy.deepcopy(first)})
    assert "shard 1 of 2 is missing" in refusal({"b": second})
    assert "shard 2 of 9 and 6 others are missing" in refusal(
        {"a": shard("1/9"), "b": shard("4/9")}
    )
    assert "a is one of 2 shards, b one of 3" in refusal({"a": first, "b": shard("2/3")})
    for stopped in ("interrupted", "max-failures"):
        stopped_short = shard("2/2", stopped=stopped)
        assert f"b is not complete ({stopped})" in refusal({"a": first, "b": stopped_short})


def test_merged_results_say_that_a_budget_ran_out() -> None:
    found = merged({"a": shard("1/2"), "b": shard("2/2", stopped="max-time")})
    assert found["stopped"] == "max-time"


def lacking_a_test(found: Results) -> None:
    del found["parts"][min(found["parts"])]


def with_a_test_of_another_shard(found: Results) -> None:
    for name, part in shard("1/2")["parts"].items():
        found["parts"][name] = part


def with_an_unknown_test(found: Results) -> None:
    found["parts"]["test_<script>.test_\x1b[2J"] = found["parts"][min(found["parts"])]


def with_clauses_of_another_test(found: Results) -> None:
    found["parts"][min(found["parts"])]["clauses"] = ["USE-1"]


def with_a_record_of_another_clause(found: Results) -> None:
    found["parts"][min(found["parts"])]["records"][0]["clause"] = "USE-1"


def with_a_malformed_case(found: Results) -> None:
    failure = {
        "verdict": "error", "case": "v1 <script>", "first_case": CASE, "finding": {},
        "exception": "", "traceback": "", "plain": True, "diagnosis": {},
    }  # fmt: skip
    found["parts"][min(found["parts"])]["records"][0]["failures"] = [failure]


def with_half_a_finding(found: Results) -> None:
    failure = {
        "verdict": "fail", "case": CASE, "first_case": CASE, "finding": {"tensor": "output"},
        "exception": "", "traceback": "", "plain": True, "diagnosis": {},
    }  # fmt: skip
    found["parts"][min(found["parts"])]["records"][0]["failures"] = [failure]


def with_a_count_of_another_shard(found: Results) -> None:
    found["shard"] = {"index": 5, "count": 2}


@pytest.mark.parametrize(
    "change",
    [
        lacking_a_test, with_a_test_of_another_shard, with_an_unknown_test,
        with_clauses_of_another_test, with_a_record_of_another_clause, with_a_malformed_case,
        with_half_a_finding, with_a_count_of_another_shard,
    ],
)  # fmt: skip
def test_damaged_shards_are_refused(change: Callable[[Results], None]) -> None:
    given = shards(2)
    change(given["2.json"])
    assert "damaged" in refusal(given) or "in none of the shards" in refusal(given)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("verdicts", {"pass": 10**30}),
        ("verdicts", {"pass": "1"}),
        ("verdicts", {"fine": 1}),
        ("tensors", {"float64": [1, 1.0]}),
        ("tensors", {"float64 output": [1]}),
        ("histograms", {"float64 output": {"x": 1}}),
        ("deviations", {"0": [1]}),
        ("seconds", 1e300),
        ("failures", [{}]),
        ("more", 1),
    ],
)
def test_damaged_files_are_refused_in_one_sentence(
    place: str, value: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = shard("2/2")
    found["parts"][min(found["parts"])]["records"][0][place] = value
    texts = {"1.json": json.dumps(shard("1/2")), "2.json": json.dumps(found)}
    assert "2.json is damaged" in _refused_files(texts, tmp_path, capsys)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"schema_version": 2, "shard": {', "cut off"),
        ("", "no results"),
        ("[]", "no results"),
        ('{"schema_version": 8}', "install a newer one"),
        ('{"schema_version": 2}', "is damaged"),
    ],
)
def test_files_without_results_are_refused_in_one_sentence(
    text: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = {"1.json": json.dumps(shard("1/2")), "2.json": text}
    assert says in _refused_files(texts, tmp_path, capsys)


def _refused_files(texts: dict[str, str], folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8")
    out = folder / "merged.json"
    out.write_text("as before")
    files = [folder / name for name in texts]
    assert main(["merge", *map(str, files), "--json", str(out)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("lstm-conformance: ")
    assert printed.err.count("\n") == 1
    assert out.read_text() == "as before"
    return printed.err


@pytest.mark.slow
@pytest.mark.whole
def test_the_command_joins_what_the_shards_wrote(tmp_path: Path) -> None:
    options = ("--profile", "smoke", "--clause", "EQ-1", "--clause", "SHAPE-1", "--clause",
               "COMB-3", "--dtype", "float64")  # fmt: skip
    _, unsharded = check("reference", *options, cwd=tmp_path)
    for index, workers in (("1", "0"), ("2", "2")):
        more = ("--shard", f"{index}/2", "-n", workers)
        ended, found = check("reference", *options, *more, cwd=tmp_path)
        assert ended.status == 0, ended.out + ended.err
        (tmp_path / f"{index}.json").write_text(json.dumps(found))
    out, page = tmp_path / "merged.json", tmp_path / "merged.md"
    ended = run(
        "merge", "2.json", "1.json", "--json", str(out), "--markdown", str(page), cwd=tmp_path
    )
    assert ended.status == 0, ended.err
    assert "CONFORMANT: reference" in ended.out
    assert page.read_text().startswith("# Conformance of reference")
    assert without_times(json.loads(out.read_text())) == without_times(unsharded)
    ended = run("merge", "2.json", "2.json", cwd=tmp_path)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err == "lstm-conformance: one of the files is named twice.\n"
    ended = run("merge", "2.json", "--json", "no/such/x.json", cwd=tmp_path)
    assert ended.status == 2
    assert "there is no folder" in ended.err
