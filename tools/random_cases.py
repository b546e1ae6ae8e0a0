"""Random cases for programs that measure the suite."""

from __future__ import annotations

import hypothesis
from hypothesis import HealthCheck, Phase

from lstm_conformance.spec.case import Case
from lstm_conformance.spec.strategies import Domain, case_strategy

__all__ = ["drawn"]


def drawn(domain: Domain, number: int, seed: int = 0) -> list[Case]:
    """About ``number`` cases of ``domain``, the same in every run."""
    found: list[Case] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=number,
        phases=(Phase.generate,),
        database=None,
        deadline=None,
        derandomize=False,
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(case_strategy(domain))
    def keep(case: Case) -> None:
        found.append(case)

    keep()
    return found
