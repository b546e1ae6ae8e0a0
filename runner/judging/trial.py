"""One case run by one implementation: what it returned, and what is expected."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...reference.complex_step import expect_derivative
from ...reference.oracle import Expectation, expect, expect_together, usual_samples
from ...spec.capabilities import REFUSED, unsupported
from ...spec.case import Case
from ...spec.contract import (
    Implementation,
    Nonconformance,
    Observation,
    ObservedTensor,
    Unsupported,
)
from ...spec.global_settings import known_settings
from ...spec.interrupts import is_interrupt
from ...spec.only_config import only_config
from ...spec.sizes import IN_TILES, WIDE_AND_LONG, sizes_of
from ...spec.verdicts import FAIL
from .comparison import Finding, compare

if TYPE_CHECKING:
    from ...adapters.torch_bench import Bench

__all__ = ["Trial", "Trials", "may_run"]

Array = NDArray[np.float64]


# Times the usual number of samples, where the noise matters most. Where rounding errors multiply,
# most samples lie close together and a few far away, which 16 samples may miss: a right LSTM in
# bfloat16 had a ratio of 26, and has one of 4.5 with 64 samples.
_MORE = 4

# Steps, rows, features and units of large cases that several tests judge.
_COMMON_SIZES = frozenset(sizes[:4] for sizes in (*WIDE_AND_LONG, IN_TILES))


@lru_cache(24)
def _expected_of_common(case: Case) -> Expectation:
    return expect(case)


class Trial:
    """A case and an implementation. Everything is computed on first use.

    Exceptions of the implementation are passed on.

    Args:
        case: the case.
        implementation: what is judged.
        together: what is expected of several cases, this one among them, computed side by side.

    Attributes:
        case: the case.
        implementation: what is judged.
        seconds: spent inside the implementation so far.
        shared_seconds: the part of them that :attr:`observation` took, which all rules use.
        plain: whether only the case itself was run, by a torch module with all arguments of the
            constructor, so that a short program can repeat it.
        runs: each case that was run, and what was observed.
        judge_changed: the error, if the implementation changed something that the judge uses.
    """

    def __init__(
        self, case: Case, implementation: Implementation, together: Together | None = None
    ) -> None:
        self._together = together
        self._is_sure = False
        self.case = case
        self.implementation = implementation
        self.seconds = self.shared_seconds = 0.0
        made = not getattr(implementation, "moved", False) and only_config(implementation) is None
        self.plain = "module" in implementation.capabilities and made
        self.runs: list[tuple[Case, Observation]] = []
        self.judge_changed: Exception | None = None

    @property
    def observation(self) -> Observation:
        """What the implementation returns for the case."""
        if isinstance(self._outcome, BaseException):
            raise self._outcome
        return self._outcome

    @cached_property
    def _outcome(self) -> Observation | BaseException:
        before = self.seconds
        try:
            return self._observe(self.case)
        except BaseException as error:
            if is_interrupt(error):
                raise
            # Arrays that were in use fill the memory of a device.
            traceback.clear_frames(error.__traceback__)
            return error  # the next rule must not repeat a crash or a hang
        finally:
            self.shared_seconds = self.seconds - before

    @cached_property
    def expectation(self) -> Expectation:
        """The results of the oracle, with the noise of the case's dtype."""
        if self._together is not None:
            return self._together[self.case]
        is_common = sizes_of(self.case)[:4] in _COMMON_SIZES
        return _expected_of_common(self.case) if is_common else expect(self.case)

    def expect_surely(self) -> bool:
        """Computes an expectation that was used again, alone and from more samples of the noise.

        Returns:
            Whether that is new.
        """
        if self._is_sure or "expectation" not in self.__dict__:
            return False
        self._is_sure = True
        self.expectation = expect(self.case, samples=_MORE * usual_samples(self.case))
        return True

    def expectation_in(self, dtype: str) -> Expectation:
        """The results of the oracle, with the noise of another dtype."""
        return expect(self.case, dtype)

    def run(self, case: Case) -> Observation:
        """What the implementation returns for another case, a variation of this one.

        Raises:
            Unsupported: that case is outside the declared capabilities.
        """
        reason = unsupported(self.implementation, case)
        if reason is not None:
            raise Unsupported(reason)
        self.plain = False
        return self._observe(case)

    def _observe(self, case: Case) -> Observation:
        with known_settings(), _unchanged(case):
            try:
                observed = self.implementation.run(case)
            except Unsupported as refusal:
                # An instance says what it was made for. Others have declared this case.
                if only_config(self.implementation) is not None:
                    raise
                raise Unsupported(f"{REFUSED}{refusal}") from refusal
        observation = _plain(observed)
        self.seconds += observation.seconds
        missing = [name for name in case.result_names() if name not in observation.tensors]
        if missing:
            raise Nonconformance(f"{', '.join(missing)} was not returned")
        self.runs.append((case, observation))
        return observation

    @contextmanager
    def bench(self, case: Case | None = None) -> Iterator[Bench]:
        """The implementation as a torch module, for rules that use it by hand.

        Args:
            case: for which the module is made; by default the case of this trial.

        Raises:
            Unsupported: the implementation is not a torch module.
        """
        make = getattr(self.implementation, "bench", None)
        if make is None:
            raise Unsupported("not a torch.nn.Module")
        self.plain = False
        with known_settings(), make(self.case if case is None else case) as bench:
            yield bench
        self.seconds += bench.seconds

    def names_of(self, method: str, *cases: Case) -> list[str]:
        """What a method of a function over arrays returns for these cases: names of arrays.

        Raises:
            Unsupported: the implementation has no such method.
        """
        ask = getattr(self.implementation, method, None)
        if ask is None:
            raise Unsupported("neither a torch.nn.Module nor a function over arrays")
        self.plain = False
        with known_settings(), _unchanged(*cases):
            return [_plain_text(name) for name in ask(*cases)]

    def tangents(self, direction: Mapping[str, Array]) -> Observation:
        """Forward mode: how outputs change along ``direction``.

        Raises:
            Unsupported: the implementation has no forward mode.
        """
        return self._differentiate("tangents", direction)

    def tangents_under_no_grad(self, direction: Mapping[str, Array]) -> Observation:
        """Forward mode of a torch module under ``no_grad``; of others, as :meth:`tangents`."""
        if "module" in self.implementation.capabilities:
            return self._differentiate("tangents_under_no_grad", direction)
        return self._differentiate("tangents", direction)

    def second_derivatives(self, direction: Mapping[str, Array]) -> Observation:
        """Double backward: how gradients, and outputs, change along ``direction``.

        Raises:
            Unsupported: the implementation has no gradients of gradients.
        """
        return self._differentiate("second_derivatives", direction)

    def second_derivatives_of_computed_parameters(
        self, direction: Mapping[str, Array]
    ) -> Observation:
        """Double backward through a torch module whose parameters are results of operations.

        Of other implementations, as :meth:`second_derivatives`.
        """
        if "module" in self.implementation.capabilities:
            return self._differentiate("second_derivatives_of_computed_parameters", direction)
        return self._differentiate("second_derivatives", direction)

    def _differentiate(self, name: str, direction: Mapping[str, Array]) -> Observation:
        method = getattr(self.implementation, name, None)
        if method is None:
            raise Unsupported(f"no {name.replace('_', ' ')}")
        self.plain = False
        with known_settings(), _unchanged(self.case):
            observed = method(self.case, direction)
        observation = _plain(observed)
        self.seconds += observation.seconds
        return observation

    def expected_derivative(self, direction: Mapping[str, Array]) -> Expectation:
        """The results of the oracle: how those of the case change along ``direction``."""
        return expect_derivative(self.case, direction)

    def close(
        self,
        name: str,
        observed: ObservedTensor | Array,
        expectation: Expectation | None = None,
        note: str = "",
    ) -> Finding:
        """Whether a tensor is the result ``name`` of the case, to within rounding.

        Args:
            name: one of ``case.result_names()``.
            observed: the tensor that the implementation returned.
            expectation: to compare with; by default that of the case.
            note: says in the finding how the tensor was obtained. It would mislead where the
                tensor is wrong in the case itself, too, and is left out then.
        """
        values = observed.values if isinstance(observed, ObservedTensor) else observed
        of = self.expectation if expectation is None else expectation
        finding = compare(name, values, of.values[name], of.noise[name], self.case.precision)
        if note and finding.verdict == FAIL and expectation is None and self._is_wrong(name):
            return finding
        return finding.noted(note)

    def _is_wrong(self, name: str) -> bool:
        """Whether the result ``name`` of the case is wrong."""
        runs = list(self.runs)
        outcome = self._outcome
        tensors = outcome.tensors if isinstance(outcome, Observation) else {}
        if name in tensors and self.close(name, tensors[name]).verdict == FAIL:
            return True
        self.runs = runs  # it is no evidence
        return False

    def close_all(
        self,
        observed: Mapping[str, ObservedTensor],
        names: Sequence[str] = (),
        note: str = "",
        expectation: Expectation | None = None,
    ) -> list[Finding]:
        """The same for several tensors; for all results of the case if none are named."""
        return [
            self.close(name, observed[name], expectation, note)
            for name in names or self.case.result_names()
        ]


def may_run(implementation: Implementation, case: Case) -> bool:
    """Whether ``implementation`` says that it supports ``case``, and raises nothing instead.

    If it raises, it raises again when the case is judged, where that is an error of the case.
    """
    try:
        return unsupported(implementation, case) is None
    except BaseException as error:
        if is_interrupt(error):
            raise
        return False


@contextmanager
def _unchanged(*cases: Case) -> Iterator[None]:
    """Inside, an implementation has ``cases``, from which follows what is expected of it.

    Raises:
        Nonconformance: one of them was changed. It is restored.
    """
    parts = [part for case in cases for part in (case, case.config)]
    before = [dict(vars(part)) for part in parts]
    try:
        yield
    finally:
        changed = [vars(part) != known for part, known in zip(parts, before, strict=True)]
        for part, known in zip(parts, before, strict=True):
            vars(part).clear()
            vars(part).update(known)
        if any(changed):
            raise Nonconformance("the implementation changed the case that it was given")


class Together:
    """What is expected of several cases of the same stack, computed when it is first asked for."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self._cases = tuple(dict.fromkeys(cases))

    def __contains__(self, case: Case) -> bool:
        return case in self._cases

    def __getitem__(self, case: Case) -> Expectation:
        return self._expected[case]

    @cached_property
    def _expected(self) -> dict[Case, Expectation]:
        return dict(zip(self._cases, expect_together(self._cases), strict=True))


class Trials:
    """Makes trials, which may share the computation of what is expected.

    Args:
        implementation: what is judged.
    """

    def __init__(self, implementation: Implementation) -> None:
        self._implementation = implementation
        self._together: Together | None = None

    def prepare(self, cases: Sequence[Case]) -> None:
        """Says that ``cases``, which have the same stack, are judged next."""
        supported = [case for case in cases if may_run(self._implementation, case)]
        self._together = Together(supported) if len(supported) > 1 else None

    def trial(self, case: Case) -> Trial:
        """A trial of ``case``, which may have been prepared."""
        prepared = self._together is not None and case in self._together
        return Trial(case, self._implementation, self._together if prepared else None)


# More seconds than any run takes. Some timers of implementations return nonsense.
_MOST_SECONDS = 1e9


def _plain(observation: Observation) -> Observation:
    """The observation with plain float64 arrays and a plain number of seconds.

    Subclasses of ndarray may redefine what comparing them does.

    Raises:
        Nonconformance: a tensor does not hold real numbers.
    """
    tensors = {name: _plain_tensor(name, tensor) for name, tensor in observation.tensors.items()}
    try:
        seconds = float(observation.seconds)
    except (TypeError, ValueError, OverflowError):
        seconds = 0.0
    return Observation(tensors, seconds if 0.0 <= seconds <= _MOST_SECONDS else 0.0)


def _plain_tensor(name: str, tensor: ObservedTensor) -> ObservedTensor:
    values: NDArray[Any] = np.array(tensor.values, copy=True, subok=False)
    if values.dtype.kind not in "fiub":
        raise Nonconformance(f"{name} has values of dtype {values.dtype}, not real numbers")
    plain = values.astype(np.float64, copy=False)
    return ObservedTensor(plain, _plain_text(tensor.dtype), _plain_text(tensor.device))


def _plain_text(text: object) -> str:
    """The text without the methods of a subclass of str, which may redefine what equals it."""
    return "".join(str(text))
