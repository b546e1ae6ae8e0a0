"""The first command of the README, and every command of the action and of the pages on CI and the
gate, does what it should.
"""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from lstm_conformance.reports.reading import read_results
from lstm_conformance.runner.judging.known_deviations import read_known_deviations

from .helpers import pages
from .helpers.command_line import environment, run

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "ci.md").read_text("utf-8")
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))

LSTM = '''
"""One layer, one direction, forward only, float64."""
import numpy as np
from lstm_conformance.adapters.function import FunctionLSTM

def sigmoid(x):
    return (1 + np.tanh(x / 2)) / 2

def lstm(case, arguments):
    x = arguments["input"]
    W_ih, W_hh = arguments["weight_ih_l0"].T, arguments["weight_hh_l0"].T
    b = arguments["bias_ih_l0"] + arguments["bias_hh_l0"]
    h = c = np.zeros((x.shape[1], case.config.hidden_size))
    outputs = []
    for x_t in x:
        i, f, g, o = np.split(x_t @ W_ih + h @ W_hh + b, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs), h[None], c[None]

FastLSTM = FunctionLSTM("fast", "1.0", frozenset({"float64"}), lstm)
'''
# Only without any weight, and by an error: to diagnose wrong numbers takes longer.
WRONG = LSTM.replace("outputs = []", "outputs = [] if arguments['weight_ih_l0'].any() else no")


def block(language: str, heading: str) -> str:
    """The block of code below a heading of the page."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    (code,) = blocks(language, section)
    return code


def blocks(language: str, page: str) -> list[str]:
    """All blocks of code in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


class Job(NamedTuple):
    """A machine of a CI system, as far as a command can see.

    Attributes:
        folder: with the repository that is judged.
        variables: of the environment, without those that a step adds.
    """

    folder: Path
    variables: dict[str, str]

    def run(self, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs a script in the shell, and with the options, that GitHub and GitLab use."""
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.folder,
            env={**self.variables, **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    def succeed(self, script: str, **variables: str) -> str:
        """Runs a script that must not fail, and returns what it prints."""
        done = self.run(script, **variables)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


# So that a job takes no minutes; all else is as on the page.
FEW_CLAUSES = """
[tool.lstm-conformance]
clause = ["EQ-5", "STATE-1", "EDGE-9"]
"""


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the package, which a build may write to."""
    pytest.importorskip("torch", reason="the commands install the suite with torch")
    copy = tmp_path_factory.mktemp("sources")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for name in (
        "package",
        "runner",
        "spec",
        "reference",
        "adapters",
        "defects",
        "tests",
        "reports",
    ):
        ignored = shutil.ignore_patterns("__pycache__", "published", "findings")
        shutil.copytree(ROOT / name, copy / name, ignore=ignored)
    return copy


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all packages that are installed here, except the suite."""
    links = tmp_path_factory.mktemp("packages")
    for site in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        for package in Path(site).iterdir():
            if not re.search("lstm_conformance|__pycache__", package.name):
                (links / package.name).symlink_to(package)
    return links


@pytest.fixture(scope="module")
def wheels(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a wheel of the suite, which replaces the package index."""
    folder = tmp_path_factory.mktemp("wheels")
    command = [*(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"), str(sources)]
    variables = {**environment(), **WITHOUT_NETWORK}
    subprocess.run([*command, "-w", str(folder)], env=variables, check=True)
    return folder


WITHOUT_NETWORK = {
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_BUILD_ISOLATION": "0",  # of this option pip takes 0 for yes
    "PIP_NO_INDEX": "1",
}


class Machine(NamedTuple):
    """The state in which jobs start.

    Attributes:
        packages: that are installed.
        variables: that are set in every job.
    """

    packages: Path
    variables: dict[str, str]

    def job(self, folder: Path) -> Job:
        """A new Python environment, in which all but the suite is installed, and a repository."""
        python = folder / "python"
        venv.create(python, symlinks=True)
        paths = {"base": str(python), "platbase": str(python)}
        site = Path(sysconfig.get_path("purelib", "venv", paths))
        (site / "installed.pth").write_text(f"{self.packages}\n")
        job = Job(
            folder / "repository",
            {
                **self.variables,
                "PATH": f"{python / 'bin'}{os.pathsep}{os.environ['PATH']}",
                "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
                "RUNNER_TEMP": str(folder / "temporary"),
            },
        )
        job.folder.mkdir()
        (folder / "temporary").mkdir()
        (job.folder / "my_lstm.py").write_text(LSTM)
        (job.folder / "known.toml").write_text("# Nothing is broken.\n")
        (job.folder / "pyproject.toml").write_text(FEW_CLAUSES)
        return job


@pytest.fixture(scope="module")
def machine(sources: Path, packages: Path, wheels: Path) -> Machine:
    variables = {
        **environment(),
        **WITHOUT_NETWORK,
        "PIP_FIND_LINKS": str(wheels),
        "CI": "true",
        "GITHUB_ACTION_PATH": str(sources),
    }
    return Machine(packages, variables)


@pytest.fixture
def job(machine: Machine, tmp_path: Path) -> Job:
    return machine.job(tmp_path)


@pytest.fixture(scope="module")
def with_action(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Job:
    """A job in which the action has installed the suite, for all uses of it."""
    job = machine.job(tmp_path_factory.mktemp("github"))
    *before, _ = scripts()
    for step in before:
        job.succeed(step["run"])
    return job


def scripts() -> list[dict[str, Any]]:
    """The steps of the action that run a script."""
    return [step for step in ACTION["runs"]["steps"] if "run" in step]


def judge(job: Job, inputs: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Runs the last script of the action with these inputs."""
    everything = {name: given["default"] for name, given in ACTION["inputs"].items()}
    assert set(inputs) <= set(everything)
    everything.update(inputs)
    step = scripts()[-1]
    assert filled(step["working-directory"], everything) == "."
    variables = {name: filled(text, everything) for name, text in step["env"].items()}
    return job.run(step["run"], **variables)


def filled(text: str, inputs: dict[str, str]) -> str:
    return re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda match: inputs[match[1]], text)


def results_of(job: Job) -> dict[str, Any]:
    """The results in the file that the action uploads."""
    upload = ACTION["runs"]["steps"][-1]
    path = upload["with"]["path"].replace("${{ runner.temp }}", job.variables["RUNNER_TEMP"])
    assert upload["if"] == "${{ always() }}"
    return read_results(Path(path))


def test_inputs_reach_no_script() -> None:
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step.get("run", "")


@pytest.mark.whole
def test_github(with_action: Job) -> None:
    workflow = yaml.safe_load(block("yaml", "GitHub Actions"))
    (of_job,) = workflow["jobs"].values()
    checkout, python, install, action = of_job["steps"]
    assert [step["uses"].partition("@")[0] for step in (checkout, python, action)] == [
        "actions/checkout",
        "actions/setup-python",
        "OWNER/lstm-conformance",
    ]
    job = with_action
    job.succeed(install["run"])
    done = judge(job, action["with"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "CONFORMANT: fast" in done.stdout
    results = results_of(job)
    assert results["gate_passed"]
    assert results["profile"] == "smoke"
    assert results["without"] == ["packed"]
    summary = Path(job.variables["GITHUB_STEP_SUMMARY"]).read_text("utf-8")
    assert summary.startswith("# Conformance of fast")


@pytest.mark.whole
def test_the_action_passes_a_failure_on(with_action: Job) -> None:
    job = with_action
    (job.folder / "wrong.py").write_text(WRONG)
    done = judge(
        job, {"target": "wrong.py:FastLSTM", "profile": "smoke", "args": "--clause=EDGE-9"}
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert not results_of(job)["gate_passed"]
    summary = Path(job.variables["GITHUB_STEP_SUMMARY"]).read_text("utf-8")
    assert "DEVIATES" in summary


HOSTILE = '$(touch a)"; touch b; echo "`touch c`'


def test_inputs_are_no_commands(with_action: Job) -> None:
    job, before = with_action, sorted(with_action.folder.iterdir())
    stale = Path(job.variables["RUNNER_TEMP"]) / "lstm-conformance" / "results.json"
    stale.parent.mkdir(exist_ok=True)
    stale.write_text("of a step before")
    args = f"--known-deviations={HOSTILE} * ?\n\n--clause=EQ-2\n"
    done = judge(job, {"target": HOSTILE, "args": args})
    assert done.returncode == 2
    assert f"There is no file {HOSTILE} * ?, and" in done.stderr
    assert sorted(job.folder.iterdir()) == before
    assert not stale.exists()


@pytest.mark.whole
def test_gitlab(job: Job) -> None:
    (of_job,) = yaml.safe_load(block("yaml", "GitLab CI")).values()
    for line in (*of_job["script"], *of_job["after_script"]):
        job.succeed(line)
    (results,) = of_job["artifacts"]["paths"]
    assert read_results(job.folder / results)["gate_passed"]
    junit = (job.folder / of_job["artifacts"]["reports"]["junit"]).read_text("utf-8")
    assert "<testsuite" in junit


@pytest.mark.whole
def test_tox(job: Job) -> None:
    ini = configparser.ConfigParser()
    ini.read_string(block("ini", "tox"))
    (section,) = ini.sections()
    for requirement in ini[section]["deps"].split("\n"):
        job.succeed(f"python -m pip install '{requirement}'")
    for line in ini[section]["commands"].split("\n"):
        assert "CONFORMANT: fast" in job.succeed(line)


GATE = [part for part in pages.blocks(ROOT / "docs" / "gate.md") if not part.not_run]


def gate(language: str, about_time: bool) -> Iterator[pages.Block]:
    """The blocks on the page about the gate; those about time begin with the budget."""
    for part in GATE:
        if part.language == language and about_time != part.section.startswith("What "):
            yield part


# So that it takes no minutes; all else is as on the page.
_FEWER = "--profile smoke --clause STATE-1 --clause EDGE-9 -n 0"


@pytest.mark.whole
def test_the_gate(tmp_path: Path) -> None:
    """The commands on the page about known deviations, baselines and examples."""
    (tmp_path / "my_lstm.py").write_text(WRONG)
    statuses = []
    for line in [line for part in gate("sh", False) for line in part.commands]:
        program, command, *arguments = shlex.split(line)
        assert program == "lstm-conformance"
        more = _FEWER.split() if command == "check" else []
        ended = run(command, *arguments, *more, cwd=tmp_path)
        statuses.append(ended.status)
    assert statuses == [1, 0, 0, 1, 0, 1]
    assert any((tmp_path / ".lstm-examples").iterdir())


@pytest.mark.whole
def test_budget_and_resume(tmp_path: Path) -> None:
    """The commands on the page about time."""
    (tmp_path / "my_lstm.py").write_text(LSTM)
    lines = [line for part in gate("sh", True) for line in part.commands]
    assert len(lines) == 3
    for line in lines:
        program, *arguments = shlex.split(line, comments=True)
        assert program == "lstm-conformance"
        ended = run(*arguments, *_FEWER.split(), cwd=tmp_path)
        assert ended.status == 0, ended.out + ended.err
    assert read_results(tmp_path / "results.json")["gate_passed"]


def test_known_deviations_of_the_page_are_read(tmp_path: Path) -> None:
    first, second = gate("toml", False)
    file = tmp_path / "known.toml"
    file.write_text(f"{first.code}\n{second.code}", "utf-8")
    assert [entry.clauses for entry in read_known_deviations(file)] == [
        ("PACK-1", "PACK-2"),
        ("USE-24",),
    ]


@pytest.mark.whole
def test_shards_of_a_matrix(with_action: Job) -> None:
    (example,) = gate("yaml", True)
    shard, verdict = yaml.safe_load(example.code)["jobs"].values()
    job = with_action
    *install, judge_shard = commands(shard)
    for line in install:
        job.succeed(line)
    for index in shard["strategy"]["matrix"]["shard"]:
        job.succeed(f"{judge_shard.replace('${{ matrix.shard }}', str(index))} {_FEWER}")
    printed = [job.succeed(line) for line in commands(verdict)]
    assert "CONFORMANT: fast" in printed[-1]
    assert read_results(job.folder / "results.json")["gate_passed"]


@pytest.mark.whole
def test_the_first_command_of_the_readme(sources: Path, machine: Machine, tmp_path: Path) -> None:
    """As it stands, in a checkout; settings in it ask for few clauses."""
    line = pages.commands_of_the_readme()[0]
    checkout = tmp_path / "checkout"
    shutil.copytree(sources, checkout)
    shutil.copy(ROOT / "constraints.txt", checkout)
    with (checkout / "pyproject.toml").open("a") as file:
        file.write(FEW_CLAUSES)
    # Packages that are installed here need not be read from the network.
    variables = {**machine.variables, "PYTHONPATH": str(machine.packages)}
    printed = Job(checkout, variables).succeed(line)
    assert "CONFORMANT: torch.nn:LSTM" in printed
    assert read_results(checkout / "results.json")["gate_passed"]
    assert (checkout / "report.md").read_text("utf-8").startswith("# Conformance of torch.nn:LSTM")


def commands(of_job: dict[str, Any]) -> list[str]:
    return [step["run"] for step in of_job["steps"] if "run" in step]
