"""What the suite asks of an implementation, and what it gets back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .case import Case

__all__ = ["Implementation", "Nonconformance", "Observation", "ObservedTensor", "Unsupported"]


class Nonconformance(Exception):
    """The implementation broke its interface: a parameter is missing, a result no tensor."""


class Unsupported(Exception):
    """The implementation does not have what is asked for; the message says what."""


@dataclass(frozen=True)
class ObservedTensor:
    """One tensor that an implementation returned.

    Attributes:
        values: the numbers, exactly, as float64 in the shape they were returned in.
        dtype: torch's name of the dtype they were returned in.
        device: type of the device they were returned on.
    """

    values: NDArray[np.float64]
    dtype: str
    device: str


@dataclass(frozen=True)
class Observation:
    """What an implementation did with a case.

    Attributes:
        tensors: one for each name of ``Case.result_names``.
        seconds: time spent inside the implementation.
    """

    tensors: dict[str, ObservedTensor]
    seconds: float


class Implementation(Protocol):
    """What is judged. No subclassing is needed.

    Further methods are optional.

    * ``unsupported(case) -> str | None``: why a case is outside of what is supported, for limits
      that no capability names. It is asked only about cases inside the capabilities.
    * ``device_missing(device) -> str | None``: why a device cannot be used on this machine.
      Without it, all but ``cpu`` are missing.

    Three more belong to capabilities, and each may raise :class:`Unsupported`.

    * ``bench(case)``: a context manager that gives a torch module to be handled by hand, see
      ``adapters/torch_bench.py``.
    * ``tangents(case, direction) -> Observation``: forward mode. The direction has an array for
      some arguments; the tensors are the derivatives of ``output``, ``h_n`` and ``c_n``.
    * ``second_derivatives(case, direction) -> Observation``: double backward. The tensors are
      the derivatives of ``input.grad`` and so on along the direction, and of the outputs.

    Attributes:
        name: how reports call it.
        version: of the package it is from.
        capabilities: names of ``capabilities.CAPABILITIES``; a case that needs another one is
            unsupported, and is not run.
    """

    name: str
    version: str
    capabilities: frozenset[str]

    def run(self, case: Case) -> Observation:
        """The forward pass, and the backward pass where the case has cotangents.

        Raises:
            Nonconformance: the interface is broken.
            Exception: whatever the implementation raises; it becomes the verdict ``error``.
        """
        ...
