"""The published pages on frameworks follow from the results, and adapters are short."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from lstm_conformance.adapters import REGISTRY
from lstm_conformance.reports.reading import read_results
from lstm_conformance.reports.writing import write_results
from lstm_conformance.runner.judging.known_deviations import read_known_deviations
from lstm_conformance.spec.clauses import TESTABLE
from tools import frameworks
from tools.environment import constraints

from .helpers.lines_of_code import lines_of_code, lines_of_javascript
from .helpers.made_up_results import conforming
from .helpers.selection import one_in_three

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PUBLISHED = {file.stem: file for file in sorted(frameworks.RESULTS.glob("*.json"))}

# Pages with plots, and the version of matplotlib that draws them.
PLOTTED = {"matrix.svg", "torch.html", "torch_releases.svg"}
PINNED = re.findall(
    "^matplotlib==([0-9.]+)", (frameworks.ROOT / "constraints.txt").read_text("utf-8"), re.MULTILINE
)[-1]

# Largest number of lines of code of an adapter.
LONGEST_ADAPTER = 59

ADAPTER_FILES = Counter(adapter.factory.partition(":")[0] for adapter in REGISTRY.values())

# This one is longer: it also judges the drop-ins that users name.
WITH_DROP_INS = "lstm_conformance.adapters.torch_module"


def test_there_are_results() -> None:
    assert len(PUBLISHED) >= 14
    assert set(PUBLISHED) <= set(REGISTRY)


@pytest.mark.parametrize("name", one_in_three(PUBLISHED))
def test_the_gate_passed_for_published_results(name: str) -> None:
    """Every clause was judged, though not always every case.

    Chapters SIZE and TRAIN and two clauses are newer than results that were published before. The
    page says so.
    """
    results = read_results(PUBLISHED[name])
    assert results["implementation"]["target"] == name
    assert results["gate_passed"] is True
    assert frameworks.obstacles_today()[name] == []
    assert results["stopped"] in (None, "max-time")
    judged = [clause["id"] for clause in results["clauses"]]
    newer = ("SIZE-", "TRAIN-", "PURE-18", "EDGE-16")
    before = [clause for clause in TESTABLE if not clause.startswith(newer)]
    assert judged in (list(TESTABLE), before)


@pytest.mark.parametrize("stopped", [None, "max-time", "interrupted"])
def test_an_interrupted_run_publishes_nothing(
    stopped: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(command: list[str], check: bool) -> subprocess.CompletedProcess[str]:
        file = Path(command[command.index("--json") + 1])
        write_results(file, {**conforming(), "stopped": stopped, "gate_passed": stopped is None})
        return subprocess.CompletedProcess(command, 3)

    monkeypatch.setattr(frameworks, "RESULTS", tmp_path)
    monkeypatch.setattr(subprocess, "run", run)
    (tmp_path / "torch.json").write_text("published before", "utf-8")
    assert frameworks.judge("torch", []) == 3
    there = (tmp_path / "torch.json").read_text("utf-8")
    assert (there == "published before") is (stopped == "interrupted")
    assert [file.name for file in tmp_path.iterdir()] == ["torch.json"]


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_results_have_no_private_folders(name: str) -> None:
    text = PUBLISHED[name].read_text("utf-8")
    assert not re.findall(r'File \\"(?:/|[A-Za-z]:).*?"', text)


@pytest.mark.parametrize("name", frameworks.pages())
def test_a_page_follows_from_the_results(name: str) -> None:
    if name in PLOTTED and metadata.version("matplotlib") != PINNED:
        pytest.skip(f"made with matplotlib {PINNED}: others draw the same in other bytes")
    assert (frameworks.PUBLISHED / name).read_text("utf-8") == frameworks.pages()[name]()


@pytest.mark.parametrize(
    ("name", "kilobytes"), [("torch.html", 400), ("matrix.svg", 400), ("torch_releases.svg", 20)]
)
def test_a_page_with_plots_is_small(name: str, kilobytes: int) -> None:
    assert (frameworks.PUBLISHED / name).stat().st_size < 1000 * kilobytes


def test_the_readme_has_the_number_of_implementations_and_the_findings() -> None:
    readme = frameworks.README.read_text("utf-8")
    assert f"\n{len(frameworks.published())} implementations of released frameworks" in readme
    assert frameworks.with_findings(readme) == readme


@pytest.mark.parametrize("module", sorted(set(ADAPTER_FILES) - {WITH_DROP_INS}))
def test_an_adapter_is_short(module: str) -> None:
    """The lines of a file, and of the programs that it names, count in equal parts."""
    folder = frameworks.ROOT / "adapters"
    text = (folder / f"{module.rpartition('.')[2]}.py").read_text("utf-8")
    programs = [folder / name for name in set(re.findall(r'"(\w+\.mjs)"', text))]
    lines = sum(lines_of_javascript(program.read_text("utf-8")) for program in programs)
    assert (lines_of_code(text) + lines) / ADAPTER_FILES[module] <= LONGEST_ADAPTER


def test_every_adapter_has_an_environment() -> None:
    tox = (frameworks.ROOT / "tox.ini").read_text("utf-8")
    names = tox.partition("[testenv:framework-{")[2].partition("}]")[0]
    assert names.split(",") == [name for name, adapter in REGISTRY.items() if adapter.extra]
    extras = tomllib.loads((frameworks.ROOT / "pyproject.toml").read_text("utf-8"))
    known = extras["project"]["optional-dependencies"]
    assert {adapter.extra for adapter in REGISTRY.values()} <= {"", *known}


def test_results_are_of_the_profile_that_judges_today() -> None:
    profiles = {r["implementation"]["target"]: r["profile"] for r in frameworks.published()}
    assert {name for name in profiles if profiles[name] == "default"} == frameworks.IN_DEFAULT


def test_an_adapter_without_results_says_what_it_needs() -> None:
    assert all(frameworks.not_judged().values())
    assert {name for name in PUBLISHED if REGISTRY[name].needs} == set()


def test_an_environment_has_the_versions_that_its_framework_is_compiled_for() -> None:
    of_all = (frameworks.ROOT / "constraints.txt").read_text("utf-8")
    assert constraints({}) == of_all
    extras = {adapter.extra for adapter in REGISTRY.values()}
    for extra, versions in frameworks.VERSIONS.items():
        assert extra in extras
        lines = constraints(versions).splitlines()
        changed = set(lines) - set(of_all.splitlines())
        assert changed == {
            line for line in lines if line.startswith(tuple(f"{n}==" for n in versions))
        }
        pinned = {f"{name}=={version}" for name, version in versions.items()}
        assert {line.partition(";")[0] for line in changed} == pinned


@pytest.mark.parametrize(
    "file", sorted(frameworks.DEVIATIONS.glob("*.toml")), ids=lambda file: file.stem
)
def test_known_deviations_are_those_of_an_adapter(file: Path) -> None:
    assert file.stem in REGISTRY
    assert read_known_deviations(file)
