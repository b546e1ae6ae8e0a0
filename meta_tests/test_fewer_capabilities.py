"""A right LSTM that lacks a capability, and does not declare it, breaks no clause.

The LSTM raises wherever the capability would be needed. So this shows that rules do nothing beyond
their case that the implementation does not declare.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from lstm_conformance.runner.searching.checker import Checker
from lstm_conformance.runner.searching.profiles import Profile
from lstm_conformance.runner.searching.settings import Settings
from lstm_conformance.runner.session.suite import Run, runs_of
from lstm_conformance.spec.capabilities import ALL
from lstm_conformance.spec.clauses import TESTABLE
from lstm_conformance.spec.precision import PRECISIONS

torch = pytest.importorskip("torch")

from torch.nn.utils.rnn import PackedSequence  # noqa: E402

from lstm_conformance.adapters.torch_module import TorchModule  # noqa: E402

PROFILE = Profile(
    "smoke", every_combination=False, per_combination=1, per_clause=2, per_shrinking=0
)

# A torch module has two biases. Without "module" no rule can use it by hand.
LACKED = sorted(ALL - {"two-biases", "module"})


class Lacking(torch.nn.LSTM):  # type: ignore[misc,name-defined]
    """``torch.nn.LSTM``, which raises where it needs the capability ``lacks``."""

    lacks = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._refuse("layers", self.num_layers > 1)
        self._refuse("bidirectional", self.bidirectional)
        self._refuse("projection", self.proj_size > 0)
        self._refuse("no-bias", not self.bias)
        self._refuse("batch-first", self.batch_first)

    def _refuse(self, capability: str, needed: bool) -> None:
        if needed and capability == self.lacks:
            raise NotImplementedError(f"no {capability}")

    def forward(self, x: Any, states: Any = None) -> Any:
        packed = isinstance(x, PackedSequence)
        self._refuse("packed", packed)
        self._refuse("unbatched", not packed and x.dim() == 2)
        self._refuse("states", states is not None)
        drops = self.training and self.num_layers > 1
        self._refuse("full-dropout", drops and self.dropout == 1)
        self._refuse("dropout", drops and 0 < self.dropout < 1)
        self._refuse(str(self.weight_ih_l0.dtype).removeprefix("torch."), True)
        output, (h_n, c_n) = super().forward(x, states)
        for tensor in (output.data if packed else output, h_n, c_n):
            if tensor.requires_grad:
                tensor.register_hook(self._differentiate)
        return output, (h_n, c_n)

    def _differentiate(self, gradient: Any) -> None:
        self._refuse("gradients", True)
        self._refuse("double-backward", torch.is_grad_enabled())


def lacking(capability: str) -> TorchModule:
    """A right LSTM that lacks a capability."""
    factory = type("LSTM", (Lacking,), {"lacks": capability})
    return TorchModule("mine", factory, "0", capabilities=ALL - {capability})


@cache
def runs() -> tuple[Run, ...]:
    """The runs of all tests but those of the combinations, whose rules look at the case alone."""
    every = {run.name: run for clause in TESTABLE for run in runs_of(clause, PROFILE)}
    return tuple(run for run in every.values() if not run.name.startswith("test_every_combination"))


def broken(capability: str) -> Iterator[str]:
    """Each clause that breaks without ``capability``, and why."""
    implementation = lacking(capability)
    settings = Settings(PROFILE, 0, tuple(PRECISIONS), ("cpu",))
    for run in runs():
        if any(capability in TESTABLE[clause].needs for clause in run.clauses):
            continue
        checker = Checker(implementation, settings, run.name, run.clauses)
        run.test(checker)
        for clause, record in checker.records.items():
            for failure in record.failures:
                yield f"{clause} {failure.case}: {failure.exception or failure.finding}"


@pytest.mark.parametrize("capability", LACKED)
def test_nothing_breaks(capability: str) -> None:
    assert not list(broken(capability))
