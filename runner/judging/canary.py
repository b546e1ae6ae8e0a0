"""Whether the judge still computes as it did before an implementation was loaded.

In one process, an implementation can replace a function of NumPy, or a constant of the judge, and
then a wrong LSTM might pass. This compares both with what they were when this module was imported.
It is a check against mistakes, such as a patch of NumPy that a package makes. It is no protection:
code in the same process can change this module as well.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from operator import is_, itemgetter
from typing import Any, NamedTuple

import numpy as np

from ...reference import complex_step, lstm, oracle, rounded_cell, rounding
from ...spec import case, config, precision, verdicts
from ...spec.contract import Nonconformance
from ...spec.global_settings import REPLACED, reset_arithmetic
from ...spec.interrupts import is_interrupt
from . import comparison, dropout_masks, rules, trial

__all__ = ["JudgeChanged", "Record", "recorded", "watched"]

_MODULES = (
    comparison,
    rules,
    trial,
    dropout_masks,
    oracle,
    lstm,
    rounding,
    rounded_cell,
    complex_step,
    case,
    config,
    precision,
    verdicts,
)
_CLASSES = (
    trial.Trial,
    trial.Trials,
    rounding.Samples,
    case.Case,
    precision.Precision,
    comparison.Finding,
)

# What the reference, the cases, the judge and the tests use.
_NUMPY = (
    "abs", "absolute", "add", "arange", "argsort", "argwhere", "array", "array_equal", "asarray",
    "ascontiguousarray", "bool_", "broadcast_arrays", "broadcast_to", "ceil", "column_stack",
    "concatenate", "copysign", "cumsum", "diff", "einsum", "empty", "equal", "errstate",
    "exp",
    "fill_diagonal", "flatnonzero", "float32", "float64", "floor", "frexp", "frompyfunc", "full",
    "geterr", "hypot", "imag", "inf", "int16", "isfinite", "isin", "isnan", "ldexp", "log", "log2",
    "matmul", "maximum", "mean", "moveaxis", "multiply", "nan", "ndarray", "negative",
    "not_equal", "ones", "positive", "prod", "ravel_multi_index", "real", "repeat", "roll",
    "seterr", "shape", "split", "sqrt", "stack", "subtract", "sum", "swapaxes", "tanh", "ufunc",
    "uint32", "uint64", "unique", "unravel_index", "where", "zeros", "zeros_like",
)  # fmt: skip

# Others, such as `print`, are patched by packages for good reasons. They are restored as well, by
# `known_settings`.
_BUILTINS = (
    "abs", "all", "any", "bool", "dict", "enumerate", "float", "frozenset", "int", "isinstance",
    "len", "list", "map", "max", "min", "next", "range", "set", "sorted", "str", "sum", "tuple",
    "zip",
)  # fmt: skip
_WATCHED_BUILTINS = frozenset(f"builtins.{name}" for name in _BUILTINS)


class JudgeChanged(Nonconformance):
    """The implementation changed something that the judge uses. The message names it."""


class _Names(NamedTuple):
    """Names of an object, and their values."""

    label: str
    owner: Any
    values: dict[str, Any]
    now: Callable[[Any], tuple[Any, ...]]

    @property
    def members(self) -> Any:
        return self.owner if isinstance(self.owner, dict) else vars(self.owner)

    def is_unchanged(self) -> bool:
        try:
            return all(map(is_, self.now(self.members), self.values.values()))
        except KeyError:
            return False

    def changed(self) -> list[str]:
        members = self.members
        return [name for name, value in self.values.items() if members.get(name) is not value]

    def restore(self) -> None:
        for name in self.changed():
            if isinstance(self.owner, dict):
                self.owner[name] = self.values[name]
            else:
                setattr(self.owner, name, self.values[name])


def _names_of(label: str, owner: Any, names: Iterable[str] | None = None) -> _Names:
    """These names of ``owner``, two or more; by default all but those of every module."""
    members = owner if isinstance(owner, dict) else vars(owner)
    chosen = (n for n in members if not n.startswith("__")) if names is None else names
    values = {name: members[name] for name in chosen}
    return _Names(label, owner, values, itemgetter(*values))


# Ordinary numbers, zeros, subnormal and huge ones.
_X = np.array([[0.5, -1.25, 0.0, -0.0], [3.0, -20.0, 1e-310, -5e-324], [1e300, -7e-9, 0.1, 1.0]])


def _computed() -> bytes:
    """The bits of a small computation as the oracle makes it."""
    small = np.where(_X < 100.0, _X, 1.0)
    results = np.tanh(_X), 1 / (1 + np.exp(-small)), small @ small.T, 0.5 * _X
    return b"".join([result.tobytes() for result in results])


class Record:
    """What the judge uses, as it is when this object is made."""

    def __init__(self) -> None:
        self._names = [
            _names_of("numpy", np, _NUMPY),
            _names_of("numpy.random", np.random, ("Generator", "PCG64", "SFC64", "SeedSequence")),
            _names_of("numpy.fft", np.fft, ("rfft", "irfft")),
            _names_of("math", math, [name for name in vars(math) if not name.startswith("_")]),
            _names_of("builtins", builtins, _BUILTINS),
            *(_names_of(module.__name__, module) for module in _MODULES),
            *(_names_of(f"{c.__module__}.{c.__name__}", c, vars(c)) for c in _CLASSES),
            _names_of("PRECISIONS", precision.PRECISIONS),
        ]
        self._computed = _computed()

    def is_unchanged(self) -> bool:
        """Whether nothing was changed. This takes some 30 microseconds."""
        return all(names.is_unchanged() for names in self._names) and self._computes_the_same()

    def restore_changes(self) -> list[str]:
        """Restores what was changed since, and returns the names of it."""
        changed = [f"{names.label}.{name}" for names in self._names for name in names.changed()]
        for names in self._names:
            names.restore()
        if not self._computes_the_same():
            changed += reset_arithmetic() or ([] if changed else ["how NumPy computes"])
        return changed

    def _computes_the_same(self) -> bool:
        try:
            return _computed() == self._computed
        except Exception:  # numpy.seterr(all="raise"), say
            return False


class _State:
    record = Record()


def recorded() -> Record:
    """What the judge used when this module was imported."""
    return _State.record


@contextmanager
def watched() -> Iterator[None]:
    """Inside, the implementation is used.

    Raises:
        JudgeChanged: at the end, if something has changed that the judge uses. It is restored.
    """
    REPLACED.clear()
    try:
        yield
    except BaseException as error:
        if is_interrupt(error):
            raise
        _check(error)
        raise
    _check(None)


def _check(error: BaseException | None) -> None:
    changed = [name for name in REPLACED if name in _WATCHED_BUILTINS]
    if not changed and _State.record.is_unchanged():
        return
    changed = [*dict.fromkeys((*changed, *_State.record.restore_changes()))]
    more = f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
    text = f"the implementation changed {', '.join(changed[:_NAMED])}{more}"
    raise JudgeChanged(f"{text}, which the judge uses") from error


# So many names are in a message.
_NAMED = 5
