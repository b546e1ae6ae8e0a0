"""Bad input and hostile implementations: one table, with the right outcome of each."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lstm_conformance.adapters.target import load
from lstm_conformance.runner.failures.explanation import describe_failure
from lstm_conformance.runner.failures.failure import Failure
from lstm_conformance.runner.judging.comparison import Finding
from lstm_conformance.runner.searching.record import Record
from lstm_conformance.runner.session.options import Options
from lstm_conformance.runner.session.suite import checkers_of
from lstm_conformance.spec.case import Case

from .helpers.command_line import check, command, environment, run
from .helpers.sessions import CASE, run_of

SMOKE = ("--profile", "smoke", "--clause", "EQ-4")

IMPLEMENTATIONS = '''
import numpy as np
import pytest
from dataclasses import replace
from lstm_conformance.adapters.reference import ReferenceLSTM
from lstm_conformance.spec.contract import ObservedTensor


class Wrong(ReferenceLSTM):
    """Wrong from hidden size 2 on."""

    def run(self, case):
        seen = super().run(case)
        if case.config.hidden_size < 2:
            return seen
        return self.spoil(case, seen)

    def spoil(self, case, seen):
        raise NotImplementedError


def with_output(seen, change):
    output = seen.tensors["output"]
    changed = ObservedTensor(change(output.values), output.dtype, output.device)
    return replace(seen, tensors={**seen.tensors, "output": changed})


class Skips(Wrong):
    def spoil(self, case, seen):
        pytest.skip("not today")


class ImportsOrSkips(Wrong):
    def spoil(self, case, seen):
        pytest.importorskip("no_such_module")


class IsExpectedToFail(Wrong):
    def spoil(self, case, seen):
        pytest.xfail("known")


class EndsPytest(Wrong):
    def spoil(self, case, seen):
        pytest.exit("enough", returncode=0)


class Exits(Wrong):
    def spoil(self, case, seen):
        raise SystemExit(0)


class Interrupts(Wrong):
    def spoil(self, case, seen):
        raise KeyboardInterrupt


class RaisesItsOwn(Wrong):
    def spoil(self, case, seen):
        raise type("Own", (BaseException,), {})()


class IsComplex(Wrong):
    def spoil(self, case, seen):
        return with_output(seen, lambda x: x + 1e-3j)


class Agreeable(np.ndarray):
    """Arrays that are equal to anything, and have no error."""

    def __array_function__(self, function, types, args, kwargs):
        return np.zeros(np.shape(args[0]))

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        return np.ones(np.shape(inputs[0]), bool)


class ReturnsItsOwnArrays(Wrong):
    def spoil(self, case, seen):
        return with_output(seen, lambda x: (x + 1).view(Agreeable))


class Right(ReferenceLSTM):
    """Right, but for what it says besides."""


class HalfASurrogate(Right):
    name, version = "half \\udc80", "\\ud800"


class EscapeSequences(Right):
    name, version = "lstm \\x1b[2J", "1 \\x9b2J \\u202e"


class RaisesHalfASurrogate(Wrong):
    def spoil(self, case, seen):
        raise ValueError("\\udc80")


class NoSeconds(Right):
    def run(self, case):
        return replace(super().run(case), seconds=float("nan"))


class EndlessSeconds(Right):
    def run(self, case):
        return replace(super().run(case), seconds=1e308)


class SecondsOfNumPy(Right):
    def run(self, case):
        return replace(super().run(case), seconds=np.float32(0.1))


class SecondsInWords(Right):
    def run(self, case):
        return replace(super().run(case), seconds="soon")


class ListOfCapabilities(Right):
    capabilities = ["float64"]


class TextOfCapabilities(Right):
    capabilities = "float64"


class UnknownCapability(Right):
    capabilities = frozenset({"float64", "telepathy"})
'''

WRONG = [
    "Skips", "ImportsOrSkips", "IsExpectedToFail", "EndsPytest", "Exits", "Interrupts",
    "RaisesItsOwn", "IsComplex", "ReturnsItsOwnArrays", "RaisesHalfASurrogate",
]  # fmt: skip
RIGHT = [
    "HalfASurrogate",
    "EscapeSequences",
    "NoSeconds",
    "EndlessSeconds",
    "SecondsOfNumPy",
    "SecondsInWords",
]
REFUSED = {
    "ListOfCapabilities": "capabilities must be a set of names, not a list",
    "TextOfCapabilities": "capabilities must be a set of names, not a str",
    "UnknownCapability": "declares an unknown capability 'telepathy'",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "hostile.py").write_text(IMPLEMENTATIONS, "utf-8")
    return tmp_path


def judged(name: str, folder: Path) -> Record:
    """What the tests of EQ-4 find out about one of the implementations, in this process."""
    implementation = load(f"{folder}/hostile.py:{name}")
    (checker,) = checkers_of(implementation, "EQ-4")
    record = Record.from_json(json.loads(json.dumps(checker.records["EQ-4"].to_json())))
    json.dumps(record.to_json(), allow_nan=False, ensure_ascii=False).encode("utf-8")
    return record


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_implementation_fails(name: str, folder: Path) -> None:
    record = judged(name, folder)
    assert record.verdicts.keys() & {"fail", "error"}
    (failure,) = record.failures
    assert Case.parse(failure.case).config.hidden_size == 2, "the case was shrunk"


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_implementation_passes(name: str, folder: Path) -> None:
    record = judged(name, folder)
    assert record.verdicts == {"pass": 10}
    assert 0 <= record.seconds < 100


@pytest.mark.parametrize(
    ("name", "status"),
    [("Skips", 1), ("EndsPytest", 1), ("RaisesHalfASurrogate", 1), ("HalfASurrogate", 0)],
)
def test_the_command_judges_them_too(name: str, status: int, folder: Path) -> None:
    ended, results = check(f"hostile.py:{name}", *SMOKE, cwd=folder)
    assert ended.status == status, ended.out + ended.err
    assert results["conformant"] is (status == 0)
    assert results["stopped"] is None, "the run goes on"


@pytest.mark.parametrize("name", REFUSED)
def test_a_declaration_that_makes_no_sense_is_refused(name: str, folder: Path) -> None:
    ended = run("check", f"hostile.py:{name}", *SMOKE, "-n", "0", cwd=folder)
    refused(ended.status, ended.out, ended.err, REFUSED[name])


def test_names_with_escape_sequences_reach_no_terminal(folder: Path) -> None:
    implementation = load(f"{folder}/hostile.py:EscapeSequences")
    asked = run_of(Options(target="x", profile="smoke"), implementation, planned=False)
    described = asked.results(None)["implementation"]
    assert described["name"] == r"lstm \x1b[2J"
    assert described["version"] == r"1 \x9b2J \u202e"


def test_failures_with_escape_sequences_reach_no_terminal() -> None:
    finding = Finding("output\x1b[2J", "fail", message="\x1b]0;title\x07")
    failure = Failure("fail", CASE, CASE, finding, exception="\x1b[2J", traceback="a\n\x1b[2J")
    text = describe_failure("EQ-4", failure.to_json(), "x\x1b[2J.py:LSTM")
    assert all(c.isprintable() or c == "\n" for c in text)


def refused(status: int, out: str, err: str, says: str) -> None:
    """One sentence, and exit status 2."""
    assert (status, out) == (2, ""), err
    assert says in err
    assert err.startswith("lstm-conformance: ")
    assert err.count("\n") == 1, err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("",), "TARGET is empty: is a variable not set?"),
        ((" ",), "TARGET is empty"),
        (("@options",), "'@options' is not a target"),
        (("--", "-x"), "'-x' is not a target"),
        (("--exec", ""), "--exec '' is not a command: it is empty"),
        (("--exec", "'"), "is not a command: No closing quotation"),
        (("broken.py:LSTM",), "broken.py, line 3)."),
        (("unparsable.py:LSTM",), "unparsable.py, line 1)."),
        (("reference", "--json", "keep/" + 300 * "x"), "cannot be written: File name too long"),
        (("hostile.py:Right", "--json", "hostile.py"), "which is the file of the target"),
        (
            ("reference", "--known-deviations", "known.toml", "--json", "./known.toml"),
            "which is the file of known deviations",
        ),
        (("reference", "--json", "x", "--markdown", "x"), "--json and --markdown both name x"),
    ],
)
def test_bad_input_is_refused(arguments: tuple[str, ...], says: str, folder: Path) -> None:
    (folder / "keep").mkdir()
    (folder / "known.toml").write_text("", "utf-8")
    (folder / "broken.py").write_text("import os\n\nraise ValueError('no')\n", "utf-8")
    (folder / "unparsable.py").write_text("def\n", "utf-8")
    before = sorted(folder.rglob("*"))
    ended = run("check", "-n", "0", *arguments, cwd=folder)
    refused(ended.status, ended.out, ended.err, says)
    after = [path for path in sorted(folder.rglob("*")) if "__pycache__" not in path.parts]
    assert after == before
    assert (folder / "hostile.py").read_text("utf-8") == IMPLEMENTATIONS


@pytest.mark.parametrize(
    ("option", "value"),
    [("--time-limit", "1e300"), ("--memory-limit", "inf"), ("-n", 20 * "9"), ("-n", "100000")],
)
def test_numbers_beyond_reason_are_refused(option: str, value: str, folder: Path) -> None:
    ended = run("check", "reference", option, value, cwd=folder)
    assert ended.status == 2
    assert "Traceback" not in ended.err
    assert repr(value) in ended.err


def shell(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A script in which ``$CHECK`` judges the reference."""
    words = " ".join(command("check", "reference", *SMOKE, "-n", "0"))
    return subprocess.run(
        ["bash", "-c", script], cwd=folder, env={**environment(), "CHECK": words},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ("$CHECK > /dev/full", 3),
        ("$CHECK | true; exit ${PIPESTATUS[0]}", 3),
        ("$CHECK 2>&-", 0),
        ("$CHECK >&-", 0),
        ("PYTHONIOENCODING=ascii $CHECK", 0),
        ("mkdir gone; cd gone; rmdir ../gone; $CHECK", 2),
        ("$CHECK --json /dev/full", 3),
        ("PYTEST_PLUGINS=no_such_plugin PYTEST_ADDOPTS=--no-such-option $CHECK", 0),
        ("touch numpy.py random.py hypothesis.py; $CHECK", 0),
    ],
)
def test_odd_surroundings(script: str, status: int, folder: Path) -> None:
    done = shell(script, folder)
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_links_are_followed_and_pipes_are_written_to(folder: Path) -> None:
    (folder / "results").mkdir()
    (folder / "link.json").symlink_to("results/real.json")
    os.mkfifo(folder / "pipe")
    done = shell(
        "cat pipe > read & $CHECK --json link.json --markdown pipe && wait && cat link.json", folder
    )
    assert done.returncode == 0, done.stderr
    assert (folder / "link.json").is_symlink()
    assert json.loads((folder / "results" / "real.json").read_text("utf-8"))["conformant"] is True
    assert (folder / "pipe").is_fifo()
    assert (folder / "read").read_text("utf-8").startswith("# Conformance of reference")


def test_a_test_of_the_user_is_not_one_of_the_suite(folder: Path) -> None:
    """It has the file name and the name of the test of STATE-1."""
    (folder / "test_states.py").write_text(
        "def test_default_states():\n    assert False\n", "utf-8"
    )
    script = (
        "python -m pytest test_states.py --pyargs lstm_conformance.tests -p no:cacheprovider -q "
        "-c /dev/null --lstm-implementation reference --lstm-clause STATE-1 --lstm-json r.json"
    )
    done = shell(f'PATH="$(dirname ${{CHECK%% *}}):$PATH"; {script}', folder)
    results: dict[str, Any] = json.loads((folder / "r.json").read_text("utf-8"))
    assert [clause["verdict"] for clause in results["clauses"]] == ["pass"], done.stdout
    assert results["conformant"] is True
