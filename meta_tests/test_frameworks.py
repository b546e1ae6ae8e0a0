"""The published pages on frameworks follow from the results, and findings stand alone."""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from importlib import metadata
from pathlib import Path

import pytest

from lstm_conformance.adapters import REGISTRY
from lstm_conformance.reports.matrix import counts_table
from lstm_conformance.reports.reading import read_results
from lstm_conformance.runner.judging.known_deviations import read_known_deviations
from lstm_conformance.spec.clauses import CLAUSES, TESTABLE
from tools import frameworks

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PUBLISHED = {file.stem: file for file in sorted(frameworks.RESULTS.glob("*.json"))}
FINDINGS = sorted(frameworks.FINDINGS.glob("*.py"))

# Pages with plots, and the version of matplotlib that draws them.
PLOTTED = {"matrix.svg", "torch.html"}
PINNED = re.findall(
    "^matplotlib==([0-9.]+)", (frameworks.ROOT / "constraints.txt").read_text("utf-8"), re.MULTILINE
)[-1]

# Files of known deviations that contain their programs.
WITH_PROGRAMS = {"torch", "torch-onednn-off", "torch-inference"}

# Largest number of lines of code of a finding, and of an adapter.
LONGEST = 20
LONGEST_ADAPTER = 59

ADAPTER_FILES = Counter(adapter.factory.partition(":")[0] for adapter in REGISTRY.values())

# This one is longer: it also judges the drop-ins that users name.
WITH_DROP_INS = "lstm_conformance.adapters.torch_module"


def lines_of_code(text: str) -> int:
    """Number of lines of a program, without docstrings, comments and blank lines."""
    described = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    left_out = {
        line
        for node in ast.walk(ast.parse(text))
        if isinstance(node, described) and ast.get_docstring(node)
        for line in range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1)
    }
    lines = (line.strip() for n, line in enumerate(text.splitlines(), 1) if n not in left_out)
    return sum(bool(line) and not line.startswith("#") for line in lines)


def test_there_are_results() -> None:
    assert len(PUBLISHED) >= 14
    assert set(PUBLISHED) <= set(REGISTRY)


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_gate_passed_for_published_results(name: str) -> None:
    """Every clause was judged, though not always every case.

    Chapters SIZE and TRAIN are newer than results that were published before. The page says so.
    """
    results = read_results(PUBLISHED[name])
    assert results["implementation"]["target"] == name
    assert results["gate_passed"] is True
    assert results["stopped"] in (None, "max-time")
    judged = [clause["id"] for clause in results["clauses"]]
    before = [clause for clause in TESTABLE if not clause.startswith(("SIZE-", "TRAIN-"))]
    assert judged in (list(TESTABLE), before)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_results_have_no_private_folders(name: str) -> None:
    text = PUBLISHED[name].read_text("utf-8")
    assert not re.findall(r'File \\"(?:/|[A-Za-z]:).*?"', text)


@pytest.mark.parametrize("name", frameworks.pages())
def test_a_page_follows_from_the_results(name: str) -> None:
    if name in PLOTTED and metadata.version("matplotlib") != PINNED:
        pytest.skip(f"made with matplotlib {PINNED}: others draw the same in other bytes")
    assert (frameworks.PUBLISHED / name).read_text("utf-8") == frameworks.pages()[name]()


def test_the_readme_has_the_table() -> None:
    readme = frameworks.README.read_text("utf-8")
    assert counts_table(frameworks.published(), "pipe", "adapter") in readme
    assert frameworks.with_table(readme) == readme


@pytest.mark.parametrize("file", FINDINGS, ids=lambda file: file.name)
def test_a_finding_stands_alone(file: Path) -> None:
    text = file.read_text("utf-8")
    module = ast.parse(text)
    assert ast.get_docstring(module)
    assert "lstm_conformance" not in text
    assert lines_of_code(text) <= LONGEST
    assert any(isinstance(node, ast.Assert) for node in module.body), (
        "it fails as long as the bug is there"
    )


@pytest.mark.parametrize("file", FINDINGS, ids=lambda file: file.name)
def test_a_finding_names_the_clause(file: Path) -> None:
    docstring = ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""
    assert set(re.findall(r"\b[A-Z]+-[0-9]+\b", docstring)) & set(CLAUSES)


def test_a_waiver_names_its_finding() -> None:
    for toml in frameworks.DEVIATIONS.glob("*.toml"):
        if toml.stem not in WITH_PROGRAMS:
            text = toml.read_text("utf-8")
            named = set(re.findall(r"\b\w+\.py\b", text))
            assert named, toml.name
            assert named <= {file.name for file in FINDINGS}, toml.name


@pytest.mark.parametrize("module", sorted(set(ADAPTER_FILES) - {WITH_DROP_INS}))
def test_an_adapter_is_short(module: str) -> None:
    """The lines of a file count in equal parts for its adapters."""
    file = frameworks.ROOT / "adapters" / f"{module.rpartition('.')[2]}.py"
    assert lines_of_code(file.read_text("utf-8")) / ADAPTER_FILES[module] <= LONGEST_ADAPTER


def test_every_adapter_has_an_environment() -> None:
    tox = (frameworks.ROOT / "tox.ini").read_text("utf-8")
    names = tox.partition("[testenv:framework-{")[2].partition("}]")[0]
    assert names.split(",") == [name for name, adapter in REGISTRY.items() if adapter.extra]
    extras = tomllib.loads((frameworks.ROOT / "pyproject.toml").read_text("utf-8"))
    known = extras["project"]["optional-dependencies"]
    assert {adapter.extra for adapter in REGISTRY.values()} <= {"", *known}


def test_an_environment_has_the_numpy_that_its_framework_is_compiled_for() -> None:
    of_all = (frameworks.ROOT / "constraints.txt").read_text("utf-8")
    assert frameworks.constraints("paddle") == of_all
    for extra, version in frameworks.NUMPY.items():
        lines = frameworks.constraints(extra).splitlines()
        changed = set(lines) - set(of_all.splitlines())
        assert changed == {line for line in lines if line.startswith("numpy==")}
        assert {line.partition(";")[0] for line in changed} == {f"numpy=={version}"}


@pytest.mark.parametrize(
    "file", sorted(frameworks.DEVIATIONS.glob("*.toml")), ids=lambda file: file.stem
)
def test_known_deviations_are_those_of_an_adapter(file: Path) -> None:
    assert file.stem in REGISTRY
    assert read_known_deviations(file)
