"""Judges the shipped adapters, each in an environment of its own, and publishes the results.

* ``python -m tools.frameworks install NAME``: installs what the adapter needs, with pip and npm
* ``python -m tools.frameworks judge NAME [OPTION...]``: judges the adapter
* ``python -m tools.frameworks table``: writes all pages of results, and the README's findings

``tox -e framework-NAME`` runs the first two. They also accept ``framework-NAME`` as the name.
"""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

from lstm_conformance.adapters import REGISTRY
from lstm_conformance.reports.finding import Finding, read_findings
from lstm_conformance.reports.finding_program import FindingProgram
from lstm_conformance.reports.findings_page import findings_page, worst_findings
from lstm_conformance.reports.framework_page import framework_page
from lstm_conformance.reports.reading import read_results
from lstm_conformance.reports.results import Results
from lstm_conformance.reports.writing import write_text
from lstm_conformance.runner.judging.known_deviations import read_known_deviations
from tools import torch_releases
from tools.environment import install, install_for_node
from tools.gate_today import obstacles

ROOT = Path(__file__).parents[1]
PUBLISHED = ROOT / "reports" / "published"
RESULTS = PUBLISHED / "frameworks"
FINDINGS = ROOT / "reports" / "findings"
DEVIATIONS = ROOT / "reports" / "known_deviations"
README = ROOT / "README.md"

# The lines of the README before and after the part that is made from findings.
MARKS = ("<!-- findings -->", "<!-- end of findings -->")

# These are judged with profile default, and all others with smoke: many of them compile for seconds
# for each new size, and would take hours.
IN_DEFAULT = {
    *("reference", "onnxruntime", "torch", "torch-onednn-off", "torch-inference", "torch-trace"),
    *("torch-functional", "torch-func", "torch-cell", "torch-parametrized", "torch-pruned"),
    *("torch-weight-norm", "torch-autocast", "torch-dynamic-float16", "torch-quantizable", "webnn"),
    *("torch-cpp", "keras-torch-unrolled", "tensorflow-block", "onnx-reference", "ncnn", "mnn"),
    *("onnxruntime-node", "onnxruntime-wasm"),
}

OPTIONS = {
    # Its weights are float16 by design, and everything else is float32.
    "torch-dynamic-float16": ["--working-precision", "float16"],
    # Some cases end the process.
    "torch-xla": ["--device", "xla", "--isolate"],
    **{
        name: ["--isolate"]
        for name in ("onnxruntime", "torch-onnx-torchscript", "openvino", "mnn", "paddle")
    },
}

# The time for each adapter. The most informative tests come first. Adapters that unroll the loop
# over the steps and compile the result may need minutes for one case.
LONGEST = "35m"

# Each extra to the packages that it needs in another version than constraints.txt has.
# MindSpore 2.10 is compiled for NumPy 1. With NumPy 2 the first call raises, and indexing after it
# may raise, too. PyTorch/XLA is compiled for one release of torch.
VERSIONS = {"mindspore": {"numpy": "1.26.4"}, "xla": {"torch": "2.9.1"}}

# What an adapter needs of npm.
NPM = {
    "onnxruntime-node": ["onnxruntime-node@1.30.0"],
    "onnxruntime-wasm": ["onnxruntime-web@1.30.0"],
    "tfjs": ["@tensorflow/tfjs@4.22.0"],
    "tfjs-wasm": ["@tensorflow/tfjs@4.22.0", "@tensorflow/tfjs-backend-wasm@4.22.0"],
    # The second one is a Chromium.
    "webnn": ["puppeteer-core@24.43.1", "@sparticuz/chromium@147.0.0"],
}


def judge(name: str, options: list[str]) -> int:
    """Runs ``lstm-conformance check NAME`` with its known deviations, and publishes the results.

    Those of an interrupted run are not published.
    """
    RESULTS.mkdir(exist_ok=True)
    new = RESULTS / f"{name}.new.json"
    command = [sys.executable, "-m", "lstm_conformance", "check", name]
    profile = "default" if name in IN_DEFAULT else "smoke"
    command += ["--profile", profile, "--max-time", LONGEST]
    command += OPTIONS.get(name, [])
    known = DEVIATIONS / f"{name}.toml"
    if known.exists():
        command += ["--known-deviations", str(known)]
    command += ["--json", str(new), *options]
    try:
        status = subprocess.run(command, check=False).returncode
        if new.exists() and read_results(new)["stopped"] != "interrupted":
            new.replace(RESULTS / f"{name}.json")
    finally:
        new.unlink(missing_ok=True)
    return status


@cache
def published() -> list[Results]:
    """Results of all adapters that have any, in the order of the registry."""
    files = [RESULTS / f"{name}.json" for name in REGISTRY]
    return [read_results(file) for file in files if file.exists()]


def obstacles_today() -> dict[str, list[str]]:
    """Each published adapter to the clauses for which its gate does not pass today."""
    found = {}
    for results in published():
        name = results["implementation"]["target"]
        file = DEVIATIONS / f"{name}.toml"
        found[name] = obstacles(results, read_known_deviations(file) if file.exists() else ())
    return found


def not_judged() -> dict[str, str]:
    """Each adapter without results to what it needs."""
    have = {results["implementation"]["target"] for results in published()}
    return {name: adapter.needs for name, adapter in REGISTRY.items() if name not in have}


@cache
def findings() -> list[Finding]:
    """All findings, the most severe first."""
    return read_findings(FINDINGS / "findings.toml")


def programs() -> dict[str, FindingProgram]:
    """The id of each finding to its program, in Python or JavaScript."""
    files = [file for suffix in ("py", "mjs") for file in sorted(FINDINGS.glob(f"*.{suffix}"))]
    return {file.stem: FindingProgram(file.name, file.read_text("utf-8")) for file in files}


def pages() -> dict[str, Callable[[], str]]:
    """Each page in ``reports/published/`` to a function that makes its text from results."""
    # Environments in which adapters are judged lack the packages that draw.
    from lstm_conformance.reports.html import report_html
    from lstm_conformance.reports.matrix_page import linked_matrix_html
    from lstm_conformance.reports.matrix_picture import matrix_picture

    return {
        "frameworks.md": lambda: framework_page(published(), obstacles_today(), not_judged()),
        "findings.md": lambda: findings_page(findings(), programs()),
        "matrix.html": lambda: linked_matrix_html(published(), "implementations"),
        "matrix.svg": lambda: matrix_picture(published()),
        "torch.html": lambda: report_html(read_results(RESULTS / "torch.json")),
        **torch_releases.pages(findings()),
    }


def with_findings(readme: str) -> str:
    """``readme`` with new lines on findings."""
    begin, end = MARKS
    pattern = f"(?<={re.escape(begin)}\n).*?(?={re.escape(end)})"
    made = f"\n{worst_findings(findings())}\n\n"
    return re.sub(pattern, lambda _: made, readme, flags=re.DOTALL)


def main(arguments: list[str]) -> int:
    """Runs one of the commands, and returns the exit status."""
    command, name = (*arguments, "", "")[:2]
    name = name.removeprefix("framework-")
    if command == "install" and name in REGISTRY:
        extra = REGISTRY[name].extra
        status = install(extra, VERSIONS.get(extra, {}))
        return status or (install_for_node(NPM[name]) if name in NPM else 0)
    if command == "judge" and name in REGISTRY:
        return judge(name, arguments[2:])
    if arguments == ["table"]:
        for name, text in pages().items():
            write_text(PUBLISHED / name, text())
        write_text(README, with_findings(README.read_text("utf-8")))
        return 0
    print(inspect.cleandoc(__doc__ or ""), file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
