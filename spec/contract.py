"""The interface of an implementation, and of its results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .case import Case

__all__ = [
    "UNKNOWN_VERSION",
    "Implementation",
    "Nonconformance",
    "Observation",
    "ObservedTensor",
    "Unsupported",
    "reason_of",
]

# Stands for the version of an implementation that has none.
UNKNOWN_VERSION = "unknown"


class Nonconformance(Exception):
    """The implementation broke its interface: a parameter is missing, a result is not a tensor."""


class Unsupported(Exception):
    """The implementation lacks a feature. The message names the feature."""


def reason_of(what: str, error: Exception) -> str:
    """Why ``what`` is unsupported: the exception that it raises, in one line."""
    message = (str(error).splitlines() or [""])[0][:200]
    return f"{what}: {type(error).__name__}: {message}"


@dataclass(frozen=True)
class ObservedTensor:
    """One tensor that an implementation returned.

    Attributes:
        values: the exact values, as float64, in the shape of the tensor.
        dtype: torch's name of the dtype of the tensor.
        device: the type of the device of the tensor.
    """

    values: NDArray[np.float64]
    dtype: str
    device: str


@dataclass(frozen=True)
class Observation:
    """The results of an implementation for a case.

    Attributes:
        tensors: one for each name of ``Case.result_names``.
        seconds: the time spent inside the implementation.
    """

    tensors: dict[str, ObservedTensor]
    seconds: float


class Implementation(Protocol):
    """An LSTM that can be judged. It needs no base class.

    Further methods, and an attribute, are optional.

    * ``unsupported(case) -> str | None``: why the case is not supported, for limits that no
      capability describes. It is called only for cases that need no missing capability.
    * ``device_missing(device) -> str | None``: why a device cannot be used on this machine. An
      implementation without this method has only ``cpu``.

    * ``changed_arguments(case) -> list[str]``: names of the arguments and cotangents that a run of
      the case changes. Functions over arrays have it.
    * ``changed_results(case, later) -> list[str]``: names of the results of the case that a later
      run of another case changes. Functions over arrays have it.
    * ``only_config``, an attribute: the :class:`.LSTMConfig` of a module that exists already, and
      that is not constructed in others. Cases have this one.

    Three more methods belong to capabilities. Each may raise :class:`Unsupported`.

    * ``bench(case)``: a context manager. It returns an object with which a test constructs and
      calls a torch module step by step, see ``adapters/torch_bench.py``.
    * ``tangents(case, direction) -> Observation``: forward mode. The direction has an array for
      some arguments. The tensors are the derivatives of ``output``, ``h_n`` and ``c_n`` in it.
    * ``second_derivatives(case, direction) -> Observation``: double backward. The tensors are
      the derivatives of the gradients and of the outputs in the direction. What has a bench also
      has ``tangents_under_no_grad`` and ``second_derivatives_of_computed_parameters``, which are
      the same in another use of the module.

    Attributes:
        name: the name in reports.
        version: the version of its package.
        capabilities: names of ``capabilities.CAPABILITIES``. A case that needs another one is
            unsupported and does not run.
    """

    name: str
    version: str
    capabilities: frozenset[str]

    def run(self, case: Case) -> Observation:
        """Runs the forward pass, and the backward pass if the case has cotangents.

        Raises:
            Nonconformance: the interface is broken.
            Exception: anything that the implementation raises. The verdict is then ``error``.
        """
        ...
