"""Cases that failed before are tried first. Lost or damaged ones change no verdict."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis.database import DirectoryBasedExampleDatabase, ExampleDatabase

from lstm_conformance.adapters.reference import ReferenceLSTM
from lstm_conformance.runner.judging.rules import close
from lstm_conformance.runner.searching.checker import Checker
from lstm_conformance.runner.searching.example_database import (
    Examples,
    UsageError,
    open_examples,
)
from lstm_conformance.runner.searching.record import Record
from lstm_conformance.spec.case import Case
from lstm_conformance.spec.contract import Observation

from .helpers.command_line import check, run
from .helpers.modified_reference import (
    PROFILE,
    WIDE,
    Modified,
    settings,
    with_deviations,
    with_output,
)
from .helpers.selection import elsewhere


def wrong_in_some_cases(case: Case, observation: Observation) -> Observation:
    broken = case.config.hidden_size >= 3 and case.seq_len >= 2
    return with_output(observation, lambda x: x + broken)


def wrong() -> Modified:
    return Modified(wrong_in_some_cases)


def right() -> Modified:
    return Modified(lambda case, observation: observation)


def judged(
    implementation: ReferenceLSTM, examples: Examples | None, seed: int = 0, test: str = "test"
) -> Record:
    asked = replace(settings(seed=seed), examples=examples)
    checker = Checker(implementation, asked, test, ["EQ-4"])
    checker.forall(WIDE, close("output", "h_n", "c_n"))
    return checker.records["EQ-4"]


def opened(folder: Path) -> Examples:
    return open_examples([str(folder)])


def kept(folder: Path) -> list[Path]:
    """The files of the examples; each is in the folder of its key."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the examples that a failing run has kept."""
    judged(wrong(), opened(tmp_path / "examples"))
    assert kept(tmp_path / "examples")
    return tmp_path / "examples"


def test_what_failed_before_is_tried_first(folder: Path) -> None:
    (first,) = judged(wrong(), opened(folder)).failures
    for seed in (1, 2, 3):
        implementation = wrong()
        record = judged(implementation, opened(folder), seed)
        assert str(implementation.asked[0]) == first.case
        assert record.verdicts == {"fail": 1}
        assert record.failures[0].case == first.case


def test_examples_that_pass_now_are_deleted(folder: Path) -> None:
    implementation = right()
    record = judged(implementation, opened(folder), seed=1)
    assert implementation.asked[0].config.hidden_size == 3, "the example is tried first"
    assert not record.failures
    left = DirectoryBasedExampleDatabase(folder)
    keys = list(left.fetch(b".hypothesis-keys"))
    assert not [key for key in keys if not key.endswith(b".secondary") and list(left.fetch(key))]


@pytest.mark.whole
def test_without_examples_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    without, with_an_empty_one = judged(wrong(), None), judged(wrong(), opened(tmp_path / "x"))
    assert replace(without, seconds=0.0) == replace(with_an_empty_one, seconds=0.0)
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_each_search_has_its_own_examples(folder: Path) -> None:
    before = kept(folder)
    implementation = right()
    judged(implementation, opened(folder), seed=1, test="another")
    assert kept(folder) == before
    database = opened(folder)
    one, other = database.of("test", 1), database.of("test", 2)
    one.save(b"key", b"value")
    assert list(one.fetch(b"key")) == list(database.of("test", 1).fetch(b"key")) == [b"value"]
    assert list(other.fetch(b"key")) == []


def test_known_failures_are_not_kept(tmp_path: Path) -> None:
    asked = replace(with_deviations({}), examples=opened(tmp_path / "examples"))
    checker = Checker(wrong(), asked, "test", ["EQ-4"])
    checker.forall(WIDE, close("output"))
    assert checker.records["EQ-4"].waived
    assert not kept(tmp_path / "examples")


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        elsewhere(b"\xff" * 50),
        elsewhere(b"x" * 100_000),
        b"\x00\x01\x02",
    ],
)
def test_damaged_examples_change_no_verdict(junk: bytes, folder: Path) -> None:
    for file in kept(folder):
        file.write_bytes(junk)
    assert judged(wrong(), opened(folder), seed=1).verdicts["fail"] == 1
    for file in kept(folder):
        file.write_bytes(junk)
    assert judged(right(), opened(folder), seed=1).verdicts == {"pass": PROFILE.per_clause}


@pytest.mark.whole
def test_pipes_and_huge_files_among_examples_change_no_verdict(folder: Path) -> None:
    for number, file in enumerate(kept(folder)):
        file.unlink()
        if number % 2:
            os.mkfifo(file)
        else:
            file.touch()
            os.truncate(file, 2**40)
    assert judged(wrong(), opened(folder), seed=1).verdicts["fail"] == 1
    assert judged(right(), opened(folder), seed=1).verdicts == {"pass": PROFILE.per_clause}


@pytest.mark.whole
def test_a_folder_that_vanishes_changes_no_verdict(folder: Path) -> None:
    examples = opened(folder)
    shutil.rmtree(folder)
    folder.write_text("a file by now")
    assert judged(wrong(), examples, seed=1).verdicts["fail"] == 1
    assert judged(right(), examples, seed=1).verdicts == {"pass": PROFILE.per_clause}


class Broken(ExampleDatabase):
    """A connection that is lost."""

    def fetch(self, key: bytes) -> Iterable[bytes]:
        raise ConnectionError

    def save(self, key: bytes, value: bytes) -> None:
        raise ConnectionError

    def delete(self, key: bytes, value: bytes) -> None:
        raise ConnectionError


@pytest.mark.whole
def test_a_database_that_fails_changes_no_verdict(folder: Path) -> None:
    for implementation in (wrong(), right()):
        record = judged(implementation, Examples([Broken()]))
        assert record.verdicts == judged(implementation, None).verdicts
    implementation = wrong()
    both = Examples([Broken(), DirectoryBasedExampleDatabase(folder)])
    judged(implementation, both, seed=1)
    assert implementation.asked[0].config.hidden_size == 3, "the other one is read"


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("file", "Examples cannot be kept in file: File exists."),
        ("file/inside", "Examples cannot be kept in file/inside: Not a directory."),
        ("", "There is no database of examples ''"),
        ("mysql://host", "There is no database of examples 'mysql://host'"),
        ("github:nobody", "'github:nobody' is no repository"),
        ("github:a/b/../c", "is no repository"),
        ("redis://127.0.0.1:1/0", "The Redis of --examples cannot be used: Error 111"),
        ("redis://127.0.0.1:x/0", "The Redis of --examples cannot be used: "),
        (
            "github:nobody/nothing",
            "The examples of github:nobody/nothing cannot be read: Could not",
        ),
    ],
)
def test_places_that_cannot_be_used(
    place: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HYPOTHESIS_STORAGE_DIRECTORY", str(tmp_path / "hypothesis"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")  # no network
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)  # the main process
    with pytest.raises(UsageError) as raised:
        open_examples([place])
    assert says in str(raised.value)
    assert str(raised.value).endswith((".", ". "))
    assert "\n" not in str(raised.value)


def test_without_redis_the_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    monkeypatch.delitem(sys.modules, "hypothesis.extra.redis", raising=False)
    with pytest.raises(UsageError, match=r"pip install 'lstm-conformance\[redis\]'"):
        open_examples(["redis://localhost"])


def test_an_artifact_is_read(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPOTHESIS_STORAGE_DIRECTORY", str(tmp_path / "hypothesis"))
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    downloaded = tmp_path / "hypothesis" / "github" / "owner" / "repo" / "main"
    downloaded.mkdir(parents=True)
    now = datetime.now(timezone.utc).isoformat().replace(":", "_")
    shutil.make_archive(str(downloaded / now), "zip", folder)
    implementation = wrong()
    judged(implementation, open_examples(["github:owner/repo"]), seed=1)
    assert implementation.asked[0].config.hidden_size == 3
    # A second place, which can be written, is written.
    local = tmp_path / "local"
    judged(wrong(), open_examples(["github:owner/repo", str(local)]), seed=1)
    assert kept(local)


WRONG = """
from lstm_conformance.adapters.reference import ReferenceLSTM

class Wrong(ReferenceLSTM):
    def run(self, case):
        if case.config.hidden_size >= 4:
            raise ValueError("no")
        return super().run(case)

LSTM = Wrong()
"""


@pytest.mark.whole
def test_on_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text(WRONG)
    options = ("--profile", "smoke", "--clause", "EQ-2", "--examples", "kept")
    _, before = check("wrong.py:LSTM", *options, cwd=tmp_path)
    ended, after = check("wrong.py:LSTM", *options, "--seed", "7", cwd=tmp_path)
    assert ended.status == 1, ended.out
    (found,) = before["clauses"]
    (again,) = after["clauses"]
    assert again["failure"]["first_case"] == found["failure"]["case"]
    assert again["cases"] == 1
    ended = run("check", "wrong.py:LSTM", "--examples", "wrong.py", cwd=tmp_path)
    assert ended.status == 2
    assert "Examples cannot be kept in wrong.py" in ended.err
    assert "Traceback" not in ended.err
