"""The tests of LSTM that ONNX gives to backends, from the package ``onnx``.

They are made by ``onnx/backend/test/case/node/lstm.py`` (github.com/onnx/onnx). The operator is
documented at https://onnx.ai/onnx/operators/onnx__LSTM.html: gates in the order i, o, f, c.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any
from unittest import mock

import numpy as np

from .other_case import (
    BOTH,
    FORWARD,
    REVERSE,
    AllClose,
    Array,
    Gates,
    NotConvertible,
    OtherCase,
    Part,
    Suite,
    converted,
    in_torch_order,
    where,
)

__all__ = ["case_of_node", "onnx_backend_tests"]

_DIRECTIONS = {"forward": FORWARD, "reverse": REVERSE, "bidirectional": BOTH}
_INPUTS = ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")
_OUTPUTS = {"Y": "output", "Y_h": "h_n", "Y_c": "c_n"}


def onnx_backend_tests() -> Suite:
    """All tests of the operator LSTM.

    Raises:
        ModuleNotFoundError: the package is not installed.
    """
    onnx = importlib.import_module("onnx")
    node = importlib.import_module("onnx.backend.test.case.node")
    # It would import the tests of all operators, which takes half a minute.
    only_this = mock.patch.object(
        node,
        "import_recursive",
        lambda package: importlib.import_module(f"{package.__name__}.lstm"),
    )
    with only_this:
        tests = node.collect_testcases("LSTM")
    file = "onnx/backend/test/case/node/lstm.py"
    suite = Suite("ONNX backend tests", f"`{file}` of the package onnx {onnx.__version__}")
    for test in tests:
        (operator,) = test.model.graph.node
        ((inputs, outputs),) = test.data_sets
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in operator.attribute}
        try:
            case, expected = case_of_node(
                attributes,
                dict(zip([n for n in operator.input if n], inputs, strict=True)),
                dict(zip([n for n in operator.output if n], outputs, strict=True)),
            )
        except NotConvertible as reason:
            suite.left_out[test.name] = str(reason)
        else:
            tolerance = AllClose(test.rtol, test.atol)
            suite.cases.append(OtherCase(test.name, case, expected, tolerance))
    return suite


def case_of_node(
    attributes: Mapping[str, Any], inputs: Mapping[str, Array], outputs: Mapping[str, Array]
) -> tuple[Any, tuple[Part, ...]]:
    """The case of one node, and what is expected.

    Args:
        attributes: of the node; text as bytes, as ONNX has it.
        inputs, outputs: by their names in the documentation, without those that are left out.

    Raises:
        NotConvertible: it has peepholes, other activations, or something else that torch has not.
    """
    known = {"hidden_size", "direction", "layout"}
    others = sorted(set(attributes) - known) + sorted(set(inputs) - set(_INPUTS))
    if others:
        raise NotConvertible(", ".join(others))
    if np.any(inputs.get("P", 0)):
        raise NotConvertible("peepholes")
    direction = _DIRECTIONS[attributes.get("direction", b"forward").decode()]
    batch_first = attributes.get("layout", 0) == 1
    weights = []
    for d in range(len(inputs["W"])):
        biases = (None, None) if "B" not in inputs else np.split(inputs["B"][d], 2)
        order = [None if b is None else in_torch_order(b, "iofg") for b in biases]
        weights.append(
            Gates(
                in_torch_order(inputs["W"][d], "iofg"),
                in_torch_order(inputs["R"][d], "iofg"),
                *order,
            )
        )
    states = None
    if "initial_h" in inputs or "initial_c" in inputs:
        given = inputs.get("initial_h", inputs.get("initial_c"))
        pair = [inputs.get(name, np.zeros_like(given)) for name in ("initial_h", "initial_c")]
        states = tuple(np.swapaxes(s, 0, 1) if batch_first else s for s in pair)
    case = converted(
        inputs["X"],
        weights,
        direction,
        states,
        [int(n) for n in inputs.get("sequence_lens", ())],
        batch_first,
        str(inputs["X"].dtype),
    )
    hidden_size = case.config.hidden_size
    expected = [
        Part(
            _OUTPUTS[name],
            where(_OUTPUTS[name], direction, hidden_size),
            _in_torch_layout(name, values, batch_first),
        )
        for name, values in outputs.items()
    ]
    return case, tuple(expected)


def _in_torch_layout(name: str, values: Array, batch_first: bool) -> Array:
    """Y (L, D, N, H) as (L, N, D*H); with batch first, (N, L, D, H) as (N, L, D*H)."""
    if name == "Y":
        values = values if batch_first else np.swapaxes(values, 1, 2)
        return values.reshape(*values.shape[:2], -1)
    return np.swapaxes(values, 0, 1) if batch_first else values
