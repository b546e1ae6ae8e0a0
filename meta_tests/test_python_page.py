"""The code of the page "From Python" does what the page says."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import lstm_conformance

from .helpers.command_line import environment

PAGE = (Path(__file__).parents[1] / "docs" / "python.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.whole
def test_sessions_give_what_the_page_shows() -> None:
    """All of them together, in one session."""
    example = doctest.DocTestParser().get_doctest(
        "\n".join(blocks("pycon")), {}, "docs/python.md", None, 0
    )
    assert len(example.examples) > 20
    output: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    runner.run(example, out=output.append)
    assert not runner.failures, "".join(output)


def test_a_wrong_result_on_the_page_would_be_noticed() -> None:
    example = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "page", None, 0)
    runner = doctest.DocTestRunner()
    runner.run(example, out=lambda text: None)
    assert runner.failures


@pytest.mark.whole
def test_other_code_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """By one clause, and not compiled: test_instance has what torch.compile returns."""
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch, "compile", lambda module: module)
    bars: list[Bar] = []
    judged: list[object] = []

    class Bar:
        """A bar of tqdm."""

        def __init__(self) -> None:
            self.seen: list[dict[str, int]] = []
            bars.append(self)

        def set_postfix(self, **numbers: int) -> None:
            self.seen.append(numbers)

    class FastLSTM(torch.nn.LSTM):  # type: ignore[misc, name-defined]
        """As correct as its base class."""

    def check(given: object, **options: Any) -> object:
        judged.append(given)
        return lstm_conformance.check(given, **{**options, "profile": "smoke", "clauses": "COMB-1"})

    monkeypatch.setitem(sys.modules, "tqdm", SimpleNamespace(tqdm=Bar))  # type: ignore[arg-type]
    given = {"FastLSTM": FastLSTM, "check": check}
    for block in blocks("python"):
        if "# test_my_lstm.py" not in block and ("jax" not in block or find_spec("jax")):
            exec(block, given)
    assert len(judged) == 3
    (bar,) = bars
    assert bar.seen[-1]["failed"] == 0 < bar.seen[-1]["cases"]
    assert given["results"].conformant  # type: ignore[attr-defined]


@pytest.mark.whole
def test_the_tests_of_ones_own_suite(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    (block,) = [block for block in blocks("python") if "# test_my_lstm.py" in block]
    (tmp_path / "test_my_lstm.py").write_text(block)
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-k", "EQ-1 or USE"], cwd=tmp_path,
        env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed, 8 deselected, 1 xfailed" in done.stdout


def test_the_page_names_every_public_function() -> None:
    functions = [name for name in lstm_conformance.__all__ if name.islower()]
    assert len(functions) == 6
    for name in functions:
        assert f"`{name}" in PAGE or f"{name}(" in PAGE, name
