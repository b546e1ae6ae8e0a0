"""What the documented LSTM gives with one change that reproduces wrong results.

Each function takes what an implementation did with some cases, and returns a sentence if the same
change explains all of them, and none otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ...reference.oracle import expect
from ...spec.case import OUTPUTS
from ...spec.precision import PRECISIONS
from ..judging.comparison import THRESHOLD, allowed_error, error_ratios
from .behaviour import Behaviour
from .suspects import MATCH, SEPARATION

__all__ = ["recomputed"]

Array = NDArray[np.float64]
Values = dict[str, Array]

# From a behaviour to what is expected of its case with a change; None if that does not apply to it.
# What it does not know it takes from what was observed.
Change = Callable[[Behaviour], Values | None]


def recomputed(behaviours: Sequence[Behaviour]) -> str | None:
    """One sentence on a change of the documented LSTM that gives what was observed.

    Args:
        behaviours: wrong ones, in cases without random dropout.
    """
    if not behaviours:
        return None
    for explain in (_multiplied, _rounded_arguments, _in_lower_precision, _ignored, _clipped):
        text = explain(behaviours)
        if text is not None:
            return text
    return None


def _explains(change: Change, behaviours: Sequence[Behaviour], names: Sequence[str] = ()) -> bool:
    """Whether ``change`` gives what was observed, in all cases and far better than none.

    Args:
        change: the change.
        behaviours: that it has to explain.
        names: of the results that are compared; by default all.
    """
    for behaviour in behaviours:
        values = change(behaviour)
        if values is None:
            return False
        distance = behaviour.distance(values, names or None)
        documented = behaviour.distance(behaviour.expectation.values, names or None)
        if distance > MATCH or documented <= SEPARATION * max(distance, 1.0):
            return False
    return True


# --------------------------------------------------------------------- multiples

# With fewer elements, any results would be a multiple.
_SEVERAL = 8
# The factor is said with as few digits as explain the results, and at most with so many.
_DIGITS = 15


def _multiplied(behaviours: Sequence[Behaviour]) -> str | None:
    """The wrong outputs are a multiple of what is documented; or gradients, if outputs are right.

    A factor near 1 would otherwise look like a lower precision.
    """
    first = behaviours[0]
    if first.case.training and first.case.config.dropout:
        return None  # in evaluation mode it may be right, which says more
    documented = first.expectation.values
    wrong = [name for name in first.observed if first.distance(documented, [name]) > THRESHOLD]
    names = [name for name in wrong if name in OUTPUTS] or wrong
    expected = np.concatenate([np.zeros(0), *(documented[name].ravel() for name in names)])
    observed = np.concatenate([np.zeros(0), *(first.observed[name].ravel() for name in names)])
    if np.count_nonzero(expected) < _SEVERAL or observed.shape != expected.shape:
        return None
    if not (np.isfinite(expected).all() and np.isfinite(observed).all()):
        return None
    factor = float(np.linalg.norm(observed) / np.linalg.norm(expected))
    if observed @ expected < 0:
        factor = -factor
    if not factor:
        return None
    verb = "are" if len(names) > 1 else "is"
    for digits in range(1, _DIGITS + 1):
        rounded = f"{factor:.{digits}g}"
        if _explains(partial(_times, float(rounded), names), behaviours, names):
            return f"{', '.join(names)} {verb} {rounded} times what is documented."
    return None


def _times(factor: float, names: Sequence[str], behaviour: Behaviour) -> Values:
    values = behaviour.expectation.values
    return {name: factor * values[name] for name in names}


# ------------------------------------------------------------------ precision

_LOWER = {"float64": ("float32", "float16", "bfloat16"), "float32": ("float16", "bfloat16")}
_NAMES = {"float32": "float32", "float16": "TF32 or float16", "bfloat16": "bfloat16"}
_DECLARED = {"float16": "tf32", "bfloat16": "bfloat16"}


def _rounded_arguments(behaviours: Sequence[Behaviour]) -> str | None:
    """The outputs are those of parameters, inputs or states in a lower precision."""
    what = {
        "the parameters were": ("weight", "bias"),
        "weight_ih was": ("weight_ih",),
        "weight_hh was": ("weight_hh",),
        "the input was": ("input",),
        "the initial states were": ("h_0", "c_0"),
        "all arguments were": ("weight", "bias", "input", "h_0", "c_0"),
    }
    for dtype in _LOWER.get(behaviours[0].case.dtype, ()):
        for words, names in what.items():
            # The gradient of rounding is rounded as well, or is none.
            if _explains(partial(_rounded, names, dtype), behaviours, OUTPUTS):
                return f"As if {words} rounded to {dtype}: then the outputs are right."
    return None


def _rounded(names: tuple[str, ...], dtype: str, behaviour: Behaviour) -> Values:
    case = behaviour.case
    values = {
        name: PRECISIONS[dtype].round(value)
        for name, value in case.arguments().items()
        if name.startswith(names)
    }
    return expect(case.with_values(values, cotangents=())).values


# Results of a lower precision look like this: nearly all elements are wrong, none is far off in
# that precision, and most are not much closer either.
_ELEMENTS_OFF, _FAR_OFF, _USUAL = 0.9, 5.0, 0.05


def _in_lower_precision(behaviours: Sequence[Behaviour]) -> str | None:
    """Results are right to the precision of another format, and to no higher one."""
    own_dtype = behaviours[0].case.dtype
    for dtype in _LOWER.get(own_dtype, ()):
        parts = [_ratios(behaviour, dtype) for behaviour in behaviours]
        ratios = np.concatenate(parts, axis=1)
        if not ratios.size:
            return None
        own, lower = ratios
        off = np.mean(own > THRESHOLD) >= _ELEMENTS_OFF
        if off and lower.max() <= _FAR_OFF and np.median(lower) >= _USUAL:
            text = (
                f"The error is that of {_NAMES[dtype]}: results are right to within the rounding "
                f"of that format, and nearly none is to within that of {own_dtype}."
            )
            if own_dtype == "float32":
                option = f"--working-precision {_DECLARED[dtype]}"
                text += f" If products are meant to be computed so, give {option}."
            return text
    return None


def _ratios(behaviour: Behaviour, dtype: str) -> Array:
    """Error over noise in the precision of the case, and in ``dtype``: (2, elements).

    Of the elements that are judged in results with a wrong one. Infinite if a shape is wrong.
    """
    lower_noise = expect(behaviour.case, dtype).noise
    found = [np.zeros((2, 0))]
    for name, observed in behaviour.observed.items():
        expected, noise = behaviour.expectation.values[name], behaviour.expectation.noise[name]
        if observed.shape != expected.shape:
            return np.full((2, 1), np.inf)
        judged = (noise > 0) | (expected != 0)
        allowed = allowed_error(expected, noise, behaviour.case.precision)
        own = error_ratios(observed, expected, allowed)
        allowed = allowed_error(expected, lower_noise[name], PRECISIONS[dtype])
        lower = error_ratios(observed, expected, allowed)
        if (own > THRESHOLD).any():
            found.append(np.stack([own[judged], lower[judged]]))
    return np.concatenate(found, axis=1)


# ------------------------------------------------------- what has no effect


def _ignored(behaviours: Sequence[Behaviour]) -> str | None:
    """An argument has no effect."""
    if _explains(_without_batch_first, behaviours):
        return "As if batch_first had no effect: the first axis of the input is taken for steps."
    if _explains(_without_lengths, behaviours, OUTPUTS):
        return "As if lengths had no effect: all rows are read to the last step of the longest one."
    return None


def _without_batch_first(behaviour: Behaviour) -> Values | None:
    case = behaviour.case
    if not case.config.batch_first or case.layout != "batched":
        return None
    if case.states and case.seq_len != case.batch_size:
        return None
    config = replace(case.config, batch_first=False)
    try:
        other = replace(case, config=config, seq_len=case.batch_size, batch_size=case.seq_len)
    except ValueError:  # some values are replaced
        return None
    return expect(other).values


def _without_lengths(behaviour: Behaviour) -> Values | None:
    case, observed = behaviour.case, behaviour.observed["output"]
    if len(set(case.lengths)) < 2 or observed.shape != case.shapes()["output"]:
        return None
    inside = ~case.padding()
    values = case.arguments()
    values["input"] = np.where(inside, values["input"], 0.0)
    padded = case.with_values(values, layout="batched", lengths=(), cotangents=())
    expected = expect(padded).values
    # A packed sequence has no padding.
    return {**expected, "output": np.where(inside, expected["output"], observed)}


# ------------------------------------------------------------------- clipping

# So many wrong elements have the same value.
_ALIKE = 2


def _clipped(behaviours: Sequence[Behaviour]) -> str | None:
    """Elements of a result are right within bounds, and equal to a bound beyond it."""
    for name in dict.fromkeys(("c_n", "h_n", *behaviours[0].observed)):
        bounds = [_bounds(behaviour, name) for behaviour in behaviours]
        if bounds[0] and all(other == bounds[0] for other in bounds):
            return f"{name} is clipped: {' and '.join(bounds[0])}."
    return None


def _bounds(behaviour: Behaviour, name: str) -> tuple[str, ...]:
    """The bounds that ``name`` is clipped to, in words; empty if it is not."""
    observed, expected = behaviour.observed[name], behaviour.expectation.values[name]
    if observed.shape != expected.shape or not np.isfinite(observed).all():
        return ()
    noise = behaviour.expectation.noise[name]
    low, high = observed.min(), observed.max()

    def wrong(values: Array) -> NDArray[np.bool_]:
        allowed = allowed_error(values, noise, behaviour.case.precision)
        return error_ratios(observed, values, allowed) > THRESHOLD

    off = wrong(expected)
    within = ~off & (low < observed) & (observed < high)
    if wrong(np.clip(expected, low, high)).any() or not within.any():
        return ()
    return tuple(_bounds_in_words(observed, expected, off))


def _bounds_in_words(observed: Array, expected: Array, off: NDArray[np.bool_]) -> Iterator[str]:
    for words, bound, beyond in (
        ("below", observed.min(), expected < observed),
        ("above", observed.max(), expected > observed),
    ):
        if (off & beyond & (observed == bound)).sum() >= _ALIKE:
            yield f"never {words} {bound:.6g}"
