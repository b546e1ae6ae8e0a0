"""Measures how many wrong LSTMs the tests of other projects find, beside this suite.

``python -m tools.compare_suites FOLDER`` converts the tests that ONNX, WebNN and Keras have for
their LSTM to the layout of ``torch.nn.LSTM``. It runs them, and PyTorch's own, on each defect, and
writes the outcomes to ``suites.json`` and ``suites.md``. WebNN's tests are read from the network,
unless ``--files`` names a folder that has them. It fails if a right LSTM does not pass all tests.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from tabulate import tabulate

from lstm_conformance.adapters.target import load
from lstm_conformance.defects.catalogue import FORWARD, INTERFACE, KINDS, catalogue
from lstm_conformance.reports.writing import write_results, write_text
from lstm_conformance.runner.judging.trial import Together, Trial
from lstm_conformance.runner.mutation.defect_processes import in_processes
from lstm_conformance.runner.session.environment import environment
from lstm_conformance.spec.case import OUTPUTS, Case
from lstm_conformance.spec.contract import Implementation
from lstm_conformance.spec.usage_error import UsageError
from lstm_conformance.spec.verdicts import FAIL

from .measuring_options import measuring_parser
from .other_suites.keras_layers import keras_tests
from .other_suites.onnx_backend import onnx_backend_tests
from .other_suites.other_case import OtherCase, Suite
from .other_suites.torch_modules import SOURCE, Call, module_calls, passes
from .other_suites.web_platform import web_platform_tests
from .other_suites.with_relu import with_relu

__all__ = [
    "BY_TEST",
    "GRADIENTS",
    "OUTPUTS_ONLY",
    "WAYS",
    "described",
    "distinct",
    "failed",
    "killed_by",
    "page",
    "prepared",
]

# Who decides whether a test has failed: the test, by its own tolerance; this suite's judge, which
# compares all outputs; or all outputs and gradients, with random cotangents.
BY_TEST, OUTPUTS_ONLY, GRADIENTS = WAYS = "own tolerance", "outputs judged", "gradients judged"

TORCH = "PyTorch's module tests"
HERE = "this suite"

# Defects of the interface are about calls that none of these tests makes.
ASKED = tuple(kind for kind in KINDS if kind != INTERFACE)

# Right LSTMs, which all tests have to pass.
RIGHT = ("torch.nn:LSTM", "lstm_conformance.defects.readable:ReadableLSTM")

DEFECTS = Path(__file__).parents[1] / "reports" / "published" / "defects.json"


def main() -> int:
    """Measures, writes, and fails if the tests reject a right LSTM."""
    parser = measuring_parser(__doc__)
    parser.add_argument("--files", type=Path, help="folder that has the files of WebNN's tests")
    options = parser.parse_args()
    try:
        suites = [onnx_backend_tests(), web_platform_tests(options.files), keras_tests()]
        calls = module_calls()
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        print(f"{error.name} is not installed: run `tox -e suites`.", file=sys.stderr)
        return 2
    tests = {suite.name: list(map(prepared, distinct(suite.cases))) for suite in suites}
    for target in RIGHT:
        if any(killed_by(target, tests, calls).values()):
            print(f"{target} is right, and does not pass all tests.", file=sys.stderr)
            return 1
    asked = [defect for defect in catalogue() if defect.kind in ASKED]
    kills = in_processes(
        asked,
        lambda defect, process: process.submit(killed_by, defect.target, tests, calls).result(),
        lambda _: 0,
        options.n,
        ["tools.other_suites.web_platform"],
    )
    published = json.loads(DEFECTS.read_text("utf-8"))["defects"]
    here = {row["id"]: row["verdict"] == "killed" for row in published}
    results = {
        "environment": environment(),
        "suites": [
            *(described(suite) for suite in suites),
            {
                "name": TORCH,
                "source": SOURCE,
                "cases": len(calls),
                "tolerances": [],
                "left_out": {},
            },
        ],
        "defects": [
            {
                "id": defect.id,
                "kind": defect.kind,
                HERE: here[defect.id],
                **killed,
            }
            for defect, killed in zip(asked, kills, strict=True)
        ],
    }
    write_results(options.folder / "suites.json", results)
    write_text(options.folder / "suites.md", page(results))
    print(page(results))
    return 0


def described(suite: Suite) -> dict[str, Any]:
    """What the results say of a suite, besides what it kills."""
    return {
        "name": suite.name,
        "source": suite.source,
        "cases": len(suite.cases),
        "with_relu": sum(case.relu for case in suite.cases),
        "tolerances": sorted({str(case.tolerance) for case in suite.cases}),
        "left_out": suite.left_out,
    }


@dataclass(frozen=True)
class Prepared:
    """A test with what this suite's judge expects of it.

    Attributes:
        test: the test.
        with_gradients: its case, with cotangents of all outputs.
        expected: of both cases.
    """

    test: OtherCase
    with_gradients: Case
    expected: Together


def distinct(tests: Sequence[OtherCase]) -> list[OtherCase]:
    """The tests without those that are the same as another one after the conversion."""
    found = {}
    for test in tests:
        parts = [(part.tensor, str(part.index), part.values.tobytes()) for part in test.expected]
        found[test.case, str(parts), str(test.tolerance), test.relu] = test
    return list(found.values())


def prepared(test: OtherCase) -> Prepared:
    """The test with what is expected, computed once for all defects."""
    with_gradients = replace(test.case, cotangents=OUTPUTS)
    expected = Together([test.case, with_gradients])
    if not test.relu:  # the reference has no ReLU
        expected[test.case]
    return Prepared(test, with_gradients, expected)


def killed_by(
    target: str, suites: Mapping[str, Sequence[Prepared]], calls: Sequence[Call]
) -> dict[str, list[str]]:
    """Which tests find that an LSTM is wrong.

    Args:
        target: the LSTM, a class as ``module:name``.
        suites: name of each suite to its tests.
        calls: of PyTorch's test.

    Returns:
        Name of each suite, and of PyTorch's test, to the ways of ``WAYS`` in which a test fails.

    Raises:
        UsageError: the LSTM cannot be judged.
    """
    module, _, name = target.partition(":")
    cls = getattr(importlib.import_module(module), name)
    plain, relu = load(target), with_relu(cls)
    killed = {}
    for suite, tests in suites.items():
        ways: set[str] = set()
        for one in tests:
            if len(ways) < len(WAYS):
                ways |= failed(one, relu if one.test.relu else plain)
        killed[suite] = [way for way in WAYS if way in ways]
    # A few defects are no modules: they change what a right module returns.
    is_module = isinstance(cls, type) and issubclass(cls, torch.nn.Module)
    passed = not is_module or all(passes(cls, call) for call in calls)
    killed[TORCH] = [] if passed else [BY_TEST]
    return killed


def failed(one: Prepared, implementation: Implementation | None) -> set[str]:
    """The ways of ``WAYS`` in which ``implementation`` fails a test. If it raises, it fails in all.

    Args:
        one: the test. This suite's judge is not asked about tests with ReLU.
        implementation: None if the activations of the LSTM cannot be those of the test.
    """
    if implementation is None:
        return set()
    ways = set()
    trial = Trial(one.test.case, implementation, one.expected)
    try:
        observed = trial.observation
    except Exception:  # whatever the implementation raises
        return {BY_TEST} if one.test.relu else set(WAYS)
    if not one.test.accepts(observed):
        ways.add(BY_TEST)
    if one.test.relu:
        return ways
    if any(finding.verdict == FAIL for finding in trial.close_all(observed.tensors)):
        return ways | {OUTPUTS_ONLY, GRADIENTS}
    trial = Trial(one.with_gradients, implementation, one.expected)
    try:
        findings = trial.close_all(trial.observation.tensors)
    except Exception:  # whatever the implementation raises
        return ways | {GRADIENTS}
    return ways | {GRADIENTS} if any(f.verdict == FAIL for f in findings) else ways


def page(results: Mapping[str, Any]) -> str:
    """The figures as a page in Markdown."""
    rows, suites = results["defects"], results["suites"]
    packages = ", ".join(f"{k} {v}" for k, v in results["environment"]["packages"].items())
    parts = [
        "# Comparison with the test cases of other projects",
        "How many of the LSTMs that are wrong on purpose ([defects](defects.md)) fail the tests "
        "that other projects have for their LSTM. Defects of the interface alone are left out. "
        "The tests are read from packages and repositories, and converted to the layout of "
        "`torch.nn.LSTM`. Made by `tox -e suites`.",
        f"Of {_count(rows, FORWARD)} defects of outputs:",
        _kills(rows, suites, [FORWARD]),
        f"Of all {len(rows)} defects of numbers, which are also of gradients and of accuracy:",
        _kills(rows, suites, ASKED),
        "By kind, each test with its own tolerance:",
        _by_kind(rows, suites),
        "- *own tolerance*: the test fails as its own project compares.\n"
        "- *outputs judged*: the inputs and weights of the test, with all outputs compared by this "
        "suite, to within rounding.\n"
        "- *gradients judged*: the same, and all gradients for random cotangents.\n"
        f"- *{HERE}*: its own cases ([defects](defects.md)).",
        "The other tests are meant for other things: an operator of a format, or a layer, and most "
        "have weights that are all equal, which hides the order of the gates. They have no "
        "expected gradients.",
        "## The tests",
        _read(suites),
        "A test of the reverse direction alone becomes the reverse half of a bidirectional LSTM. "
        "Masked steps at the beginning or the end of a row become a packed sequence. Peephole "
        "weights of zero are left out. Two calls of a layer that keeps its states become one call. "
        "If a test asks for ReLU, the defects get ReLU as well, where that is possible, and only "
        "the test itself decides. RootOfZeroDifferentiated, a defect of gradients, fails such a "
        "test because it rounds more often, and 1 ULP is allowed. PyTorch compares the module with "
        "itself, with a batch and without.",
        "Not converted:",
        _left_out(suites) or "None.",
        f"Measured with {packages}.",
    ]
    return "\n\n".join(parts) + "\n"


def _count(rows: Sequence[Mapping[str, Any]], kind: str) -> int:
    return sum(row["kind"] == kind for row in rows)


def _kills(
    rows: Sequence[Mapping[str, Any]], suites: Sequence[Mapping[str, Any]], kinds: Sequence[str]
) -> str:
    asked = [row for row in rows if row["kind"] in kinds]
    table: list[list[object]] = [
        [
            suite["name"],
            suite["cases"],
            *("" if _unasked(suite, way) else _killed(asked, suite["name"], way) for way in WAYS),
        ]
        for suite in suites
    ]
    table.append([f"**{HERE}**", "", sum(row[HERE] for row in asked), "", ""])
    align = ("left", *["right"] * 4)
    return tabulate(table, ["tests", "cases", *WAYS], "pipe", colalign=align)


def _unasked(suite: Mapping[str, Any], way: str) -> bool:
    return way != BY_TEST and suite["name"] == TORCH


def _killed(rows: Sequence[Mapping[str, Any]], name: str, way: str) -> int:
    return sum(way in row[name] for row in rows)


def _by_kind(rows: Sequence[Mapping[str, Any]], suites: Sequence[Mapping[str, Any]]) -> str:
    names = [suite["name"] for suite in suites]
    table = []
    for kind in ASKED:
        asked = [row for row in rows if row["kind"] == kind]
        own = [_killed(asked, name, BY_TEST) for name in names]
        table.append([kind, len(asked), *own, sum(row[HERE] for row in asked)])
    return tabulate(table, ["kind", "defects", *names, HERE], "pipe")


def _read(suites: Sequence[Mapping[str, Any]]) -> str:
    table = [
        [
            suite["name"],
            suite["source"],
            suite["cases"],
            suite.get("with_relu", 0),
            len(suite["left_out"]),
            "; ".join(suite["tolerances"]) or "that of `torch.testing.assert_close`",
        ]
        for suite in suites
    ]
    headers = ["tests", "read from", "converted", "with ReLU", "not converted", "own tolerance"]
    return tabulate(table, headers, "pipe")


def _left_out(suites: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        f"- {suite['name']}, {test}: {reason}"
        for suite in suites
        for test, reason in suite["left_out"].items()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
