"""Imports: each is a path on disk, they point one way, and they have no cycle."""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "lstm_conformance"

JUDGING, PROCESSES, FAILURES = "runner/judging", "runner/processes", "runner/failures"
SEARCHING, SESSION = "runner/searching", "runner/session"

# Each folder to the folders that it may import besides itself.
MAY_IMPORT: dict[str, set[str]] = {
    "package": set(),  # the version, and public names that are imported when they are used
    "spec": set(),
    "reference": {"spec"},
    "reports": {"spec"},
    "adapters": {"spec", "reference", "package"},
    "defects": {"spec", "reference", "adapters"},
    JUDGING: {"spec", "reference", "reports"},
    PROCESSES: {"spec", "adapters"},
    FAILURES: {"spec", "reference", "reports", "adapters", "defects", JUDGING},
    SEARCHING: {"spec", "reports", JUDGING, FAILURES, PROCESSES},
    "tests": {"spec", "reference", "adapters", JUDGING, PROCESSES, SEARCHING},
    SESSION: {"spec", "reports", "adapters", "tests", JUDGING, FAILURES, PROCESSES, SEARCHING},
    # The plugin.
    "runner": {"spec", "tests", FAILURES, SEARCHING, SESSION},
    "runner/gate": {"spec", "reports", JUDGING, SEARCHING, SESSION},
    "runner/mutation": {"spec", "adapters", "defects", JUDGING, SEARCHING, SESSION},
    "runner/commands": {
        "spec",
        "reference",
        "reports",
        "defects",
        "package",
        JUDGING,
        PROCESSES,
        SESSION,
        "runner/gate",
        "runner/mutation",
    },
    "runner/python_interface": {
        "spec",
        "reference",
        "reports",
        "adapters",
        JUDGING,
        PROCESSES,
        FAILURES,
        SEARCHING,
        SESSION,
        "runner/gate",
    },
    # What `python -m` runs.
    "package/programs": {"runner/commands", PROCESSES},
}

# Programs that show a deviation of a framework; they are no modules.
NO_MODULES = ("findings", "__pycache__")


def modules(root: Path) -> list[Path]:
    """The files of the product."""
    folders = ("package", "spec", "reference", "adapters", "defects", "runner", "tests", "reports")
    every = [path for folder in folders for path in sorted((root / folder).rglob("*.py"))]
    return [path for path in every if not set(path.parts) & set(NO_MODULES)]


def folder_of(path: Path, root: Path) -> str:
    parts = path.relative_to(root).parts
    if parts[0] == "package" and parts[1] != "__init__.py":
        return "package/programs"
    is_room = parts[0] == "runner" and len(parts) > 2
    return "/".join(parts[:2] if is_room else parts[:1])


@cache
def imports_of(text: str) -> tuple[ast.ImportFrom, ...]:
    """The imports in the text of a module, without those for types."""
    nodes = [*ast.walk(ast.parse(text))]
    blocks = [n for n in nodes if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.unparse(n.test)]
    for_types = {node for block in blocks for line in block.body for node in ast.walk(line)}
    return tuple(n for n in nodes if isinstance(n, ast.ImportFrom) and n not in for_types)


def imported(path: Path, root: Path) -> Iterator[Path]:
    """The files that the module at ``path`` imports from the product, without those for types."""
    for node in imports_of(path.read_text("utf-8")):
        base = base_of(node, path, root)
        if base is not None:
            for alias in node.names:
                yield file_of(base, alias.name, root)


def base_of(node: ast.ImportFrom, path: Path, root: Path) -> Path | None:
    """What stands after ``from``, as a path without its suffix; None outside of the product."""
    names = (node.module or "").split(".") if node.module else []
    if node.level:
        return path.parents[node.level - 1].joinpath(*names)
    if names[:1] != [PACKAGE]:
        return None
    return root.joinpath(*names[1:])


def file_of(base: Path, name: str, root: Path) -> Path:
    """The file of the module ``base.name``, or of ``base`` if ``name`` is defined in it.

    A file that does not exist is returned as it would be called.
    """
    if (base, name) == (root, "__version__"):
        return root / "package" / "__init__.py"
    for place in (base / name, base):
        for file in (place.with_suffix(".py"), place / "__init__.py"):
            if file.is_file():
                return file
    return base.with_suffix(".py")


def missing(root: Path) -> list[str]:
    """Relative imports that are no path on disk."""
    return [
        f"{path.relative_to(root)}: {target}"
        for path in modules(root)
        for target in imported(path, root)
        if not target.is_file()
    ]


def wrong_ways(root: Path) -> list[str]:
    """Imports that a folder may not make."""
    found = []
    for path in modules(root):
        own = folder_of(path, root)
        for target in imported(path, root):
            other = folder_of(target, root)
            if other != own and other not in MAY_IMPORT[own]:
                found.append(f"{path.relative_to(root)} imports {target.relative_to(root)}")
    return found


def graph(root: Path) -> dict[Path, set[Path]]:
    return {path: {*imported(path, root)} - {path} for path in modules(root)}


def test_every_import_is_a_path_on_disk() -> None:
    assert not missing(ROOT)


def test_imports_point_one_way() -> None:
    assert not wrong_ways(ROOT)


def test_every_folder_is_in_the_wheel() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8").partition("\npackages = [")[2]
    text = text.partition("\n]")[0]
    listed = set(re.findall(rf'^    "({PACKAGE}[a-z_.]*)",$', text, re.MULTILINE))
    folders = {path.parent.relative_to(ROOT) for path in modules(ROOT)}
    names = {".".join((PACKAGE, *folder.parts)) for folder in folders if folder.name != "package"}
    assert listed == {PACKAGE, *names, f"{PACKAGE}.reports.templates"}


def test_folders_are_in_the_order_of_their_imports() -> None:
    [*TopologicalSorter(MAY_IMPORT).static_order()]  # raises CycleError


def test_imports_have_no_cycle() -> None:
    [*TopologicalSorter(graph(ROOT)).static_order()]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The product, to be changed."""
    for path in modules(ROOT):
        place = tmp_path / path.relative_to(ROOT)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
    assert not wrong_ways(tmp_path)
    assert not missing(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("spec/case.py", "from ..reference.oracle import expect"),
        ("reports/tables.py", "from ..runner.judging.comparison import THRESHOLD"),
        ("reference/oracle.py", "from lstm_conformance.adapters import REGISTRY"),
        ("runner/judging/trial.py", "from ..searching import checker"),
        ("runner/session/suite.py", "from .. import plugin"),
        ("adapters/torch_module.py", "def late():\n    from .. import tests"),
    ],
)
def test_a_planted_import_is_seen(copy: Path, file: str, line: str) -> None:
    path = copy / file
    path.write_text(f"{path.read_text('utf-8')}\n{line}\n", "utf-8")
    assert len(wrong_ways(copy)) == 1


def test_a_planted_path_is_seen(copy: Path) -> None:
    path = copy / "runner" / "judging" / "trial.py"
    path.write_text(f"{path.read_text('utf-8')}\nfrom .judge import compare\n", "utf-8")
    assert len(missing(copy)) == 1


def test_a_planted_cycle_is_seen(copy: Path) -> None:
    path = copy / "runner" / "session" / "suite.py"
    path.write_text(f"{path.read_text('utf-8')}\nfrom .session import JudgingSession\n", "utf-8")
    with pytest.raises(CycleError):
        [*TopologicalSorter(graph(copy)).static_order()]
