"""The short examples of "From Python": each is right, and a mistake planted in it is found."""

from __future__ import annotations

import importlib.util
import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from .helpers.command_line import Ended, environment
from .helpers.command_line import run as run_command

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples" / "python"
PAGE = (ROOT / "docs" / "python.md").read_text("utf-8")
LONGEST = 30


class Example(NamedTuple):
    """An example, and a mistake to be planted.

    Attributes:
        needs: the framework.
        right: a part of its text.
        wrong: what replaces that part.
        clause: id of a clause that the mistake breaks.
    """

    needs: str
    right: str
    wrong: str
    clause: str


SCRIPTS = {
    "judge_class.py": Example("torch", "h = o.sigmoid() * c.tanh()", "h = o.sigmoid() * c", "EQ-"),
    "judge_factory.py": Example(
        "torch", "steps_first=not batch_first", "steps_first=True", "SHAPE-1"
    ),
    "judge_function.py": Example("numpy", "i, f, g, o = np", "f, i, g, o = np", "EQ-1"),
    "judge_instance.py": Example("torch", "limit = 100.0", "limit = 1.0", "EQ-"),
    "judge_jax_function.py": Example("jax", "i, f, g, o = jnp", "f, i, g, o = jnp", "STATE-2"),
    "judge_cell.py": Example("numpy", "np.tanh(c), c\n", "np.tanh(c), h\n", "EQ-"),
}
PROGRAM = Example("safetensors", "i, f, g, o = np", "f, i, g, o = np", "EQ-5")
NOTEBOOK = Example("nbclient", "c = f * c + i * np.tanh(g)", "c = f * c + i * g", "EQ-2")
SUITE = Example("torch", "* self.factor / self.factor", "* self.factor", "EQ-4")


def run(folder: Path, *command: str) -> Ended:
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment(), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    return Ended(done.returncode, done.stdout, done.stderr)


def planted(folder: Path, file: str, example: Example) -> None:
    text = (folder / file).read_text("utf-8")
    assert text.count(example.right) == 1
    (folder / file).write_text(text.replace(example.right, example.wrong), "utf-8")


@pytest.mark.slow
@pytest.mark.whole
@pytest.mark.parametrize("file", SCRIPTS)
def test_a_script_is_right_and_a_planted_mistake_is_found(file: str, tmp_path: Path) -> None:
    example = SCRIPTS[file]
    if importlib.util.find_spec(example.needs) is None:
        pytest.skip(f"{example.needs} is not installed")
    shutil.copy(EXAMPLES / file, tmp_path)
    ended = run(tmp_path, file)
    assert ended == (0, "", "")
    planted(tmp_path, file, example)
    ended = run(tmp_path, file)
    assert ended.status == 1
    assert "DEVIATES: " in ended.err.splitlines()[-1]
    assert f"Broken: {example.clause}" in ended.err or f"; {example.clause}" in ended.err


@pytest.mark.whole
def test_a_suite_of_ones_own_in_worker_processes(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    folder = shutil.copytree(EXAMPLES / "own_suite", tmp_path / "own_suite")
    options = ("-m", "pytest", "-q", "-n", "1", "-p", "no:cacheprovider")
    ended = run(folder, *options)
    assert ended.status == 0, ended.out + ended.err
    assert "6 passed, 1 skipped" in ended.out
    planted(folder, "test_my_lstm.py", SUITE)
    ended = run(folder, *options, "-k", SUITE.clause)
    assert ended.status == 1
    assert "1 failed" in ended.out
    assert "EQ-4 Recurrence" in ended.out


@pytest.mark.slow
def test_a_program_by_the_protocol(tmp_path: Path) -> None:
    pytest.importorskip(PROGRAM.needs)
    shutil.copy(EXAMPLES / "program.py", tmp_path)
    options = ("--profile", "smoke", "--no-diagnosis", "-n", "0", "--clause", PROGRAM.clause)
    command = shlex.join([sys.executable, "program.py"])
    ended = run_command("check", "--exec", command, *options, cwd=tmp_path)
    assert ended.status == 0, ended.out + ended.err
    planted(tmp_path, "program.py", PROGRAM)
    ended = run_command("check", "--exec", command, *options, cwd=tmp_path)
    assert ended.status == 1, ended.out + ended.err
    assert f"Broken: {PROGRAM.clause}" in ended.out


def outputs_of_notebook(path: Path) -> tuple[list[dict[str, str]], list[str]]:
    """What the cells of a notebook show after it is executed: results, by type, and other texts."""
    import nbclient
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", ())]
    results = [out["data"] for out in outputs if out["output_type"] == "execute_result"]
    others = [out for out in outputs if out["output_type"] != "execute_result"]
    assert {out["output_type"] for out in others} == {"display_data"}
    return results, [out["data"]["text/plain"] for out in others]


@pytest.mark.docs
@pytest.mark.filterwarnings("ignore")  # of the packages that execute it
def test_a_notebook(tmp_path: Path) -> None:
    """It shows a wrong cell, its failure, and a right cell, in which a mistake is planted then."""
    shutil.copy(EXAMPLES / "notebook.ipynb", tmp_path)
    (wrong, failure, right), (progress,) = outputs_of_notebook(tmp_path / "notebook.ipynb")
    assert progress.startswith("EQ-2 Input gate and candidate fails: c_n")
    assert "EQ-3 Output gate fails" in progress
    assert "[###" not in progress, "the bar went away"
    assert "<p>DEVIATES: cell (in memory)" in wrong["text/html"]
    assert "<table>" in wrong["text/html"]
    assert "'c_n'" in failure["text/plain"]
    assert "<p>CONFORMANT: right (in memory)" in right["text/html"]
    planted(tmp_path, "notebook.ipynb", NOTEBOOK)
    (*_, again), _ = outputs_of_notebook(tmp_path / "notebook.ipynb")
    assert "<p>DEVIATES: right (in memory)" in again["text/html"]
    assert NOTEBOOK.clause in again["text/html"]


def test_the_notebook_is_short_and_has_no_outputs() -> None:
    """Outputs would be of another version some day."""
    notebook = json.loads((EXAMPLES / "notebook.ipynb").read_text("utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert sum(len(cell["source"]) for cell in cells) <= LONGEST
    assert not any(cell["outputs"] for cell in cells)
    assert "examples/python/notebook.ipynb" in PAGE


def test_examples_are_short_and_on_the_page() -> None:
    files = [EXAMPLES / file for file in (*SCRIPTS, "program.py")]
    for path in (*files, EXAMPLES / "own_suite" / "test_my_lstm.py"):
        assert len(path.read_text("utf-8").splitlines()) <= LONGEST
        assert path.relative_to(ROOT).as_posix() in PAGE
    assert {path.name for path in EXAMPLES.glob("judge_*.py")} == {*SCRIPTS}
