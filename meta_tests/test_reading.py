"""Results of every version are read as they were written, or refused in one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lstm_conformance.reports.reading import NEWEST, read_results, upgraded
from lstm_conformance.spec.usage_error import UsageError
from tools import frameworks

TORCH = frameworks.RESULTS / "torch.json"

PROGRAM = "import torch\n\nprint('observed', 1)\n"
EXPLANATION = (
    "EQ-5 Two biases: ...\n"
    "  raised    ValueError: no\n"
    '  repeat    lstm-conformance check my.py:LSTM --clause EQ-5 --case "v1 input_size=1"\n'
    "  found as  v1 input_size=3\n\n"
    f"The same with torch and numpy alone:\n\n{PROGRAM}"
)


def results() -> dict[str, Any]:
    """Results of one clause, which failed, and of one parameter combination."""
    whole = upgraded(json.loads(TORCH.read_text("utf-8")))
    failing = next(clause for clause in whole["clauses"] if clause["failure"])
    return {**whole, "clauses": [failing], "coverage": _COVERAGE}


_COVERAGE = {
    "combinations": {"total": 1, "visited": 1, "left_out": []},
    "sizes": {"classes": [], "visited": {}, "pairs": [], "left_out": []},
}


def refusal(path: Path) -> str:
    """The sentence with which ``path`` is refused."""
    with pytest.raises(UsageError) as raised:
        read_results(path)
    sentence = str(raised.value)
    assert str(path) in sentence
    assert sentence.isprintable()
    assert sentence.endswith(".")
    assert len(sentence) < 900
    return sentence


def test_the_newest_version_is_read_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    file.write_text(json.dumps(results()), "utf-8")
    assert read_results(file) == results()
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert read_results(file) == results(), "Windows marks UTF-8"


def test_command_and_program_are_taken_out_of_an_old_explanation() -> None:
    failure = {"verdict": "fail", "explanation": EXPLANATION}
    old = {"schema_version": 1, "clauses": [{"id": "EQ-5", "failure": failure}], "tensors": []}
    new = upgraded(old)
    assert new["schema_version"] == NEWEST
    assert new["clauses"][0]["failure"] == {
        **failure,
        "command": 'lstm-conformance check my.py:LSTM --clause EQ-5 --case "v1 input_size=1"',
        "program": PROGRAM,
    }
    assert "command" not in failure, "the old ones are left as they are"


def test_what_only_older_versions_have_is_left_out() -> None:
    record = {"clause": "EQ-5", "growth": {"float64 output seq_len 8": [1, 1.0, 1.0]}}
    part = {"clauses": ["EQ-5"], "records": [record]}
    new = upgraded({"schema_version": 6, "growth": [], "parts": {"test": part}})
    assert "growth" not in new
    assert new["parts"]["test"]["records"] == [{"clause": "EQ-5", "sizes": {}}]
    assert "growth" in record, "the old ones are left as they are"


@pytest.mark.parametrize("broken", [None, 3, "x", [], [None], {"clauses": 3}])
def test_invalid_results_stay_invalid(broken: Any, tmp_path: Path) -> None:
    old = json.loads(TORCH.read_text("utf-8"))
    old["clauses"] = [broken]
    file = tmp_path / "results.json"
    file.write_text(json.dumps(old), "utf-8")
    assert "is damaged" in refusal(file)
    file.write_text(json.dumps({**old, "clauses": broken}), "utf-8")
    if broken != []:
        assert "is damaged" in refusal(file)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"counts": {"pass": 9, "fail": 1}}, "to pass, and 1 case failed."),
        ({"counts": {"pass": 9, "error": 2}}, "to pass, and 2 cases failed."),
        ({"worst_ratio": 1e8}, "to pass, with an error of 1e+08 times rounding noise, where 30 "),
    ],
)
def test_a_pass_that_contradicts_itself_is_refused(
    change: dict[str, Any], why: str, tmp_path: Path
) -> None:
    whole = upgraded(json.loads(TORCH.read_text("utf-8")))
    passed = next(clause for clause in whole["clauses"] if clause["verdict"] == "pass")
    file = tmp_path / "results.json"
    file.write_text(json.dumps({**whole, "clauses": [{**passed, **change}]}), "utf-8")
    assert f"is damaged: {passed['id']} is said {why}" in refusal(file)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "cut off"),
        (b"\x89PNG\xff", "not UTF-8"),
        (b'{"schema_version": 2, "conf', "cut off"),
        (b"{'schema_version': 2}", "not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"schema_version": NaN}', "NaN is no number"),
        (b'{"schema_version": 1e999}', "too large"),
        (b'{"schema_version": 1' + b"0" * 5000 + b"}", "too large"),
        (b'{"schema_version": 2, "seed": 1, "seed": 2}', "'seed' stands twice"),
        (b"[]", "JSON, but not what"),
        (b'"schema_version"', "JSON, but not what"),
        (b'{"defects": []}', "JSON, but not what"),
        (b'{"schema_version": 8}', "install a newer one"),
        (b'{"schema_version": 0}', "there are only"),
        (b'{"schema_version": true}', "there are only"),
        (b'{"schema_version": "\\u001b[2J"}', "there are only"),
        (b'{"schema_version": 2}', "is damaged: at $"),
    ],
)
def test_files_without_results_are_refused_in_one_sentence(
    content: bytes, why: str, tmp_path: Path
) -> None:
    file = tmp_path / "results.json"
    file.write_bytes(content)
    assert why in refusal(file)


def test_unreadable_files_are_refused(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "none.json")
    assert "Is a directory" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("where", "value", "why"),
    [
        (("clauses", 0, "verdict"), "<script>", "$.clauses[0].verdict"),
        (("clauses", 0, "worst_ratio"), "1", "$.clauses[0].worst_ratio"),
        (("clauses", 0, "id"), "EQ 1", "$.clauses[0].id"),
        (("clauses", 0, "failure", "exception"), None, "$.clauses[0].failure.exception"),
        (("implementation", "name"), "\ud800", "surrogate"),
        (("chapters",), {}, "$.chapters"),
        (("seed",), -1, "$.seed"),
    ],
)
def test_the_damaged_place_is_named(
    where: tuple[Any, ...], value: Any, why: str, tmp_path: Path
) -> None:
    damaged = results()
    place: Any = damaged
    for name in where[:-1]:
        place = place[name]
    place[where[-1]] = value
    file = tmp_path / "results.json"
    file.write_text(json.dumps(damaged), "utf-8")
    sentence = refusal(file)
    assert "is damaged" in sentence
    assert why in sentence


def test_a_clause_must_not_occur_twice(tmp_path: Path) -> None:
    damaged = results()
    damaged["clauses"] *= 2
    file = tmp_path / "results.json"
    file.write_text(json.dumps(damaged), "utf-8")
    assert "twice" in refusal(file)


def test_a_gate_does_not_pass_with_a_broken_clause(tmp_path: Path) -> None:
    damaged = results()
    damaged["clauses"][0].update({"verdict": "fail", "must_hold": True})
    damaged["gate_passed"] = True
    file = tmp_path / "results.json"
    file.write_text(json.dumps(damaged), "utf-8")
    assert f"though {damaged['clauses'][0]['id']} is broken" in refusal(file)


@pytest.mark.parametrize("length", range(50, 3000, 397))
def test_a_truncated_file_is_refused(length: int, tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    file.write_bytes(json.dumps(results()).encode()[:length])
    assert "cut off" in refusal(file)
