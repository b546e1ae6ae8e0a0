"""The reference with changed observations, and the settings to judge it by EQ-4."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lstm_conformance.adapters.reference import ReferenceLSTM
from lstm_conformance.runner.judging.known_deviations import Deviation
from lstm_conformance.runner.searching.profiles import Profile
from lstm_conformance.runner.searching.settings import Settings
from lstm_conformance.spec.case import Case
from lstm_conformance.spec.contract import Observation
from lstm_conformance.spec.strategies import PLAIN

PROFILE = Profile(
    "test", every_combination=False, per_combination=2, per_clause=25, per_shrinking=200
)
WIDE = PLAIN.but(num_layers=(1, 2), bidirectional=(False, True), layout=("batched", "unbatched"))


class Modified(ReferenceLSTM):
    """The reference, with its observations put through a function."""

    def __init__(self, change: Callable[[Case, Observation], Observation]) -> None:
        self._change = change
        self.asked: list[Case] = []

    def run(self, case: Case) -> Observation:
        self.asked.append(case)
        return self._change(case, super().run(case))


def settings(dtypes: tuple[str, ...] = ("float64", "float32"), seed: int = 0) -> Settings:
    """Settings with the profile of these tests, on the CPU."""
    return Settings(PROFILE, seed, dtypes, ("cpu",))


def with_output(observation: Observation, change: Callable[..., object]) -> Observation:
    """``observation`` with ``change`` applied to the values of ``output``."""
    tensors = dict(observation.tensors)
    tensors["output"] = replace(tensors["output"], values=change(tensors["output"].values))
    return replace(observation, tensors=tensors)


def with_deviations(*when: dict[str, tuple[object, ...]]) -> Settings:
    """Settings with a known deviation from EQ-4 for each of these conditions."""
    known = tuple(Deviation(("EQ-4",), "known", when=conditions) for conditions in when)
    return replace(settings(), deviations=known)
