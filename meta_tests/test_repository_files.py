"""Workflows, issue forms, the action and CITATION.cff are what their readers expect.

Their schemas are those that check-jsonschema has built in: `tox -e docs` has it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from lstm_conformance import __version__
from lstm_conformance.adapters import REGISTRY

ROOT = Path(__file__).parents[1]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted(GITHUB.glob("workflows/*.yml"))

SCHEMAS = {
    "vendor.github-workflows": WORKFLOWS,
    "vendor.github-issue-forms": sorted(set(GITHUB.glob("ISSUE_TEMPLATE/*_*.yml"))),
    "vendor.github-issue-config": [GITHUB / "ISSUE_TEMPLATE" / "config.yml"],
    "vendor.github-actions": [ROOT / "action.yml"],
    "vendor.citation-file-format": [ROOT / "CITATION.cff"],
}


def validate(schema: str, *files: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema]
    return subprocess.run(
        [*command, *map(str, files)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@pytest.mark.docs
@pytest.mark.parametrize("schema", SCHEMAS)
def test_files_follow_their_schema(schema: str) -> None:
    assert SCHEMAS[schema]
    done = validate(schema, *SCHEMAS[schema])
    assert done.returncode == 0, done.stdout


@pytest.mark.docs
@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_field_that_does_not_exist_is_seen(schema: str, tmp_path: Path) -> None:
    copy = tmp_path / SCHEMAS[schema][0].name
    shutil.copy(SCHEMAS[schema][0], copy)
    copy.write_text(f"{copy.read_text('utf-8')}\nnonsense: [1]\n", "utf-8")
    assert validate(schema, copy).returncode == 1


def jobs() -> list[tuple[str, dict[str, Any]]]:
    """Name of the workflow, and job, of all jobs."""
    loaded = [(path.name, yaml.safe_load(path.read_text("utf-8"))) for path in WORKFLOWS]
    return [(name, job) for name, workflow in loaded for job in workflow["jobs"].values()]


def environments(text: str) -> set[str]:
    """Names of the environments that have a section, each of ``{a,b}`` instead of it."""
    names = set()
    for header in re.findall(r"^\[testenv:(.*)\]$", text, re.MULTILINE):
        parts = [part.split(",") for part in re.split(r"[{}]", header)]
        names |= {"".join(chosen) for chosen in product(*parts)}
    return names


def test_names_of_environments_are_read() -> None:
    assert environments("[tox]\n[testenv:x]\n[testenv:{a,b}{,-c}]\n") == {
        *("x", "a", "a-c", "b", "b-c"),
    }


def test_workflows_name_environments_of_tox() -> None:
    named = {
        environment
        for _, job in jobs()
        for environment in re.findall(r"tox -e ([\w-]+)", str(job["steps"]))
    }
    for _, job in jobs():
        included = job.get("strategy", {}).get("matrix", {}).get("include", [])
        named |= {row["environment"] for row in included if "environment" in row}
    assert {"docs", "py313-torch", "lowest-torch"} <= named
    described = environments((ROOT / "tox.ini").read_text("utf-8"))
    for name in named:
        assert re.fullmatch(r"py3\d\d(-torch)?", name) or name in described, name


def test_workflows_name_adapters_and_their_extras() -> None:
    judge = next(job for name, job in jobs() if name == "frameworks.yml")
    for row in judge["strategy"]["matrix"]["include"]:
        assert REGISTRY[row["adapter"]].extra == row["extra"]
        assert (ROOT / "reports/published/frameworks" / f"{row['adapter']}.json").exists()


def test_jobs_may_do_no_more_than_they_need() -> None:
    """Code of frameworks is not run by a job that may write."""
    for path in WORKFLOWS:
        assert yaml.safe_load(path.read_text("utf-8"))["permissions"] == {"contents": "read"}
    for _, job in jobs():
        if "permissions" in job:
            assert "pip install" not in str(job["steps"])


def test_what_others_write_is_no_part_of_a_script() -> None:
    """Names of branches and tags, and texts of issues, reach scripts as variables only."""
    for _, job in jobs():
        for step in job["steps"]:
            assert not re.search(r"\$\{\{\s*(github|inputs)\.", step.get("run", ""))


def test_files_have_the_version_of_the_package() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    found = [
        citation["version"],
        *re.findall(r'^version = "(.*)"$', project, re.MULTILINE),
        *re.findall(r"^## (\S+) \((?:unreleased|\d{4}-\d\d-\d\d)\)$", changes, re.MULTILINE)[:1],
    ]
    assert found == [__version__] * 3


def test_pythons_and_systems_have_jobs() -> None:
    """Only the newest Python, for which packages may be missing, may fail."""
    tests = {**yaml.safe_load((GITHUB / "workflows/tests.yml").read_text("utf-8"))["jobs"]}
    rows = tests["suite"]["strategy"]["matrix"]["include"]
    for minor in range(10, 15):
        for torch in ("", "-torch"):
            (row,) = [row for row in rows if row["environment"] == f"py3{minor}{torch}"]
            assert row["python"] == f"3.{minor}"
            assert row.get("may_fail", False) == (minor == 14)
    systems = {job["runs-on"].partition("-")[0] for job in tests.values()}
    assert systems == {"ubuntu", "macos", "windows"}
