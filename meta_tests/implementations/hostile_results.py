"""LSTMs that are wrong from hidden size 4 on and hide it, and right ones with odd statements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lstm_conformance.adapters.reference import ReferenceLSTM
from lstm_conformance.spec.case import Case
from lstm_conformance.spec.contract import Observation, ObservedTensor


class Wrong(ReferenceLSTM):
    """Wrong from hidden size 4 on. The plainest case, which is tried first, is smaller."""

    def run(self, case: Case) -> Observation:
        seen = super().run(case)
        if case.config.hidden_size < 4:
            return seen
        return self.spoil(case, seen)

    def spoil(self, case: Case, seen: Observation) -> Any:
        raise NotImplementedError


def with_output(seen: Observation, change: Callable[[Any], Any]) -> Observation:
    output = seen.tensors["output"]
    changed = ObservedTensor(change(output.values), output.dtype, output.device)
    return replace(seen, tensors={**seen.tensors, "output": changed})


class Skips(Wrong):
    def spoil(self, case: Case, seen: Observation) -> Any:
        pytest.skip("not today")


class ImportsOrSkips(Wrong):
    def spoil(self, case: Case, seen: Observation) -> Any:
        pytest.importorskip("no_such_module")


class IsExpectedToFail(Wrong):
    def spoil(self, case: Case, seen: Observation) -> Any:
        pytest.xfail("known")


class EndsPytest(Wrong):
    def spoil(self, case: Case, seen: Observation) -> Any:
        pytest.exit("enough", returncode=0)


class Exits(Wrong):
    def spoil(self, case: Case, seen: Observation) -> Any:
        raise SystemExit(0)


class Interrupts(Wrong):
    def spoil(self, case: Case, seen: Observation) -> Any:
        raise KeyboardInterrupt


class RaisesItsOwn(Wrong):
    def spoil(self, case: Case, seen: Observation) -> Any:
        raise type("Own", (BaseException,), {})()


class IsComplex(Wrong):
    def spoil(self, case: Case, seen: Observation) -> Any:
        return with_output(seen, lambda x: x + 1e-3j)


class Agreeable(np.ndarray):
    """Arrays that are equal to anything, and have no error."""

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return np.zeros(np.shape(args[0]))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return np.ones(np.shape(inputs[0]), bool)


class ReturnsItsOwnArrays(Wrong):
    def spoil(self, case: Case, seen: Observation) -> Any:
        return with_output(seen, lambda x: (x + 1).view(Agreeable))


class Right(ReferenceLSTM):
    """Right, but for what it says besides."""


class HalfASurrogate(Right):
    name, version = "half \udc80", "\ud800"


class EscapeSequences(Right):
    name, version = "lstm \x1b[2J", "1 \x9b2J \u202e"


class RaisesHalfASurrogate(Wrong):
    def spoil(self, case: Case, seen: Observation) -> Any:
        raise ValueError("\udc80")


class NoSeconds(Right):
    def run(self, case: Case) -> Observation:
        return replace(super().run(case), seconds=float("nan"))


class EndlessSeconds(Right):
    def run(self, case: Case) -> Observation:
        return replace(super().run(case), seconds=1e308)


class SecondsOfNumPy(Right):
    def run(self, case: Case) -> Observation:
        return replace(super().run(case), seconds=np.float32(0.1))


class SecondsInWords(Right):
    def run(self, case: Case) -> Observation:
        return replace(super().run(case), seconds="soon")


class ListOfCapabilities(Right):
    capabilities = ["float64"]  # noqa: RUF012


class TextOfCapabilities(Right):
    capabilities = "float64"


class UnknownCapability(Right):
    capabilities = frozenset({"float64", "telepathy"})
