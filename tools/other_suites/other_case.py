"""A test case of another project, as a case of ``torch.nn.LSTM`` with the numbers it expects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lstm_conformance.spec.case import Case
from lstm_conformance.spec.config import LSTMConfig
from lstm_conformance.spec.contract import Observation

__all__ = [
    "FORWARD",
    "REVERSE",
    "AllClose",
    "Gates",
    "NotConvertible",
    "OtherCase",
    "Part",
    "Suite",
    "ULPs",
    "converted",
    "in_torch_order",
    "where",
]

Array = NDArray[Any]

# The directions of a test. A reverse one becomes the reverse half of a bidirectional LSTM.
FORWARD, REVERSE, BOTH = "forward", "reverse", "both"


class NotConvertible(Exception):
    """``torch.nn.LSTM`` cannot do what the test asks for. The message says what that is."""


class Gates(NamedTuple):
    """The parameters of one direction, as in ``torch.nn.LSTM``: gates in the order i, f, g, o."""

    weight_ih: Array  # (4H, features)
    weight_hh: Array  # (4H, H)
    bias_ih: Array | None  # (4H,)
    bias_hh: Array | None  # (4H,)


class Tolerance(Protocol):
    """How a project compares numbers."""

    def accepts(self, observed: Array, expected: Array) -> bool:
        """Whether the project's own runner would accept ``observed``. Both have one shape."""
        ...


@dataclass(frozen=True)
class AllClose:
    """As ``numpy.testing.assert_allclose``."""

    rtol: float
    atol: float

    def __str__(self) -> str:
        return f"rtol {self.rtol:g}, atol {self.atol:g}"

    def accepts(self, observed: Array, expected: Array) -> bool:
        return bool(np.allclose(observed, expected, self.rtol, self.atol, equal_nan=True))


@dataclass(frozen=True)
class ULPs:
    """At most ``limit`` steps between neighbouring numbers of ``dtype``."""

    limit: int
    dtype: str

    def __str__(self) -> str:
        return f"{self.limit} ULP"

    def accepts(self, observed: Array, expected: Array) -> bool:
        steps = [_rank(values.astype(self.dtype)) for values in (observed, expected)]
        return bool(np.all(np.abs(steps[0] - steps[1]) <= self.limit))


def _rank(values: Array) -> NDArray[np.int64]:
    """The place of each number among all of its dtype, 0 for zero."""
    bits = values.view(f"i{values.dtype.itemsize}").astype(np.int64)
    return np.where(bits < 0, np.iinfo(f"i{values.dtype.itemsize}").min - bits, bits)


class Part(NamedTuple):
    """Numbers that a test expects.

    Attributes:
        tensor: ``output``, ``h_n`` or ``c_n``.
        index: of the part of the tensor that is compared.
        values: that are expected there.
    """

    tensor: str
    index: tuple[Any, ...]
    values: Array


@dataclass(frozen=True)
class OtherCase:
    """A converted test.

    Attributes:
        name: of the test.
        case: the same in the layout of ``torch.nn.LSTM``.
        expected: the numbers that the test compares.
        tolerance: how it compares them.
        relu: whether all activations of the test are ReLU.
    """

    name: str
    case: Case
    expected: tuple[Part, ...]
    tolerance: Tolerance
    relu: bool = False

    def accepts(self, observation: Observation) -> bool:
        """Whether the test would pass with these results: shapes, dtype and numbers."""
        shapes = self.case.shapes()
        for part in self.expected:
            observed = observation.tensors[part.tensor]
            if observed.values.shape != shapes[part.tensor] or observed.dtype != self.case.dtype:
                return False
            if not self.tolerance.accepts(observed.values[part.index], part.values):
                return False
        return True


@dataclass(frozen=True)
class Suite:
    """The tests of one project.

    Attributes:
        name: of the project and its tests.
        source: where they were read.
        cases: those that could be converted.
        left_out: name of each other test, to the reason.
    """

    name: str
    source: str
    cases: list[OtherCase] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


def in_torch_order(blocks: ArrayLike, order: str) -> Array:
    """Weights (4H, ...) or biases (4H,) with the gates in ``order``, such as ``iofg``, as ifgo."""
    of_gate = dict(zip(order, np.split(np.asarray(blocks), 4), strict=True))
    return np.concatenate([of_gate[gate] for gate in "ifgo"])


def where(tensor: str, direction: str, hidden_size: int) -> tuple[Any, ...]:
    """The index of what a test with this direction calls the whole tensor."""
    if direction != REVERSE:
        return (...,)
    return (..., slice(hidden_size, None)) if tensor == "output" else (slice(1, None),)


def converted(
    x: ArrayLike,
    weights: Sequence[Gates],
    direction: str = FORWARD,
    states: tuple[ArrayLike, ArrayLike] | None = None,
    lengths: Sequence[int] = (),
    batch_first: bool = False,
    dtype: str = "float32",
) -> Case:
    """The case of one layer.

    Args:
        x: (L, N, features), or (N, L, features) with ``batch_first``.
        weights: of each direction that the test has, one or two.
        direction: ``FORWARD``, ``REVERSE`` or ``BOTH``.
        states: h_0 and c_0 of these directions, each (1 or 2, N, H); None for zeros.
        lengths: the steps of each row, if they differ.
        batch_first, dtype: as in ``torch.nn.LSTM``.

    Raises:
        NotConvertible: a row has no steps.
    """
    x = np.asarray(x)
    seq_len, batch_size, input_size = (
        (x.shape[1], x.shape[0], x.shape[2]) if batch_first else x.shape
    )
    if direction == REVERSE:  # what the other half is does not matter
        weights = [weights[0], weights[0]]
        states = (
            None
            if states is None
            else (np.tile(states[0], (2, 1, 1)), np.tile(states[1], (2, 1, 1)))
        )
    if lengths and min(lengths) < 1:
        raise NotConvertible("a row has no steps")
    values: dict[str, Array] = {"input": x}
    if states is not None:
        values |= {"h_0": np.asarray(states[0]), "c_0": np.asarray(states[1])}
    for suffix, gates in zip(("l0", "l0_reverse"), weights, strict=False):
        for role, value in gates._asdict().items():
            if value is not None:
                values[f"{role}_{suffix}"] = value
    layout = "batched"
    if lengths and len(set(lengths)) > 1:
        in_order = list(lengths) == sorted(lengths, reverse=True)
        layout = "packed_sorted" if in_order else "packed_unsorted"
    config = LSTMConfig(
        input_size,
        weights[0].weight_hh.shape[1],
        bias=weights[0].bias_ih is not None,
        batch_first=batch_first,
        bidirectional=len(weights) == 2,
    )
    case = Case(
        config,
        seq_len=seq_len,
        batch_size=batch_size,
        layout=layout,
        lengths=tuple(lengths) if layout != "batched" else (),
        dtype=dtype,
        states=states is not None,
    )
    return case.with_values(_as_float64(values))


def _as_float64(values: Mapping[str, Array]) -> dict[str, NDArray[np.float64]]:
    return {name: np.asarray(value, np.float64) for name, value in values.items()}
