"""``--python``: adapters and own files in another interpreter, which is looked at first."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("safetensors")

from lstm_conformance.runner.processes.child_process import Limits
from lstm_conformance.runner.processes.other_interpreter import (
    require_interpreter,
    serving_command,
)
from lstm_conformance.runner.processes.program import Program
from lstm_conformance.spec.case import Case
from lstm_conformance.spec.config import LSTMConfig
from lstm_conformance.spec.usage_error import UsageError

from .helpers.command_line import check, run
from .helpers.selection import elsewhere

RIGHT = {"python": "3.12.1", "numpy": "2.0.0", "safetensors": "0.4.5"}

OWN = """
from lstm_conformance.adapters.reference import ReferenceLSTM
from beside import FACTOR

class Own(ReferenceLSTM):
    name = "own"
    def run(self, case):
        observation = super().run(case)
        observation.tensors["c_n"].values[...] *= FACTOR
        return observation
"""

Fake = Callable[[str], str]


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    """Makes a program that prints a text, whatever it is asked."""

    def make(text: str) -> str:
        program = tmp_path / "python3"
        program.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\n", "utf-8")
        program.chmod(0o755)
        return str(program)

    return make


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"python": "3.8.18"}, "is Python 3.8.18, and Python >=3.10 is needed."),
        ({"python": "2.7.18", "numpy": ""}, "is Python 2.7.18, and Python >=3.10 is needed."),
        ({"numpy": ""}, "cannot import numpy: PYTHON -m pip install 'numpy>=1.26'."),
        (
            {"numpy": "1.21.6"},
            "has numpy 1.21.6, and numpy>=1.26 is needed: PYTHON -m pip install 'numpy>=1.26'.",
        ),
        (
            {"safetensors": ""},
            "cannot import safetensors: PYTHON -m pip install 'safetensors>=0.4'.",
        ),
    ],
)
def test_an_interpreter_that_lacks_something_is_refused(
    changes: dict[str, str], says: str, fake: Fake
) -> None:
    python = fake(json.dumps({**RIGHT, **changes}))
    with pytest.raises(UsageError) as raised:
        require_interpreter(python)
    assert str(raised.value) == f"--python {python} {says.replace('PYTHON', python)}"


def test_interpreters_that_have_everything_are_accepted(fake: Fake) -> None:
    require_interpreter(sys.executable)
    require_interpreter(fake(json.dumps(RIGHT)))
    require_interpreter(fake(json.dumps({**RIGHT, "python": "3.14.0", "numpy": "3.0.0rc1"})))


@pytest.mark.parametrize("text", ["ready", "[1]", "{}", '{"python": 3}', "", "\x1b[2J"])
def test_a_program_that_is_no_python_is_refused(text: str, fake: Fake) -> None:
    with pytest.raises(UsageError, match=r" is no Python: it said '") as raised:
        require_interpreter(fake(text))
    assert str(raised.value).isprintable()


def test_an_interpreter_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for path, why in ((tmp_path / "none", "No such file"), (tmp_path, "Permission denied")):
        with pytest.raises(UsageError, match=f"--python {path} cannot be started: {why}"):
            require_interpreter(str(path))


def test_check_says_what_is_wrong_with_the_interpreter_and_not_with_the_file(
    tmp_path: Path, fake: Fake
) -> None:
    (tmp_path / "own.py").write_text(OWN, "utf-8")
    python = fake(json.dumps({**RIGHT, "python": "3.8.18"}))
    ended = run("check", "own.py:Own", "--python", python, "-n", "0", cwd=tmp_path)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err == (
        f"lstm-conformance: --python {python} is Python 3.8.18, and Python >=3.10 is needed.\n"
    )


def test_nothing_of_this_package_need_be_installed() -> None:
    """Only the copied files are before everything else on the path of this interpreter."""
    command, environment = serving_command(sys.executable, "reference")
    copied = Path(environment["PYTHONPATH"], "lstm_conformance")
    assert copied.joinpath("adapters", "reference.py").is_file()
    assert not copied.joinpath("tests").exists()
    # These are installed here, and need not be there.
    for name in ("packaging", "hypothesis", "pytest"):
        copied.parent.joinpath(f"{name}.py").write_text("raise ImportError('not installed')")
    copied.parent.joinpath("sitecustomize.py").write_text(
        "from importlib import metadata\n"
        "def requires(name):\n"
        "    raise metadata.PackageNotFoundError(name)\n"
        "metadata.requires = requires\n"
    )
    case = Case(LSTMConfig(2, 4), cotangents=("output",))
    program = Program(command, Limits(), environment)
    assert program.run(case).tensors.keys() >= {"output", "input.grad"}


@pytest.mark.parametrize(("factor", "status"), [("1.0", 0), elsewhere("1.001", 1)])
def test_a_file_of_the_user_is_judged(factor: str, status: int, tmp_path: Path) -> None:
    """It imports what is beside it, and files of the working folder hide no module."""
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "own.py").write_text(OWN, "utf-8")
    (tmp_path / "inner" / "beside.py").write_text(f"FACTOR = {factor}\n", "utf-8")
    (tmp_path / "json.py").write_text("raise ValueError('this is not the module')\n", "utf-8")
    words = ("--python", sys.executable, "--clause", "EQ-1,EQ-2", "--profile", "smoke")
    ended, results = check("inner/own.py:Own", *words, cwd=tmp_path)
    assert ended.status == status, ended.err
    assert results["implementation"]["name"] == "own"
    assert results["implementation"]["target"] == f"inner/own.py:Own --python {sys.executable}"
    assert ("EQ-2" in ended.out) == bool(status)
