"""The command line: exit status, messages, files, seeds, interrupts. Torch is not needed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from lstm_conformance.spec.clauses import CLAUSES, TESTABLE

from .helpers.command_line import check, command, environment, run
from .helpers.judgements import the_reference_conforms, valid
from .helpers.selection import elsewhere
from .helpers.sessions import without_times


@pytest.mark.whole
def test_the_reference_conforms(tmp_path: Path) -> None:
    """In worker processes. `test_whole_judgements.py` has the default profile."""
    coverage = the_reference_conforms("smoke", tmp_path)
    left_out = sum(len(entry["combinations"]) for entry in coverage["left_out"])
    assert coverage["visited"] + left_out == coverage["total"] == 2304


@pytest.mark.slow
def test_same_seed_same_results_in_any_number_of_processes(tmp_path: Path) -> None:
    options = ("--profile", "smoke", "--clause", "EQ-5,PACK-1", "--dtype", "float64")
    options += ("--seed", "7")
    _, first = check("reference", *options, cwd=tmp_path)
    file = tmp_path / "second.json"
    run("check", "reference", "-n", "2", *options, "--json", str(file), cwd=tmp_path)
    assert without_times(json.loads(file.read_text())) == without_times(first)
    _, other = check("reference", *options[:3], "EQ-5", "--seed", "8", cwd=tmp_path)
    of_eq_5 = [next(c for c in seen["clauses"] if c["id"] == "EQ-5") for seen in (first, other)]
    assert of_eq_5[0]["worst_ratio"] != of_eq_5[1]["worst_ratio"]


@pytest.mark.whole
def test_thorough_draws_a_seed_and_prints_it(tmp_path: Path) -> None:
    options = ("--profile", "thorough", "--clause", "EQ-5", "--dtype", "float64")
    _, first = check("reference", *options, cwd=tmp_path)
    file = tmp_path / "again.json"
    seed = str(first["seed"])
    run("check", "reference", "-n", "1", *options, "--seed", seed, "--json", str(file),
        cwd=tmp_path)  # fmt: skip
    assert without_times(json.loads(file.read_text())) == without_times(first)
    _, other = check("reference", *options, cwd=tmp_path)
    assert other["seed"] != first["seed"]


BROKEN = "def (:\n"
WITHOUT_TORCH = "raise ModuleNotFoundError('no', name='torch')\n"
EXITING = "raise SystemExit('bye')\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        elsewhere(["nonsense"], "'nonsense' is not a target"),
        (["no.such.module:LSTM"], "No module named"),
        elsewhere(["json:NoSuchThing"], "has no attribute 'NoSuchThing'"),
        elsewhere(["no/such/file.py:LSTM"], "There is no file"),
        elsewhere(["no/such/file.py"], "There is no file no/such/file.py."),
        (["torhc"], "did you mean torch? Write package.module:Attribute, path/to/file.py:Attr"),
        elsewhere(["json:"], "is not a target"),
        elsewhere(["broken.py:LSTM"], "invalid syntax"),
        elsewhere(["exiting.py:LSTM"], "SystemExit"),
        (["reference", "--device", "gpu"], "--device gpu cannot be used, choose from cpu: "),
        elsewhere(["without_torch.py:LSTM"], "pip install 'lstm-conformance[torch]'"),
        elsewhere(["TORHC"], "did you mean torch? Write"),
        (["reference", "--clause", "NO-1"], "there is no clause 'NO-1'"),
        (["reference", "--dtype", "int8"], "int8"),
        (["reference", "--profile", "none"], "none"),
        (["reference", "--seed", "-1"], "-1"),
        (["reference", "-n", "x"], "'x' is no whole number"),
        (["reference", "--case", "v1 input_size=2"], "a case needs hidden_size"),
        (["reference", "--case", "v1 input_size=2 hidden_size=3 seq_len=0"], "at least 1"),
        (["reference", "--json", "no/such/folder/x.json"], "there is no folder"),
        (["reference", "--markdown", "."], "it is a folder"),
        (["reference", "--markdown", "/proc/x.md"], "/proc/x.md cannot be written: "),
    ],
)
def test_commands_that_are_refused(arguments: list[str], says: str, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(BROKEN)
    (tmp_path / "exiting.py").write_text(EXITING)
    (tmp_path / "without_torch.py").write_text(WITHOUT_TORCH)
    ended = run("check", *arguments, cwd=tmp_path)
    assert ended.status == 2
    assert says in ended.err
    assert "Traceback" not in ended.err
    assert ended.out == ""


@pytest.mark.whole
def test_a_missing_device_is_reported_not_tested(tmp_path: Path) -> None:
    options = ("--device", "cpu", "--device", "cuda", "--clause", "EQ-2", "--profile", "smoke")
    ended, results = check("reference", *options, cwd=tmp_path)
    assert ended.status == 0
    assert "Not tested on cuda" in ended.out
    assert results["missing_devices"]["cuda"]


def test_combinations_that_were_not_asked_for_are_left_out_with_a_reason(tmp_path: Path) -> None:
    options = ("--dtype", "float32", "--profile", "smoke", "--clause", "COMB-1")
    ended, results = check("reference", *options, cwd=tmp_path)
    assert ended.status == 0
    coverage = results["coverage"]["combinations"]
    assert coverage["visited"] + sum(len(x["combinations"]) for x in coverage["left_out"]) == 2304
    assert {x["reason"] for x in coverage["left_out"]} == {
        "float64 was not asked for",
        "profile smoke visits a covering array",
    }


def test_one_case(tmp_path: Path) -> None:
    line = "v1 input_size=2 hidden_size=3 seq_len=4 cotangents=h_n seed=9"
    ended, results = check("reference", "--case", line, cwd=tmp_path)
    assert ended.status == 0
    assert [(c["id"], c["cases"]) for c in results["clauses"]] == [("COMB-1", 1), ("COMB-2", 1)]


@pytest.mark.slow
@pytest.mark.whole  # `test_interrupts.py` has interrupts in every run
@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_partial_results(
    how: signal.Signals, workers: str, tmp_path: Path
) -> None:
    file = tmp_path / "results.json"
    for seconds in (5, 10, 25, 60):  # any moment will do after pytest has started
        process = subprocess.Popen(
            command("check", "reference", "-n", workers, "--profile", "thorough", "--seed", "1",
                    "--json", str(file)),
            cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )  # fmt: skip
        time.sleep(seconds)
        process.send_signal(how)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 3, out + err
        assert "Traceback" not in err
        if "not completed: interrupted" not in err:
            break
    results = json.loads(file.read_text())
    valid(results)
    assert results["stopped"] == "interrupted"
    assert results["gate_passed"] is False
    assert len(results["clauses"]) == len(TESTABLE)
    assert "not tested" in {clause["verdict"] for clause in results["clauses"]}
    assert "NOT COMPLETED" in out


@pytest.mark.whole  # -x is tried in test_terminal.py
@pytest.mark.parametrize("workers", ["0", "2"])
def test_max_failures_ends_the_run(workers: str, tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text(
        "import torch\n"
        "class Wrong(torch.nn.LSTM):\n"
        "    def forward(self, input, *states):\n"
        "        if self.hidden_size > 3:\n"
        "            raise RuntimeError('no')\n"
        "        return super().forward(input, *states)\n"
    )
    pytest.importorskip("torch")
    options = ("--profile", "smoke", "--max-failures", "1", "--no-diagnosis", "-n", workers)
    ended, results = check("wrong.py:Wrong", *options, cwd=tmp_path)
    assert ended.status == 1
    valid(results)
    assert results["stopped"] == "max-failures"
    states = {part["state"] for part in results["parts"].values()}
    assert states <= {"finished", "cut short", "not reached"}, "what --resume goes on with"
    assert "not reached" in states
    verdicts = [clause["verdict"] for clause in results["clauses"]]
    # COMB has two clauses to a test, and the other worker may be about to fail too.
    assert sum(verdict == "error" for verdict in verdicts) <= 2 * (1 + (workers == "2"))
    assert "RuntimeError: no" in ended.out


def test_a_case_without_cotangents_is_judged_forward(tmp_path: Path) -> None:
    ended, results = check("reference", "--case", "v1 input_size=2 hidden_size=3", cwd=tmp_path)
    assert ended.status == 0, ended.out
    assert [(c["id"], c["cases"]) for c in results["clauses"]] == [("COMB-1", 1)]


def test_a_case_that_shows_nothing_of_a_clause_is_no_pass(tmp_path: Path) -> None:
    """An LSTM that ignores its states would pass STATE-2."""
    arguments = ("--clause", "STATE-2", "--case", "v1 input_size=1 hidden_size=2")
    ended, results = check("reference", *arguments, cwd=tmp_path)
    assert ended.status == 3
    assert [clause["verdict"] for clause in results["clauses"]] == ["not tested"]
    assert "the case has states False, and the clause is about True" in ended.out


def test_clauses_are_listed(tmp_path: Path) -> None:
    ended = run("clauses", cwd=tmp_path)
    assert ended.status == 0
    assert all(clause in ended.out for clause in CLAUSES)


@pytest.mark.whole
def test_a_users_pytest_settings_do_not_matter(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    (tmp_path / "conftest.py").write_text("raise RuntimeError('not for you')\n")
    ended, _ = check("reference", "--profile", "smoke", "--clause", "EQ-2", cwd=tmp_path)
    assert ended.status == 0


def test_the_plugin_imports_nothing_heavy(tmp_path: Path) -> None:
    program = (
        "import sys, lstm_conformance.runner.plugin\n"
        "heavy = {'numpy', 'hypothesis', 'torch', 'tabulate'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=False)
    assert done.returncode == 0


def test_the_plugin_leaves_interrupts_of_other_runs_alone(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(
        "import signal\n\n\n"
        "def test_mine():\n"
        "    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "test_mine.py", "-c", "/dev/null", "-n", "1",
         "-p", "lstm_conformance.runner.plugin", "-p", "no:cacheprovider"],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False,
        # Jobs in the background of a shell ignore it.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_through_pytest_alone(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--pyargs", "lstm_conformance.tests", "-c", "/dev/null",
         "--lstm-implementation", "reference", "--lstm-profile", "smoke", "--lstm-clause", "EQ-2",
         "--junit-xml", "junit.xml", "-p", "no:cacheprovider"],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    assert 'tests="1"' in (tmp_path / "junit.xml").read_text()
