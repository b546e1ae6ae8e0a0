"""The expected results of a case: values, gradients, and the rounding noise of each element."""

from __future__ import annotations

import math
import zlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..spec.case import OUTPUTS, Case
from ..spec.global_settings import known_arithmetic
from . import rounded_cell  # noqa: F401  makes steps on samples cheaper
from .lstm import lstm, lstm_backward
from .rounding import SAMPLES, samples_of

__all__ = [
    "Expectation",
    "evaluate",
    "expect",
    "expect_together",
    "same_stack",
    "spread",
    "usual_samples",
]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Expectation:
    """The expected tensors of a case, by the names of ``Case.result_names``.

    Attributes:
        values: the expected values, float64, in the shapes of the case.
        noise: the standard deviation of the rounding errors that a correct implementation makes
            in the precision of the case, in the same shapes. It is exactly 0 where rounding has
            no effect. It is infinite or NaN where values may overflow the precision.
    """

    values: dict[str, Array]
    noise: dict[str, Array]


def expect(
    case: Case,
    precision: str | None = None,
    kept: Sequence[Array] | None = None,
    samples: int | None = None,
) -> Expectation:
    """The expected values of ``case`` and their rounding noise.

    Args:
        case: the case.
        precision: name of the precision of the noise. The default is the dtype of the case.
        kept: the elements that dropout kept, as for :func:`evaluate`.
        samples: the number of samples from which the noise is estimated. The default is
            :func:`usual_samples`.

    Raises:
        ValueError: as :func:`evaluate`.
    """
    judged = case if precision is None else replace(case, dtype=precision)
    (expectation,) = _expect([case], [judged], kept, samples or usual_samples(case))
    return expectation


def usual_samples(case: Case) -> int:
    """From how many samples the noise of ``case`` is estimated: few, if it is large."""
    is_large = _numbers(case) > _FEW_NUMBERS
    return FEWER_SAMPLES if is_large and not _is_narrow(case) else SAMPLES


def same_stack(case: Case) -> Hashable:
    """A key that is equal for cases which :func:`expect_together` takes together."""
    config = case.config
    return (
        *(config.input_size, config.hidden_size, config.proj_size),
        *(config.num_layers, config.bidirectional, config.bias),
        *(case.active_dropout, case.seq_len, case.batch_size, case.lengths),
    )


def expect_together(cases: Sequence[Case]) -> list[Expectation]:
    """:func:`expect` for several cases, computed side by side.

    NumPy takes about as long for a dozen small cases as for one.

    Args:
        cases: of the same :func:`same_stack`. They may differ in values, dtype, layout, states,
            cotangents, and in everything else.

    Raises:
        ValueError: the cases do not go together, or as :func:`evaluate`.
    """
    if len({same_stack(case) for case in cases}) != 1:
        raise ValueError("cases that are computed side by side must have the same stack")
    return _expect(cases, cases, None, usual_samples(cases[0]))


@known_arithmetic()
def _expect(
    cases: Sequence[Case], judged: Sequence[Case], kept: Sequence[Array] | None, samples: int
) -> list[Expectation]:
    """The values of ``cases``, with the noise in the dtypes of ``judged``."""
    # One of them has all results that are asked for.
    shown = next((case for case in cases if case.cotangents), cases[0])
    of_cases = [_steps_first_of(case, case.arguments(), case.cotangent_values()) for case in cases]
    # The cases are an axis in front, and copies for the noise another one before it.
    tensors = {name: np.stack([one.pop(name) for one in of_cases]) for name in [*of_cases[0]]}
    results = _run(shown, tensors, kept)
    shapes = {name: array.shape[1:] for name, array in results.items()}
    values = _flat(results, 1)
    del results  # large cases have to fit into memory
    noise = np.zeros(values.shape)
    seed = zlib.crc32("\n".join(map(str, judged)).encode())
    kind = samples_of([one.precision for one in judged], seed)
    numbers = len(cases) * _numbers(cases[0])  # that a pass over one copy holds
    at_once = min(samples, max(1, _NUMBERS_AT_ONCE // numbers))
    for first in range(0, samples, at_once):
        copies = min(at_once, samples - first)
        sampled = {
            name: np.broadcast_to(array, (copies, *array.shape)).view(kind)
            for name, array in tensors.items()
        }
        with np.errstate(invalid="ignore", over="ignore"):  # some samples may overflow
            of_portion = _flat(_run(shown, sampled, kept), 2)
            noise = np.hypot(noise, spread(of_portion, values) * np.sqrt(copies / samples))
            del of_portion
    expectations = []
    for k, case in enumerate(cases):
        of_case, of_noise = _unflat(values[k], shapes), _unflat(noise[k], shapes)
        if samples < SAMPLES:
            of_noise = {name: smoothed(array, of_case[name]) for name, array in of_noise.items()}
        expectations.append(Expectation(_results(case, of_case), _results(case, of_noise)))
    return expectations


def _unflat(flat: Array, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
    """The inverse of ``_flat``."""
    pieces = np.split(flat, np.cumsum([math.prod(shape) for shape in shapes.values()])[:-1])
    named = zip(shapes.items(), pieces, strict=True)
    return {name: piece.reshape(shape) for (name, shape), piece in named}


def _flat(results: Mapping[str, Any], axes: int) -> Array:
    """All results in one row, after the first ``axes`` axes: fewer calls of NumPy than one each."""
    arrays = map(np.asarray, results.values())
    return np.concatenate([a.reshape(*a.shape[:axes], -1) for a in arrays], axis=-1)


# A case whose arrays hold more numbers than this gets fewer samples of its noise, if its rows have
# at least so many features and units that they make up for it.
_FEW_NUMBERS = 2**17
FEWER_SAMPLES = 4
_ENOUGH_IN_A_ROW = 3

# Numbers that a pass of the reference may hold, so that large cases fit into memory.
_NUMBERS_AT_ONCE = 2**26


def _numbers(case: Case) -> int:
    """About how many numbers the reference holds for one copy of ``case``."""
    config = case.config
    weights = sum(math.prod(shape) for shape in config.parameter_shapes().values())
    cells = case.seq_len * case.batch_size * config.num_layers * config.num_directions
    inputs = case.seq_len * case.batch_size * config.input_size
    return 16 * cells * config.hidden_size + 6 * inputs + 2 * weights


def _is_narrow(case: Case) -> bool:
    """Whether rows of inputs or outputs are too short for :func:`smoothed`.

    The gradients of all features of a row have errors from the same units, so these count, too.
    """
    return min(case.config.input_size, case.config.output_size) < _ENOUGH_IN_A_ROW


def smoothed(noise: Array, values: Array) -> Array:
    """The noise of few samples, made more certain by the noise of other elements.

    Among a million estimates from four samples each, some are far too small by chance. Rows and
    columns tell more: the variance of an element is close to the mean of its row times the mean
    of its column, divided by the mean of all; of a bias, to the mean of its gate. This counts as
    much as the samples of the element.

    Args:
        noise: standard deviations, any shape; one axis for a bias, with four gates. Those that are
            not finite stay as they are.
        values: of the same elements. Only zeros may have no noise.
    """
    counts = np.isfinite(noise) & ((noise > 0) | (values != 0))
    known = np.where(counts, noise, 0.0)
    if not known.any():
        return noise
    if noise.ndim == 1:
        of_gates = _root_mean_square(known.reshape(4, -1), counts.reshape(4, -1), (-1,))
        usual = np.repeat(of_gates, noise.size // 4)
    else:
        rows = _root_mean_square(known, counts, (-1,))
        columns = _root_mean_square(known, counts, tuple(range(noise.ndim - 1)))
        usual = rows * (columns / _root_mean_square(known, counts, None))
    return np.where(counts, np.hypot(known, usual) / np.sqrt(2), noise)


def _root_mean_square(x: Array, counts: NDArray[np.bool_], axes: tuple[int, ...] | None) -> Array:
    """Of the elements that count, along ``axes``, which are kept. No square underflows."""
    largest = x.max(axis=axes, keepdims=True)
    scale = np.where(largest > 0, largest, 1.0)
    number = np.maximum(counts.sum(axis=axes, keepdims=True), 1)
    squares = ((x / scale) ** 2).sum(axis=axes, keepdims=True)
    return np.asarray(scale * np.sqrt(squares / number))


def spread(samples: Array, value: Array) -> Array:
    """Root mean square of ``samples - value`` over the first axis.

    The result is infinite or NaN where a sample is.
    """
    x = samples.view(np.ndarray) - value
    with np.errstate(over="ignore"):
        squares = np.einsum("i...,i...->...", x, x)
    root: Array = np.sqrt(squares / len(x))
    # Where squares overflow, or underflow to zero, the differences are scaled first.
    unsafe = ~((squares > _SMALLEST_SQUARE) & (squares < np.inf))
    if unsafe.any():
        few = x[:, unsafe]
        size = np.abs(few).max(axis=0)
        scale = np.where((size > 0) & np.isfinite(size), size, 1.0)
        root[unsafe] = scale * np.sqrt(np.mean((few / scale) ** 2, axis=0))
    return root


# Far above the numbers whose digits are lost to underflow.
_SMALLEST_SQUARE = 1e-280


def evaluate(
    case: Case,
    arguments: Mapping[str, Any],
    cotangents: Mapping[str, Any],
    kept: Sequence[Any] | None = None,
) -> dict[str, Any]:
    """Runs the reference LSTM on ``case``.

    Args:
        case: the configuration, the layout and the shapes.
        arguments: an array for each of ``case.argument_names()``, in the shape of the case. More
            axes in front are allowed. The arrays may hold any numbers that ``lstm.py`` takes.
        cotangents: the same for each of ``case.cotangents``.
        kept: one array (T, N, D*R) for each layer but the last: 1 where dropout kept an element
            of the layer's output, 0 where it dropped it. Required in training with
            0 < dropout < 1, where the case alone does not determine it. Otherwise None.

    Returns:
        The tensors of ``case.result_names()``, in the shapes of the case.

    Raises:
        ValueError: ``kept`` is missing, or is given where dropout is not random.
    """
    return _results(case, _run(case, _steps_first_of(case, arguments, cotangents), kept))


def _steps_first_of(
    case: Case, arguments: Mapping[str, Any], cotangents: Mapping[str, Any]
) -> dict[str, Any]:
    """All arguments and cotangents as :mod:`.lstm` takes them; zeros for those not given."""
    tensors = {name: arguments[name] for name in case.config.parameter_shapes()}
    tensors["input"] = x = _steps_first(case, "input", arguments["input"])  # (T, N, input_size)
    for name in ("h_0", "c_0"):
        tensors[name] = (
            _steps_first(case, name, arguments[name])
            if case.states
            else _zeros(x, _batched_shape(case, name))
        )
    for name in OUTPUTS:
        tensors[f"cotangent of {name}"] = (
            _steps_first(case, name, cotangents[name])
            if name in cotangents
            else _zeros(x, _batched_shape(case, name))
        )
    return tensors


def _run(case: Case, tensors: Mapping[str, Any], kept: Sequence[Any] | None) -> dict[str, Any]:
    """Outputs and gradients of the stack of ``case``, as :mod:`.lstm` returns them."""
    x = tensors["input"]
    output, h_n, c_n, cache = lstm(
        case.config,
        {name: tensors[name] for name in case.config.parameter_shapes()},
        x,
        tensors["h_0"],
        tensors["c_0"],
        lengths=case.lengths if case.packed else None,
        masks=_masks(case, x, kept),
    )
    outputs = {"output": output, "h_n": h_n, "c_n": c_n}
    if not case.cotangents:
        return outputs
    doutput, dh_n, dc_n = (tensors[f"cotangent of {name}"] for name in OUTPUTS)
    dx, dh_0, dc_0, gradients = lstm_backward(doutput, dh_n, dc_n, cache)
    gradients = {"input": dx, "h_0": dh_0, "c_0": dc_0, **gradients}
    return {**outputs, **{f"{name}.grad": gradient for name, gradient in gradients.items()}}


def _results(case: Case, results: Mapping[str, Any]) -> dict[str, Any]:
    """The results of ``case`` in its own layout."""
    return {
        name: _in_layout(case, name.removesuffix(".grad"), results[name])
        for name in case.result_names()
    }


def _masks(case: Case, x: Any, kept: Sequence[Any] | None) -> list[Any] | None:
    """The dropout masks, kept / (1 - p), one (T, N, D*R) for each layer but the last."""
    p = case.active_dropout
    if (kept is not None) != (0 < p < 1):
        raise ValueError(
            f"dropout={p} in training is random: kept is required"
            if kept is None
            else f"dropout={p} is not random: kept must be None"
        )
    if p == 0:
        return None
    if kept is None:  # p = 1
        width = case.config.num_directions * case.config.output_size
        return [_zeros(x, (*x.shape[-3:-1], width))] * (case.config.num_layers - 1)
    scale = 1 / (1 - (_zeros(x, (1, 1, 1)) + p))  # of the type of x, so that it rounds as x does
    return [kept_of_layer * scale for kept_of_layer in kept]


def _steps_first(case: Case, name: str, array: Any) -> Any:
    """Converts the layout of the case to (T, N, F), and of states to (L*D, N, F)."""
    if case.layout == "unbatched":
        return array[..., None, :]
    if case.config.batch_first and name in ("input", "output"):
        return np.swapaxes(array, -2, -3)
    return array


def _in_layout(case: Case, name: str, array: Any) -> Any:
    """The inverse of ``_steps_first``. Parameters have no layout."""
    if name not in (*OUTPUTS, "input", "h_0", "c_0"):
        return array
    if case.layout == "unbatched":
        return array[..., 0, :]
    return _steps_first(case, name, array)


def _batched_shape(case: Case, name: str) -> tuple[int, ...]:
    return tuple(_steps_first(case, name, np.empty(case.shapes()[name])).shape)


def _zeros(like: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of ``shape``, with the type and the axes in front of ``like`` (..., T, N, F)."""
    return np.zeros_like(like, shape=(*like.shape[:-3], *shape))
