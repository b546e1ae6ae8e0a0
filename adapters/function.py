"""Turns a function over arrays, of NumPy or of a framework, into an implementation."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ..spec.case import OUTPUTS, Case
from ..spec.contract import Nonconformance, Observation, ObservedTensor
from .changed_arrays import RunsOverArrays

__all__ = ["Arrays", "FunctionLSTM", "too_long_to_unroll", "without_padding"]

# Arrays of NumPy or of a framework, by name.
Arrays = dict[str, Any]

# So many steps compile in seconds. A case of 500 would take longer than all other cases together.
MAX_UNROLLED_STEPS = 50


class FunctionLSTM(RunsOverArrays):
    """An implementation that calls ``function``, with gradients by ``differentiate``.

    Args:
        name: the name in reports.
        version: the version of the package.
        capabilities: names of ``spec.capabilities.CAPABILITIES``.
        function: ``function(case, arguments) -> (output, h_n, c_n)``. The arguments are arrays by
            name (``input``, ``h_0``, ``weight_ih_l0``, ...), in the shapes of ``case.shapes()``
            and the dtype of the case. In packed cases, ``case.lengths`` has the steps of each
            row, and the output is padded with zeros. What is in the padding of the input, NaN in
            clause PACK-8, must have no effect.
        array: converts a NumPy array to an array of the framework.
        numpy: converts an array of the framework to a NumPy array.
        differentiate: ``differentiate(call, arguments, cotangents) -> (outputs, gradients)``,
            required for the capability ``gradients``. ``call`` maps a dict of arguments to a dict
            of outputs, by ``function``. All others are dicts of arrays by name. A backward pass
            that is written by hand can get the case from ``function``, which ``call`` calls.
        unsupported: returns why a case is not supported although its capabilities are, or None.
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
        self._to_numpy = numpy
        self._differentiate = differentiate

    def run(self, case: Case) -> Observation:
        """Runs the forward pass, and the backward pass if the case has cotangents.

        Raises:
            Nonconformance: a result is not an array of real numbers.
        """
        arguments, cotangents = self._given(case)
        start = time.perf_counter()
        results = self._results(case, arguments, cotangents)
        seconds = time.perf_counter() - start
        return Observation(self.observe(results), seconds)

    def _numpy(self, array: Any) -> Any:
        return self._to_numpy(array)

    def _given(self, case: Case) -> tuple[Arrays, Arrays]:
        """New arrays: the arguments, and the cotangents."""
        cotangents = case.cotangent_values() if case.cotangents else {}
        return self.arrays(case, case.arguments()), self.arrays(case, cotangents)

    def _results(self, case: Case, arguments: Arrays, cotangents: Arrays) -> Arrays:
        if not case.cotangents:
            return self.call(case)(arguments)
        assert self._differentiate is not None, "the capability gradients needs differentiate"
        outputs, gradients = self._differentiate(self.call(case), arguments, cotangents)
        return {**outputs, **{f"{name}.grad": value for name, value in gradients.items()}}

    def call(self, case: Case) -> Callable[[Arrays], Arrays]:
        """The function for ``case``: from a dict of arguments to a dict of outputs."""

        def call(arguments: Arrays) -> Arrays:
            return dict(zip(OUTPUTS, self._function(case, arguments), strict=True))

        return call

    def arrays(self, case: Case, values: Arrays) -> Arrays:
        """``values`` as arrays of the framework, in the dtype of the case."""
        return {name: self._array(value.astype(case.dtype)) for name, value in values.items()}

    def observe(self, results: Arrays) -> dict[str, ObservedTensor]:
        """The values and dtypes of results.

        Raises:
            Nonconformance: a result is not an array of real numbers.
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
    """Why ``case`` is not supported by frameworks that compile each step of the loop; or None."""
    if case.seq_len <= MAX_UNROLLED_STEPS:
        return None
    return f"more than {MAX_UNROLLED_STEPS} steps take too long to compile"


def without_padding(case: Case, output: Any) -> Any:
    """A NumPy output with zeros in the padding, as ``pad_packed_sequence`` has them.

    Some frameworks do not document their padding.
    """
    if not case.packed:
        return output
    return np.where(case.padding(), np.zeros_like(output), output)
