"""Keras's own tests of its layer LSTM, from the package ``keras``.

``keras/src/layers/rnn/lstm_test.py`` (github.com/keras-team/keras) runs with a stand-in for the
layer, which notes what it is called with, and with an assertion that notes what is expected. The
layer is documented at https://keras.io/api/layers/recurrent_layers/lstm/: gates in the order i, f,
c, o, one bias, and 1 as that of the forget gate unless ``unit_forget_bias=False``.
"""

from __future__ import annotations

import importlib
import os
import unittest
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np

from .other_case import (
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
)

__all__ = ["cases_of_tests", "keras_tests"]

_MODULE = "keras.src.layers.rnn.lstm_test"

# They change how the layer computes, not what.
_NO_EFFECT = {"implementation", "unroll"}
_KNOWN = {
    "kernel_initializer",
    "recurrent_initializer",
    "bias_initializer",
    "use_bias",
    "unit_forget_bias",
    "go_backwards",
    "return_sequences",
    "stateful",
    "zero_output_for_mask",
}


def keras_tests() -> Suite:
    """All assertions of the tests.

    Raises:
        ModuleNotFoundError: a package is not installed.
    """
    os.environ.setdefault("KERAS_BACKEND", "torch")  # Keras needs one; nothing is computed by it
    keras = importlib.import_module("keras")
    tests = importlib.import_module(_MODULE)
    file = f"{_MODULE.replace('.', '/')}.py"
    suite = Suite("Keras's tests", f"`{file}` of the package keras {keras.__version__}")
    for name, case in cases_of_tests(tests, "LSTMTest").items():
        if isinstance(case, NotConvertible):
            suite.left_out[name] = str(case)
        else:
            suite.cases.append(case)
    return suite


def cases_of_tests(module: Any, name: str) -> dict[str, OtherCase | NotConvertible]:
    """Each assertion on numbers in a class of tests, converted, or why it cannot be.

    Args:
        module: that has the class, and uses ``layers.LSTM``.
        name: of the class.
    """
    found: dict[str, OtherCase | NotConvertible] = {}
    test_class = _recording(getattr(module, name), found)
    with mock.patch.object(module, "layers", SimpleNamespace(LSTM=_Layer)):
        for method in unittest.TestLoader().getTestCaseNames(test_class):
            before = len(found)
            try:
                getattr(test_class(method), method)()
            except Exception as error:  # whatever a test does with a stand-in
                found[method] = NotConvertible(f"needs a layer: {type(error).__name__}")
            if len(found) == before:
                found[method] = NotConvertible("checks no numbers")
    return found


def _recording(test_class: Any, found: dict[str, OtherCase | NotConvertible]) -> Any:
    class Recording(test_class):
        def run_layer_test(self, *_: Any, **__: Any) -> None:
            """Checks shapes, counts and saving."""

        def assertAllClose(
            self, actual: Any, desired: Any, atol: float = 1e-6, rtol: float = 1e-6, **_: Any
        ) -> None:
            of_method = sum(name.partition(" ")[0] == self._testMethodName for name in found)
            name = f"{self._testMethodName} {of_method + 1}"
            try:
                case, parts = actual.converted(np.asarray(desired))
            except NotConvertible as reason:
                found[name] = reason
            else:
                found[name] = OtherCase(name, case, parts, AllClose(rtol, atol))

    return Recording


class _Layer:
    """What a test constructs in place of ``keras.layers.LSTM``."""

    def __init__(self, units: int, **options: Any) -> None:
        self.units, self.options = units, options
        self.reset_state()

    def reset_state(self) -> None:
        self.past: list[Array] = []

    def __call__(self, sequence: Any, initial_state: Any = None, mask: Any = None) -> _Result:
        steps = np.asarray(sequence)
        if self.options.get("stateful"):
            # The states go on: one call of all steps so far has the same final states.
            self.past.append(steps)
            steps = np.concatenate(self.past, axis=1)
        return _Result(self, steps, initial_state, mask)


@dataclass(frozen=True)
class _Result:
    """What a call returns: the output of the last step, or of all steps, of all rows or of one."""

    layer: _Layer
    steps: Array  # (N, L, features)
    initial_state: Any
    mask: Any
    row: int | None = field(default=None)

    def __getitem__(self, row: int) -> _Result:
        return replace(self, row=row)

    def converted(self, desired: Array) -> tuple[Any, tuple[Part, ...]]:
        """The case, and what is expected."""
        options = self.layer.options
        others = sorted(set(options) - _KNOWN - _NO_EFFECT)
        if others:
            raise NotConvertible(", ".join(others))
        direction = REVERSE if options.get("go_backwards") else FORWARD
        steps, lengths = self.steps, [self.steps.shape[1]] * len(self.steps)
        if self.mask is not None:
            # Steps that are masked come first or last; without them, rows begin together.
            lengths = [int(row.sum()) for row in self.mask]
            steps = np.zeros((len(steps), max(lengths), steps.shape[2]), steps.dtype)
            for n, row in enumerate(self.mask):
                steps[n, : lengths[n]] = self.steps[n][row]
        states = None
        if self.initial_state is not None:
            states = tuple(np.asarray(state)[None] for state in self.initial_state)
        case = converted(
            steps, [self._gates(steps.shape[2])], direction, states, lengths, batch_first=True
        )
        if not options.get("return_sequences"):
            return case, (Part("h_n", (int(direction == REVERSE),), desired),)
        if direction == REVERSE or self.row is None:
            raise NotConvertible("all steps of all rows, or in reverse")
        # Behind the end of a row, Keras repeats a step or has zeros, and torch has nothing.
        length = lengths[self.row]
        return case, (Part("output", (self.row, slice(length)), desired[:length]),)

    def _gates(self, features: int) -> Gates:
        options, units = self.layer.options, self.layer.units
        kernel, recurrent = (
            np.full((4 * units, n), options[name].value)
            for name, n in (("kernel_initializer", features), ("recurrent_initializer", units))
        )
        if not options.get("use_bias", True):
            return Gates(kernel, recurrent, None, None)
        bias = np.full(4 * units, options["bias_initializer"].value)
        if options.get("unit_forget_bias", True):
            bias[units : 2 * units] = 1
        return Gates(kernel, recurrent, bias, np.zeros(4 * units))
