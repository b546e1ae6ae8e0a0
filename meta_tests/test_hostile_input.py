"""Bad input and hostile implementations: one table, with the right outcome of each."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lstm_conformance.adapters.target import load
from lstm_conformance.runner.searching.record import Record
from lstm_conformance.runner.session.suite import checkers_of
from lstm_conformance.spec.case import Case

from .helpers.command_line import IMPLEMENTATIONS, check, command, environment
from .helpers.hostile_corpus import QUICK, RIGHT, WRONG, Row, attempt
from .helpers.selection import elsewhere, one_in_three

SMOKE = ("--profile", "smoke", "--clause", "EQ-4")
HOSTILE = IMPLEMENTATIONS / "hostile_results.py"


# Each of them starts a process or several: every third one in every run.
@pytest.mark.parametrize("row", one_in_three(QUICK), ids=[row.script for row in QUICK])
def test_bad_input_is_refused(row: Row) -> None:
    tried = attempt(row)
    assert tried.right, f"{tried.status}: {tried.text}"
    assert not any((tried.wrong_pass, tried.traceback, tried.lost)), tried.text


def test_a_wrong_outcome_is_seen() -> None:
    """The table can fail: each of its judgements is provoked."""
    passes = attempt(Row("argument", "echo CONFORMANT: all", (3,)))
    assert (passes.right, passes.wrong_pass) == (False, True)
    assert attempt(Row("argument", "echo Traceback >&2; exit 2", (2,))).traceback
    assert attempt(Row("file", "rm text.txt; echo x > text.txt; exit 2", (2,))).lost
    assert attempt(Row("file", "echo '{' > r.json; exit 3", (3,))).lost
    assert attempt(Row("file", "echo r.json; exit 0", (0,))).lost
    assert not attempt(Row("argument", "echo one >&2; exit 2", (2,), "two")).right
    assert attempt(Row("argument", "exit 2", (2,))).right


def judged(name: str) -> Record:
    """What the tests of EQ-4 find out about one of the implementations, in this process."""
    implementation = load(f"{HOSTILE}:{name}")
    (checker,) = checkers_of(implementation, "EQ-4")
    record = Record.from_json(json.loads(json.dumps(checker.records["EQ-4"].to_json())))
    json.dumps(record.to_json(), allow_nan=False, ensure_ascii=False).encode("utf-8")
    return record


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_implementation_fails(name: str) -> None:
    record = judged(name)
    assert record.verdicts.keys() & {"fail", "error"}
    (failure,) = record.failures
    assert Case.parse(failure.case).config.hidden_size == 4, "the case was shrunk"


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_implementation_passes(name: str) -> None:
    record = judged(name)
    assert record.verdicts.keys() == {"pass"}
    assert 0 <= record.seconds < 100


@pytest.mark.parametrize(
    ("name", "status"),
    [
        elsewhere("Skips", 1),
        ("EndsPytest", 1),
        elsewhere("RaisesHalfASurrogate", 1),
        ("HalfASurrogate", 0),
    ],
)
def test_the_command_judges_them_too(name: str, status: int, tmp_path: Path) -> None:
    ended, results = check(f"{HOSTILE}:{name}", *SMOKE, cwd=tmp_path)
    assert ended.status == status, ended.out + ended.err
    assert results["gate_passed"] is (status == 0)
    assert results["stopped"] is None, "the run goes on"


def shell(script: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """A script in which ``$CHECK`` judges the reference."""
    words = " ".join(command("check", "reference", *SMOKE, "-n", "0"))
    return subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env={**environment(), "CHECK": words},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("script", "status"),
    [
        elsewhere("mkdir gone; cd gone; rmdir ../gone; $CHECK", 2),
        ("$CHECK > /dev/full", 3),
        elsewhere("$CHECK | true; exit ${PIPESTATUS[0]}", 3),
        elsewhere("$CHECK 2>&- >&-", 0),
        elsewhere("PYTHONIOENCODING=ascii $CHECK", 0),
        elsewhere("$CHECK --json /dev/full", 3),
        ("PYTEST_PLUGINS=no_such_plugin PYTEST_ADDOPTS=--no-such-option $CHECK", 0),
        ("touch numpy.py random.py hypothesis.py; $CHECK", 0),
    ],
)
def test_odd_surroundings(script: str, status: int, tmp_path: Path) -> None:
    """With ``python -m``, which searches the working folder first. The table uses the command."""
    if "/dev/full" in script and not Path("/dev/full").exists():
        pytest.skip("only Linux has /dev/full")
    done = shell(script, tmp_path)
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.whole
def test_links_are_followed_and_pipes_are_written_to(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "link.json").symlink_to("results/real.json")
    os.mkfifo(tmp_path / "pipe")
    done = shell(
        "cat pipe > read & $CHECK --json link.json --markdown pipe && wait && cat link.json",
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "link.json").is_symlink()
    assert (
        json.loads((tmp_path / "results" / "real.json").read_text("utf-8"))["gate_passed"] is True
    )
    assert (tmp_path / "pipe").is_fifo()
    assert (tmp_path / "read").read_text("utf-8").startswith("# Conformance of reference")


def test_a_test_of_the_user_is_not_one_of_the_suite(tmp_path: Path) -> None:
    """It has the file name and the name of the test of STATE-1."""
    (tmp_path / "test_states.py").write_text(
        "def test_default_states():\n    assert False\n", "utf-8"
    )
    script = (
        "python -m pytest test_states.py --pyargs lstm_conformance.tests -p no:cacheprovider -q "
        "-c /dev/null --lstm-implementation reference --lstm-clause STATE-1 --lstm-json r.json"
    )
    done = shell(f'PATH="$(dirname ${{CHECK%% *}}):$PATH"; {script}', tmp_path)
    results: dict[str, Any] = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert [clause["verdict"] for clause in results["clauses"]] == ["pass"], done.stdout
    assert results["gate_passed"] is True
