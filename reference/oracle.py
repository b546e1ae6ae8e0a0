"""The expected results of a case: values, gradients, and the rounding noise of each element."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..spec.case import OUTPUTS, Case
from .lstm import lstm, lstm_backward
from .rounding import SAMPLES, samples_of

__all__ = ["Expectation", "evaluate", "expect", "spread"]

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
    case: Case, precision: str | None = None, kept: Sequence[Array] | None = None
) -> Expectation:
    """The expected values of ``case`` and their rounding noise.

    Args:
        case: the case.
        precision: name of the precision of the noise. The default is the dtype of the case.
        kept: the elements that dropout kept, as for :func:`evaluate`.

    Raises:
        ValueError: as :func:`evaluate`.
    """
    judged = case if precision is None else replace(case, dtype=precision)
    arguments, cotangents = case.arguments(), case.cotangent_values()
    values = evaluate(case, arguments, cotangents, kept)
    kind = samples_of(judged.precision, zlib.crc32(str(judged).encode()))

    def sampled(arrays: Mapping[str, Array]) -> dict[str, Any]:
        return {
            name: np.broadcast_to(array, (SAMPLES, *array.shape)).view(kind)
            for name, array in arrays.items()
        }

    with np.errstate(invalid="ignore", over="ignore"):  # some samples may overflow
        samples = evaluate(case, sampled(arguments), sampled(cotangents), kept)
    return Expectation(
        values, {name: spread(np.asarray(samples[name]), value) for name, value in values.items()}
    )


def spread(samples: Array, value: Array) -> Array:
    """Root mean square of ``samples - value`` over the first axis.

    The differences are scaled first, because squares of small numbers underflow to zero. The
    result is infinite or NaN where a sample is.
    """
    x = samples.view(np.ndarray) - value
    size = np.abs(x).max(axis=0)
    scale = np.where((size > 0) & np.isfinite(size), size, 1.0)
    root: Array = scale * np.sqrt(np.mean((x / scale) ** 2, axis=0))
    return root


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
    config = case.config
    x = _steps_first(case, "input", arguments["input"])  # (T, N, input_size)
    if case.states:
        h_0, c_0 = (_steps_first(case, name, arguments[name]) for name in ("h_0", "c_0"))
    else:
        h_0, c_0 = (_zeros(x, _batched_shape(case, name)) for name in ("h_0", "c_0"))
    output, h_n, c_n, cache = lstm(
        config,
        {name: arguments[name] for name in config.parameter_shapes()},
        x,
        h_0,
        c_0,
        lengths=case.lengths if case.packed else None,
        masks=_masks(case, x, kept),
    )
    outputs = {"output": output, "h_n": h_n, "c_n": c_n}
    results = {name: _in_layout(case, name, outputs[name]) for name in OUTPUTS}
    if not case.cotangents:
        return results

    doutput, dh_n, dc_n = (
        _steps_first(case, name, cotangents[name])
        if name in cotangents
        else _zeros(x, _batched_shape(case, name))
        for name in OUTPUTS
    )
    dx, dh_0, dc_0, gradients = lstm_backward(doutput, dh_n, dc_n, cache)
    gradients = {**gradients, "input": dx, "h_0": dh_0, "c_0": dc_0}
    for name in case.argument_names():
        is_parameter = name in config.parameter_shapes()
        results[f"{name}.grad"] = (
            gradients[name] if is_parameter else _in_layout(case, name, gradients[name])
        )
    return results


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
    """The inverse of ``_steps_first``."""
    if case.layout == "unbatched":
        return array[..., 0, :]
    return _steps_first(case, name, array)


def _batched_shape(case: Case, name: str) -> tuple[int, ...]:
    return tuple(_steps_first(case, name, np.empty(case.shapes()[name])).shape)


def _zeros(like: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of ``shape``, with the type and the axes in front of ``like`` (..., T, N, F)."""
    return np.zeros_like(like, shape=(*like.shape[:-3], *shape))
