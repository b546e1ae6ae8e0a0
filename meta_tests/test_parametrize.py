"""``parametrize`` in a user's own tests: ordinary items, with their reasons and their errors."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lstm_conformance import UsageError, check, parametrize

from .helpers.command_line import Ended, environment
from .helpers.selection import elsewhere

INI = """\
[pytest]
addopts = --strict-markers --strict-config
filterwarnings = error
xfail_strict = true
"""

MINE = """\
import numpy as np
from lstm_conformance import parametrize


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(case, arguments):
    x = arguments["input"]
    w_ih, w_hh = arguments["weight_ih_l0"], arguments["weight_hh_l0"]
    b = arguments["bias_ih_l0"] + arguments["bias_hh_l0"]
    h = np.zeros((x.shape[1], case.config.hidden_size), x.dtype)
    c, outputs = h, []
    for x_t in x:
        i, f, g, o = np.split(x_t @ w_ih.T + h @ w_hh.T + b, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs), h[None], c[None]


def wrong(case, arguments):
    output, h_n, c_n = lstm(case, arguments)
    return output * 1.001, h_n, c_n


PLAIN = {"dtypes": ["float64"], "diagnosis": False}


"""


def in_pytest(folder: Path, tests: str, *options: str) -> Ended:
    """A user's pytest, in a folder of their own."""
    (folder / "pytest.ini").write_text(INI)
    (folder / "test_mine.py").write_text(MINE + tests)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rsxX", *options],
        cwd=folder, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    return Ended(done.returncode, done.stdout, done.stderr)


RIGHT = """\
@parametrize(lstm, clauses=["EQ"], **PLAIN)
def test_lstm(clause):
    clause.check()
"""

WRONG = RIGHT.replace("parametrize(lstm,", "parametrize(wrong,")


def test_one_item_a_clause(tmp_path: Path) -> None:
    ended = in_pytest(tmp_path, RIGHT, "-v")
    assert ended.status == 0, ended.out + ended.err
    assert "4 passed, 5 skipped" in ended.out
    assert re.search(r"test_lstm\[EQ-1\] PASSED", ended.out)
    assert "unsupported: no states" in ended.out


def test_a_wrong_one_fails_with_the_text_of_the_failure(tmp_path: Path) -> None:
    ended = in_pytest(tmp_path, WRONG, "-k", "EQ-1 or EQ-4 or EQ-5")
    assert ended.status == 1, ended.out + ended.err
    assert "2 failed, 1 skipped, 6 deselected" in ended.out
    assert "inconclusive: wrong, but not in the way that this clause is about" in ended.out
    assert "EQ-4 Recurrence" in ended.out
    assert 'check_case(wrong, "v1 ' in ended.out
    assert "python_interface/parametrize.py" not in ended.out, "only what the user needs"
    again = in_pytest(tmp_path, WRONG, "--lf")
    assert "2 failed" in again.out


@pytest.mark.whole
def test_items_are_ordinary(tmp_path: Path) -> None:
    pytest.importorskip("xdist")
    ended = in_pytest(tmp_path, RIGHT, "-n", "1", "--junit-xml=junit.xml", "-k", "EQ-1 or EQ-6")
    assert ended.status == 0, ended.out + ended.err
    assert "1 passed, 1 skipped" in ended.out
    junit = (tmp_path / "junit.xml").read_text()
    assert 'name="test_lstm[EQ-1]"' in junit
    assert "unsupported: no states" in junit


def test_known_deviations_are_expected_failures(tmp_path: Path) -> None:
    known = 'known_deviations={"EQ-4": "outputs are scaled"}'
    tests = WRONG.replace("**PLAIN", f"{known}, **PLAIN")
    ended = in_pytest(tmp_path, tests, "-k", "EQ-4")
    assert ended.status == 0, ended.out + ended.err
    assert "1 xfailed" in ended.out
    assert "outputs are scaled" in ended.out
    gone = in_pytest(tmp_path, tests.replace("(wrong,", "(lstm,"), "-k", "EQ-4")
    assert gone.status == 1, gone.out
    assert "listed as a known deviation, but no longer broken" in gone.out


def test_a_deviation_of_several_clauses_needs_one_that_is_broken(tmp_path: Path) -> None:
    known = 'known_deviations=[{"clause": ["SHAPE-1", "EQ-4"], "reason": "scaled"}]'
    tests = WRONG.replace("**PLAIN", f"{known}, **PLAIN").replace('["EQ"]', '["SHAPE-1", "EQ-4"]')
    ended = in_pytest(tmp_path, tests)
    assert ended.status == 0, ended.out
    assert "1 passed, 1 xfailed" in ended.out


@pytest.mark.whole
def test_what_is_only_recommended_is_an_expected_failure(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    tests = (
        "import torch, warnings\n\n\n"
        "class Silent(torch.nn.LSTM):\n"
        "    def __init__(self, *arguments, **more):\n"
        "        with warnings.catch_warnings():\n"
        "            warnings.simplefilter('ignore')\n"
        "            super().__init__(*arguments, **more)\n\n\n"
        '@parametrize(Silent, clauses=["USE-18"], **PLAIN)\n'
        "def test_silent(clause):\n"
        "    clause.check()\n\n\n"
        '@parametrize(Silent, clauses=["USE-18"], strict=True, **PLAIN)\n'
        "def test_silent_strictly(clause):\n"
        "    clause.check()\n"
    )
    ended = in_pytest(tmp_path, tests)
    assert ended.status == 1, ended.out
    assert "1 failed, 1 xfailed" in ended.out
    assert "test_silent[USE-18] - recommended, but not done: USE-18" in ended.out
    assert "_ test_silent_strictly[USE-18] _" in ended.out


def test_an_item_that_judges_nothing_fails(tmp_path: Path) -> None:
    ended = in_pytest(tmp_path, RIGHT.replace("clause.check()", "pass"), "-k", "EQ-1")
    assert ended.status == 1, ended.out
    assert "the test has to call clause.check()" in ended.out


def test_an_object_that_cannot_be_judged_is_an_error_of_each_item(tmp_path: Path) -> None:
    tests = RIGHT.replace("(lstm,", "(lambda case, arguments: 1 / 0,")
    ended = in_pytest(tmp_path, tests, "-k", "EQ-1 or EQ-2")
    assert "2 failed" in ended.out
    assert "even the plainest case" in ended.out
    assert "ZeroDivisionError" in ended.out


def test_wrong_arguments_are_told_at_collection(tmp_path: Path) -> None:
    ended = in_pytest(tmp_path, RIGHT.replace('["EQ"]', '["EQQ"]'))
    assert ended.status == 2
    assert "did you mean EQ" in ended.out
    with pytest.raises(UsageError, match="there is no clause"):
        parametrize("reference", clauses="nonsense")
    with pytest.raises(UsageError, match="needs seed="):
        parametrize("reference", profile="thorough")


def test_the_decorator_judges_nothing(tmp_path: Path) -> None:
    tests = RIGHT.replace("lstm,", "lambda case, arguments: 1 / 0,")
    ended = in_pytest(tmp_path, tests, "--collect-only", "-q")
    assert ended.status == 0
    assert "9 tests collected" in ended.out


@pytest.mark.parametrize(
    "tests",
    [
        elsewhere("from lstm_conformance.tests.test_equations import *\n"),
        elsewhere("def test_own(lstm_check):\n    pass\n"),
        "import pytest\n\n\n@pytest.mark.lstm_clause('EQ-1')\ndef test_own():\n    pass\n",
    ],
)
def test_tests_of_ones_own_with_the_fixture_are_errors(tests: str, tmp_path: Path) -> None:
    ended = in_pytest(tmp_path, tests)
    assert ended.status == 1, ended.out
    assert "error" in ended.out.splitlines()[-1]
    assert "deselected" not in ended.out
    assert "decorate a function with @lstm_conformance.parametrize(YourLSTM)" in ended.out


# What makes sense for a whole run alone, in one or several processes.
OF_A_RUN = {"max_time", "max_failures", "progress", "workers", "isolate"}


def test_the_keywords_are_those_of_check() -> None:
    """Both list them, so that ``help`` and editors show them."""
    ours, theirs = (inspect.signature(function).parameters for function in (parametrize, check))
    assert {*theirs} - {*ours} == OF_A_RUN
    assert {*ours} <= {*theirs}
    for name, parameter in ours.items():
        assert parameter.annotation == theirs[name].annotation, name
        expected = "smoke" if name == "profile" else theirs[name].default
        assert parameter.default == expected, name


def test_every_keyword_reaches_the_run() -> None:
    """A keyword that is listed and dropped would judge something else than was asked."""
    values = {
        "profile": "default", "clauses": "EQ-1", "strict": True, "without": "packed",
        "require": "states", "sizes": "hidden_size=9", "seed": 7, "dtypes": "float32",
        "devices": "cpu", "working_precision": "tf32", "diagnosis": False,
        "known_deviations": {"EQ-1": "known"}, "capabilities": {"states"},
        "differentiate": lambda *given: None, "only": "numbers",
    }  # fmt: skip
    assert {*values} == {*inspect.signature(parametrize).parameters} - {"obj"}

    def lstm(case: object, arguments: object) -> None:
        """Is not called."""

    def run_of(**keywords: object) -> object:
        return parametrize(lstm, **keywords).args[1][0]._run  # type: ignore[arg-type]

    for name, value in values.items():
        run, plain = run_of(**{name: value}), run_of()
        parts = [
            (vars(one.options), one._deviations, one.given.make().capabilities, one.given)  # type: ignore[attr-defined]
            for one in (run, plain)
        ]
        if name == "differentiate":
            assert "gradients" in parts[0][2]
        assert parts[0][:3] != parts[1][:3], name
