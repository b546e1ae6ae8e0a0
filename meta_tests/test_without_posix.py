"""Where signals and processes of POSIX are missing, as on Windows, nothing is judged.

The files of the job ``windows`` in ``.github/workflows/tests.yml`` are those that need neither.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from .helpers.command_line import environment
from .helpers.selection import elsewhere

ROOT = Path(__file__).parents[1]

# Names that Python does not have on Windows.
WINDOWS = """\
import os, signal, sys
for module, names in (
    (os, "fork killpg setsid register_at_fork O_NONBLOCK O_NOFOLLOW O_CLOEXEC"),
    (signal, "SIGKILL SIGHUP SIGALRM SIGUSR1 SIGUSR2 SIGPIPE pause setitimer"),
):
    for name in names.split():
        delattr(module, name)
sys.modules.update(dict.fromkeys(["fcntl", "grp", "pwd", "resource", "termios"]))
"""
SENTENCE = (
    "judging an implementation needs signals and processes of Linux or macOS. On Windows, use WSL."
)


def without_posix(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs ``code`` in a process without the names of ``WINDOWS``."""
    return subprocess.run(
        [sys.executable, "-c", WINDOWS + code],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def command(*arguments: str) -> str:
    """Code that runs a command as ``lstm-conformance`` does."""
    return (
        f"sys.argv[1:] = {arguments!r}\n"
        "from lstm_conformance.__main__ import main\nsys.exit(main())\n"
    )


@pytest.mark.parametrize("arguments", [("check", "reference"), ("defects",), ("merge", "x.json")])
def test_what_judges_is_refused_in_one_sentence(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = without_posix(command(*arguments), tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == f"lstm-conformance: {SENTENCE}\n"


@pytest.mark.parametrize("name", ["check", "parametrize"])
def test_python_says_the_same(name: str, tmp_path: Path) -> None:
    done = without_posix(f"import lstm_conformance\nlstm_conformance.{name}\n", tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(f"UsageError: {SENTENCE}")


@pytest.mark.parametrize(
    "arguments", [("--version",), ("clauses",), elsewhere(("vectors", "folder"))]
)
def test_other_commands_work(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = without_posix(command(*arguments), tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_the_oracle_and_the_comparison_work(tmp_path: Path) -> None:
    code = """
from lstm_conformance import Case, assert_close_to_rounding, expect
expected = expect(Case.parse("v1 input_size=2 hidden_size=3 seq_len=4"))
right, noise = expected.values["output"], expected.noise["output"]
assert_close_to_rounding(right, right, noise)
try:
    assert_close_to_rounding(right + 1e-9, right, noise)
except AssertionError as error:
    print(error)
"""
    done = without_posix(code, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "times rounding noise, 30 allowed" in done.stdout


def test_the_job_names_files_that_import_nothing_that_judges(tmp_path: Path) -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text("utf-8"))
    steps = workflow["jobs"]["windows"]["steps"]
    (line,) = [step["run"] for step in steps if "pytest" in str(step)]
    files = [word for word in line.split() if word.endswith(".py")]
    assert {"meta_tests/test_reference_backward.py", "meta_tests/test_vectors.py"} <= {*files}
    code = f"""
import importlib
sys.path.insert(0, {str(ROOT)!r})
for file in {files!r}:
    importlib.import_module(file.removesuffix(".py").replace("/", "."))
"""
    done = without_posix(code, tmp_path)
    assert done.returncode == 0, done.stderr
