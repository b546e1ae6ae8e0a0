"""The Web Platform Tests of WebNN's ``lstm`` and ``lstmCell``.

They are read from Servo's copy of the tests, at a commit, or from a folder. The operations are
documented at https://www.w3.org/TR/webnn/#api-mlgraphbuilder-lstm.
"""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import json5
import numpy as np

from lstm_conformance.spec.usage_error import UsageError

from .other_case import (
    BOTH,
    FORWARD,
    REVERSE,
    Array,
    Gates,
    NotConvertible,
    OtherCase,
    Part,
    Suite,
    ULPs,
    converted,
    in_torch_order,
    where,
)

__all__ = ["FILES", "cases_of_file", "web_platform_tests"]

REPOSITORY, COMMIT = "servo/servo", "37ae1c0f315ac307d5a66d26574f09d5efb69047"
FOLDER = "tests/wpt/tests/webnn/conformance_tests"
FILES = ("lstm.https.any.js", "lstm_cell.https.any.js")

_DIRECTIONS = {"forward": FORWARD, "backward": REVERSE, "both": BOTH}
# The name of each gate in a layout: WebNN's "g" is the cell gate.
_DEFAULT_LAYOUT = "iofg"
_DEFAULT_ACTIVATIONS = ["sigmoid", "tanh", "tanh"]


def web_platform_tests(folder: Path | None) -> Suite:
    """All tests of both operations.

    Args:
        folder: that has the files; None to read them from the repository.

    Raises:
        UsageError: a file cannot be read.
    """
    where_from = f"github.com/{REPOSITORY}, commit {COMMIT[:12]}"
    suite = Suite("Web Platform Tests", f"`{FOLDER}/`{{{', '.join(FILES)}}} of {where_from}")
    for file in FILES:
        for name, case in cases_of_file(_text(file, folder)).items():
            if isinstance(case, NotConvertible):
                suite.left_out[name] = str(case)
            else:
                suite.cases.append(case)
    return suite


def _text(file: str, folder: Path | None) -> str:
    url = f"https://raw.githubusercontent.com/{REPOSITORY}/{COMMIT}/{FOLDER}/{file}"
    try:
        if folder is not None:
            return (folder / file).read_text("utf-8")
        with urllib.request.urlopen(url, timeout=60) as answer:
            return str(answer.read().decode("utf-8"))
    except OSError as error:
        place = url if folder is None else str(folder / file)
        raise UsageError(
            f"{place} cannot be read ({error}): save the file from the network into a folder, and "
            "name the folder by --files."
        ) from None


def cases_of_file(text: str) -> dict[str, OtherCase | NotConvertible]:
    """Each test of a file by its name, converted, or why it cannot be.

    Args:
        text: JavaScript that has one list of tests, and one table of tolerances.
    """
    table = re.search(r"toleranceValueDict = (\{.*?\});", text)
    tests = re.search(r"^const \w+Tests = (\[\n.*?^\]);", text, re.DOTALL | re.MULTILINE)
    if table is None or tests is None:
        raise UsageError("a file of the Web Platform Tests has another form than expected.")
    limits = json5.loads(table[1])
    found: dict[str, OtherCase | NotConvertible] = {}
    for test in json5.loads(tests[1]):
        try:
            found[test["name"]] = _case(test, limits)
        except NotConvertible as reason:
            found[test["name"]] = reason
    return found


def _case(test: Mapping[str, Any], limits: Mapping[str, int]) -> OtherCase:
    graph = test["graph"]
    if len(graph["operators"]) != 1:
        raise NotConvertible("several operators")
    (operator,) = graph["operators"]
    tensors = {name: _tensor(value) for name, value in graph["inputs"].items()}
    given: dict[str, Any] = {}
    for argument in operator["arguments"]:
        given |= argument
    options = given.pop("options", {})
    named = {**given, **options}
    arrays = {name: tensors[v] for name, v in named.items() if isinstance(v, str) and v in tensors}
    is_cell = operator["name"] == "lstmCell"
    if is_cell:  # one step and one direction, without the axes for them
        arrays = {name: value[None] for name, value in arrays.items()}
        arrays |= {
            "initialHiddenState": arrays.pop("hiddenState"),
            "initialCellState": arrays.pop("cellState"),
        }
    if np.any(arrays.get("peepholeWeight", 0)):
        raise NotConvertible("peepholes")
    activations = options.get("activations", _DEFAULT_ACTIVATIONS)
    if activations not in (_DEFAULT_ACTIVATIONS, ["relu"] * 3):
        raise NotConvertible(f"activations {', '.join(activations)}")
    direction = _DIRECTIONS[options.get("direction", "forward")]
    layout = options.get("layout", _DEFAULT_LAYOUT)
    weights = [_gates(arrays, d, layout) for d in range(len(arrays["weight"]))]
    states = None
    if "initialHiddenState" in arrays or "initialCellState" in arrays:
        one = arrays.get("initialHiddenState", arrays.get("initialCellState"))
        zeros = np.zeros_like(one)
        states = (
            arrays.get("initialHiddenState", zeros),
            arrays.get("initialCellState", zeros),
        )
    expected = {name: _tensor(value) for name, value in graph["expectedOutputs"].items()}
    dtype = graph["inputs"][given["input"]]["descriptor"]["dataType"]
    case = converted(arrays["input"], weights, direction, states, dtype=dtype)
    parts = []
    for tensor, name in zip(("h_n", "c_n", "output"), operator["outputs"], strict=False):
        values = expected[name][None] if is_cell else expected[name]
        if tensor == "output":  # (L, D, N, H) as (L, N, D*H)
            values = np.swapaxes(values, 1, 2).reshape(case.seq_len, case.batch_size, -1)
        parts.append(Part(tensor, where(tensor, direction, case.config.hidden_size), values))
    tolerance = ULPs(limits[dtype], dtype)
    return OtherCase(test["name"], case, tuple(parts), tolerance, activations[0] == "relu")


def _tensor(value: Mapping[str, Any]) -> Array:
    descriptor = value["descriptor"]
    return np.array(value["data"], descriptor["dataType"]).reshape(descriptor["shape"])


def _gates(arrays: Mapping[str, Array], d: int, layout: str) -> Gates:
    biases = [
        in_torch_order(arrays.get(name, np.zeros_like(arrays["weight"][..., 0]))[d], layout)
        for name in ("bias", "recurrentBias")
    ]
    weights = [in_torch_order(arrays[name][d], layout) for name in ("weight", "recurrentWeight")]
    return Gates(weights[0], weights[1], biases[0], biases[1])
