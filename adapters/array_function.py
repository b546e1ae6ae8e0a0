"""Recognizes functions over NumPy arrays, and cells, that are handed over as they are."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from ..spec.precision import PRECISIONS
from .assembly import ASSEMBLED, both_ways, in_time, stacked
from .function import FunctionLSTM

__all__ = ["array_function"]

# The names of the parameters by which a function is recognized.
_FUNCTION, _CELL = ("case", "arguments"), ("x", "states", "weights")

# What the loops of the suite add to a cell.
_LOOPS = ASSEMBLED | {"states", "packed", "batch-first", "unbatched"}

# What NumPy computes in, unless capabilities name another number format.
_DTYPES = frozenset({"float64", "float32"})


def array_function(
    value: Any,
    name: str,
    version: str,
    capabilities: Collection[str] | None = None,
    differentiate: Callable[..., Any] | None = None,
) -> FunctionLSTM | None:
    """The implementation that a function over NumPy arrays, or a cell, stands for.

    A function is called as ``function(case, arguments) -> (output, h_n, c_n)``, see
    :class:`.FunctionLSTM`. A cell is called as ``cell(x, states, weights) -> (h, c)``, see
    :mod:`.assembly`; the suite adds the loops over steps, directions and layers.

    Args:
        value: anything.
        name: in reports.
        version: in reports.
        capabilities: names of ``spec.capabilities.CAPABILITIES`` that it has, besides those that
            the loops around a cell add. If none of them is a number format, it computes in float64
            and float32. If they are None, ``value`` is recognized by the names of its parameters.
        differentiate: see :class:`.FunctionLSTM`. It adds the capability ``gradients``.

    Returns:
        None if ``value`` is neither, such as a class that is constructed like ``torch.nn.LSTM``.
    """
    required = _required_parameters(value)
    is_declared = capabilities is not None or differentiate is not None
    is_function = required == _FUNCTION or (is_declared and len(required) == len(_FUNCTION))
    is_cell = required == _CELL or (is_declared and len(required) == len(_CELL))
    if not is_function and not is_cell:
        return None
    declared = frozenset(capabilities or ())
    if not declared & {*PRECISIONS}:
        declared |= _DTYPES
    if differentiate is not None:
        declared |= {"gradients"}
    if is_cell:
        declared |= _LOOPS
        value = stacked(both_ways(in_time(value, np), np), np)
    return FunctionLSTM(name, version, declared, value, differentiate=differentiate)


def _required_parameters(value: Any) -> tuple[str, ...]:
    """Names of the parameters without defaults; empty for classes, and if they are not known."""
    if isinstance(value, type) or not callable(value):
        return ()
    try:
        parameters = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):
        return ()
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return tuple(p.name for p in parameters if p.kind in positional and p.default is p.empty)
