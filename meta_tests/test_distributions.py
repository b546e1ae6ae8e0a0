"""What the wheel and the sdist have: what users type, and what the tests need.

Both are built here from the files of the checkout, the wheel from the sdist, as pip and
``python -m build`` do it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

from .helpers.command_line import environment

ROOT = Path(__file__).parents[1]
NOT_IN_THE_SDIST = {".gitignore"}

# What Node.js runs.
PROGRAMS = tuple(
    f"adapters/{name}"
    for name in ("ort.mjs", "protocol.mjs", "tfjs.mjs", "torch_cpp.cpp", "webnn.mjs")
)


def tracked() -> list[str]:
    """Paths of the files of the checkout, also of new ones; skips the test without a checkout."""
    if not (ROOT / ".git").exists():
        pytest.skip("these files are no checkout")
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in names.split("\0") if name and (ROOT / name).is_file()]


class Distributions(NamedTuple):
    """Both, unpacked.

    Attributes:
        sdist: folder of what the sdist has.
        wheel: folder of what the wheel has, from which Python can import the package.
    """

    sdist: Path
    wheel: Path


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    folder = tmp_path_factory.mktemp("distributions")
    for name in tracked():
        copy = folder / "checkout" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, copy)
    with tarfile.open(build("sdist", folder / "checkout", folder)) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    (sdist,) = (folder / "unpacked").iterdir()
    # Building leaves files behind, and the sdist is looked at.
    shutil.copytree(sdist, folder / "sources")
    with zipfile.ZipFile(build("wheel", folder / "sources", folder)) as archive:
        archive.extractall(folder / "wheel")
    return Distributions(sdist, folder / "wheel")


def build(kind: str, sources: Path, into: Path) -> Path:
    """The archive, made by the build backend that ``pyproject.toml`` names."""
    code = f"from setuptools.build_meta import *; print(build_{kind}({str(into)!r}))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=sources, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return into / done.stdout.splitlines()[-1]


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_sdist_has_all_files_of_the_checkout(distributions: Distributions) -> None:
    assert set(tracked()) - files(distributions.sdist) == NOT_IN_THE_SDIST


def test_the_wheel_has_what_users_type(distributions: Distributions) -> None:
    in_wheel = files(distributions.wheel)
    for file in (ROOT / "reports" / "known_deviations").iterdir():
        assert f"lstm_conformance/reports/known_deviations/{file.name}" in in_wheel
    of_reports = ("reports/results.schema.json", "reports/templates/report.html")
    for name in (*of_reports, *PROGRAMS, "py.typed"):
        assert f"lstm_conformance/{name}" in in_wheel
    code = "from lstm_conformance.runner.judging.shipped_deviations import *\n"
    code += "print(shipped_deviations()['torch'])"
    done = python("-c", code, path=distributions.wheel, cwd=distributions.wheel.parent)
    known = distributions.wheel / "lstm_conformance" / "reports" / "known_deviations" / "torch.toml"
    assert done.stdout == f"{known}\n", done.stderr


@pytest.mark.whole
def test_the_tests_of_the_sdist_are_collected(distributions: Distributions) -> None:
    """All of them, by the package in the wheel that is made from it."""
    done = python(
        "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider",
        path=distributions.wheel, cwd=distributions.sdist,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    collected = {line.partition("::")[0] for line in done.stdout.splitlines() if "::" in line}
    assert {name for name in collected if name.startswith("tests/")}
    assert {"meta_tests/test_spec.py", "meta_tests/test_published_verdicts.py"} <= collected


def python(*arguments: str, path: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Runs Python, which finds the package in ``path``."""
    command = [sys.executable, *arguments]
    variables = {**environment(), "PYTHONPATH": str(path), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        command, cwd=cwd, env=variables, capture_output=True, text=True, check=False
    )
