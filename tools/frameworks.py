"""Judges the shipped adapters, each in an environment of its own, and publishes what came of it.

* ``python -m tools.frameworks install NAME``: what the adapter needs, with pip
* ``python -m tools.frameworks judge NAME [OPTION...]``
* ``python -m tools.frameworks table``: every page of the results, and the README's table

The first two are what ``tox -e framework-NAME`` does; they take that name too.
"""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lstm_conformance.adapters import REGISTRY
from lstm_conformance.reports.escaping import escaped
from lstm_conformance.reports.framework_page import framework_page
from lstm_conformance.reports.matrix import counts_table
from lstm_conformance.reports.reading import read_results
from lstm_conformance.reports.writing import write_text

ROOT = Path(__file__).parents[1]
PUBLISHED = ROOT / "reports" / "published"
RESULTS = PUBLISHED / "frameworks"
FINDINGS = ROOT / "reports" / "findings"
DEVIATIONS = ROOT / "reports" / "known_deviations"
README = ROOT / "README.md"

# Between these lines of the README is the table.
MARKS = ("<!-- frameworks -->", "<!-- end of frameworks -->")

# Of all others the smoke profile is judged: many compile each case of another size, for seconds.
PROFILES = {"onnxruntime": "default"}

# Of each, the most telling cases come first: those that unroll the loop over steps and compile what
# comes of it may need minutes for one case.
LONGEST = "35m"

# Extras whose framework fails with the NumPy of constraints.txt, to the version that they get.
# MindSpore 2.10 is compiled for NumPy 1: with 2 a first call raises, and indexing may from then on.
NUMPY = {"mindspore": "1.26.4"}


def install(name: str) -> int:
    """Installs the adapter's extra into this environment."""
    extra = REGISTRY[name].extra
    with TemporaryDirectory() as folder:
        file = Path(folder) / "constraints.txt"
        file.write_text(constraints(extra), "utf-8")
        command = [sys.executable, "-m", "pip", "install", "-q", "-c", str(file)]
        return subprocess.run([*command, f"{ROOT}[{extra}]"], check=False).returncode


def constraints(extra: str) -> str:
    """Those of all, with the NumPy that an extra needs."""
    text = (ROOT / "constraints.txt").read_text("utf-8")
    if extra not in NUMPY:
        return text
    return re.sub(r"^numpy==[^;\n]+", f"numpy=={NUMPY[extra]}", text, flags=re.MULTILINE)


def judge(name: str, options: list[str]) -> int:
    """Runs ``lstm-conformance check NAME`` with its known deviations, and publishes the results."""
    RESULTS.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "lstm_conformance", "check", name]
    command += ["--profile", PROFILES.get(name, "smoke"), "--max-time", LONGEST]
    known = DEVIATIONS / f"{name}.toml"
    if known.exists():
        command += ["--known-deviations", str(known)]
    command += ["--json", str(RESULTS / f"{name}.json"), *options]
    return subprocess.run(command, check=False).returncode


@cache
def published() -> list[dict[str, Any]]:
    """Results of all adapters that have any, in the order of the registry."""
    files = [RESULTS / f"{name}.json" for name in REGISTRY]
    return [read_results(file) for file in files if file.exists()]


def findings() -> dict[str, str]:
    """File of each finding to its docstring."""
    texts = {}
    for file in sorted(FINDINGS.glob("*.py")):
        docstring = ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""
        texts[file.name] = escaped(inspect.cleandoc(docstring))
    return texts


def pages() -> dict[str, Callable[[], str]]:
    """What is made of the results: file in ``reports/published/`` to its text."""
    # Environments in which adapters are judged have nothing that draws.
    from lstm_conformance.reports.html import matrix_html, report_html
    from lstm_conformance.reports.plots import matrix_picture

    return {
        "frameworks.md": lambda: framework_page(published(), findings()),
        "matrix.html": lambda: matrix_html(published()),
        "matrix.svg": lambda: matrix_picture(published()),
        "torch.html": lambda: report_html(read_results(RESULTS / "torch.json")),
    }


def with_table(readme: str) -> str:
    """The README with the table of now."""
    begin, end = MARKS
    pattern = f"(?<={re.escape(begin)}\n).*?(?={re.escape(end)})"
    table = counts_table(published(), "pipe", "adapter")
    return re.sub(pattern, lambda _: f"\n{table}\n\n", readme, flags=re.DOTALL)


def main(arguments: list[str]) -> int:
    """One of the commands."""
    command, name = (*arguments, "", "")[:2]
    name = name.removeprefix("framework-")
    if command == "install" and name in REGISTRY:
        return install(name)
    if command == "judge" and name in REGISTRY:
        return judge(name, arguments[2:])
    if arguments == ["table"]:
        for name, text in pages().items():
            write_text(PUBLISHED / name, text())
        write_text(README, with_table(README.read_text("utf-8")))
        return 0
    print(inspect.cleandoc(__doc__ or ""), file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
