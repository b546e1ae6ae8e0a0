"""An LSTM that is a function over arrays, of NumPy or of a framework, as an implementation."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ..spec.case import OUTPUTS, Case
from ..spec.contract import Nonconformance, Observation, ObservedTensor

__all__ = ["FunctionLSTM", "padding", "too_long_to_unroll", "without_padding"]

Arrays = dict[str, Any]

# Steps that compile in seconds. One case of 500 would take longer than all others together.
MOST_UNROLLED = 50


class FunctionLSTM:
    """What ``function`` computes, with gradients by ``differentiate``.

    Args:
        name: how reports call it.
        version: of the package it is from.
        capabilities: names of ``spec.capabilities.CAPABILITIES``.
        function: ``function(case, arguments) -> (output, h_n, c_n)``. The arguments are by
            name (``input``, ``h_0``, ``weight_ih_l0``, ...), in the shapes of ``case.shapes()``
            and its dtype. Of packed cases, input and output are padded with zeros, and
            ``case.lengths`` tells the steps of each row.
        array: makes an array of the framework of one of NumPy.
        numpy: makes a NumPy array of one of the framework.
        differentiate: ``differentiate(call, arguments, cotangents) -> (outputs, gradients)``,
            dicts all but ``call``, which maps arguments to outputs. Needed by those that
            declare ``gradients``.
        unsupported: why a case inside the capabilities is not supported all the same, or None.
    """

    def __init__(
        self,
        name: str,
        version: str,
        capabilities: frozenset[str],
        function: Callable[[Case, Arrays], tuple[Any, Any, Any]],
        *,
        array: Callable[[Any], Any] = np.asarray,
        numpy: Callable[[Any], Any] = np.asarray,
        differentiate: Callable[..., tuple[Arrays, Arrays]] | None = None,
        unsupported: Callable[[Case], str | None] = lambda case: None,
    ) -> None:
        self.name = name
        self.version = version
        self.capabilities = capabilities
        self.unsupported = unsupported
        self._function = function
        self._array = array
        self._numpy = numpy
        self._differentiate = differentiate

    def run(self, case: Case) -> Observation:
        """The forward pass, and the backward pass where the case has cotangents.

        Raises:
            Nonconformance: a result is no array of real numbers.
        """
        arguments = self.arrays(case, case.arguments())
        start = time.perf_counter()
        if case.cotangents:
            cotangents = self.arrays(case, case.cotangent_values())
            assert self._differentiate is not None, "gradients are declared"
            outputs, gradients = self._differentiate(self.call(case), arguments, cotangents)
        else:
            outputs, gradients = self.call(case)(arguments), {}
        seconds = time.perf_counter() - start
        results = {**outputs, **{f"{name}.grad": value for name, value in gradients.items()}}
        return Observation(self.observe(results), seconds)

    def call(self, case: Case) -> Callable[[Arrays], Arrays]:
        """The function of the arguments alone: outputs by name."""

        def call(arguments: Arrays) -> Arrays:
            return dict(zip(OUTPUTS, self._function(case, arguments), strict=True))

        return call

    def arrays(self, case: Case, values: dict[str, Any]) -> Arrays:
        """Values as arrays of the framework, in the dtype of the case."""
        return {name: self._array(value.astype(case.dtype)) for name, value in values.items()}

    def observe(self, results: Arrays) -> dict[str, ObservedTensor]:
        """The numbers of some results.

        Raises:
            Nonconformance: one is no array of real numbers.
        """
        observed = {}
        for name, result in results.items():
            array = np.asarray(self._numpy(result))
            try:
                values = array.astype(np.float64, casting="safe", copy=True)
            except TypeError:
                raise Nonconformance(f"{name} has dtype {array.dtype}") from None
            observed[name] = ObservedTensor(values, str(array.dtype), "cpu")
        return observed


def too_long_to_unroll(case: Case) -> str | None:
    """Why it is not supported, for frameworks that compile every step of the loop by itself."""
    if case.seq_len <= MOST_UNROLLED:
        return None
    return f"more than {MOST_UNROLLED} steps take too long to compile"


def padding(case: Case) -> Any:
    """Where the output of a packed case is behind the end of its row.

    ``pad_packed_sequence`` has zeros there; some frameworks do not document what they have.

    Returns:
        Booleans of NumPy, (L, N, 1) or, batch first, (N, L, 1).
    """
    ended = np.arange(case.seq_len)[:, None] >= np.array(case.lengths)  # (L, N)
    return (ended.T if case.config.batch_first else ended)[..., None]


def without_padding(case: Case, output: Any) -> Any:
    """A NumPy output with zeros behind the end of each row."""
    if not case.packed:
        return output
    return np.where(padding(case), np.zeros_like(output), output)
