"""Finds capabilities that an implementation has and does not declare."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...spec.case import OUTPUTS, Case
from ...spec.config import LSTMConfig
from ...spec.contract import Implementation
from ...spec.interrupts import is_interrupt
from ...spec.precision import PRECISIONS
from ...spec.verdicts import PASS
from ..judging.canary import watched
from ..judging.trial import Trial

__all__ = ["PROBES", "works"]

# Capability to the fields that make a plain case need it. Capabilities that only clauses need are
# not tried.
_OF_CONFIG: dict[str, dict[str, Any]] = {
    "layers": {"num_layers": 2},
    "bidirectional": {"bidirectional": True},
    "projection": {"proj_size": 2},
    "no-bias": {"bias": False},
    "batch-first": {"batch_first": True},
}
_OF_CASE: dict[str, dict[str, Any]] = {
    "unbatched": {"layout": "unbatched", "batch_size": 1},
    "packed": {"layout": "packed_unsorted", "lengths": (2, 3)},
    "states": {"states": True},
    "gradients": {"cotangents": OUTPUTS},
    **{name: {"dtype": name} for name in PRECISIONS},
}
PROBES = (*_OF_CONFIG, *_OF_CASE)

_SEEDS = (1, 2)


def works(implementation: Implementation, capability: str) -> bool:
    """Whether the results of plain cases that need ``capability`` are right.

    Args:
        implementation: that is judged. If it raises an exception, the capability does not work.
        capability: one of ``PROBES``.
    """
    declared = [name for name in PRECISIONS if name in implementation.capabilities]
    config = replace(LSTMConfig(3, 4), **_OF_CONFIG.get(capability, {}))
    plain = Case(config, seq_len=3, batch_size=2, dtype=(declared or ["float32"])[0])
    changes = _OF_CASE.get(capability, {})
    try:
        with watched():
            return all(_right(implementation, replace(plain, seed=s, **changes)) for s in _SEEDS)
    except BaseException as error:
        if is_interrupt(error):
            raise
        return False


def _right(implementation: Implementation, case: Case) -> bool:
    trial = Trial(case, implementation)
    observed = trial.observation.tensors
    return all(observed[name].dtype == case.dtype for name in case.result_names()) and all(
        finding.verdict == PASS for finding in trial.close_all(observed)
    )
