"""Trials whose observation is given."""

from __future__ import annotations

from lstm_conformance.adapters.reference import ReferenceLSTM
from lstm_conformance.runner.judging.trial import Trial
from lstm_conformance.spec.case import Case
from lstm_conformance.spec.contract import Observation

__all__ = ["trial_of"]


class _Given(ReferenceLSTM):
    def __init__(self, observation: Observation) -> None:
        self._observation = observation

    def run(self, case: Case) -> Observation:
        return self._observation


def trial_of(case: Case, observation: Observation) -> Trial:
    """The trial of an implementation that returns ``observation`` for every case."""
    return Trial(case, _Given(observation))
