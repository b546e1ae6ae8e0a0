"""A right LSTM that lacks a capability, and does not declare it, breaks no clause.

The LSTM raises wherever the capability would be needed. So this shows that rules do nothing beyond
their case that the implementation does not declare.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lstm_conformance.runner.searching.checker import Checker
from lstm_conformance.runner.searching.profiles import Profile
from lstm_conformance.runner.searching.settings import Settings
from lstm_conformance.runner.session.suite import Run, runs_of
from lstm_conformance.spec.capabilities import ALL
from lstm_conformance.spec.clauses import TESTABLE
from lstm_conformance.spec.precision import PRECISIONS
from lstm_conformance.spec.sizes import AXES

torch = pytest.importorskip("torch")

from torch.nn.utils.rnn import PackedSequence  # noqa: E402

from lstm_conformance.adapters.torch_module import TorchModule  # noqa: E402

# One case of each test: the smallest, which Hypothesis draws first.
PROFILE = Profile(
    "smoke", every_combination=False, per_combination=1, per_clause=1, per_shrinking=0
)
SETTINGS = Settings(PROFILE, 0, tuple(PRECISIONS), ("cpu",))

# They take long. The rules of the first two lines look at the results of the case alone, and those
# of the last line at many modules or masks. One ladder of sizes is left, that of num_layers.
LEFT_OUT = (
    "test_every_combination", "test_wide_layers", "test_sizes_together",
    *(f"test_every_size[{axis}]" for axis in AXES if axis != "num_layers"),
    "test_distribution_of_initial_values", "test_reset_parameters", "test_rate",
)  # fmt: skip


class Once(torch.autograd.Function):  # type: ignore[misc]
    """Its gradient cannot be differentiated."""

    @staticmethod
    def forward(tensor: Any) -> Any:
        return tensor.clone()

    @staticmethod
    def setup_context(context: Any, inputs: Any, output: Any) -> None:
        pass

    @staticmethod
    @torch.autograd.function.once_differentiable  # type: ignore[untyped-decorator]
    def backward(context: Any, gradient: Any) -> Any:
        return gradient

    @staticmethod
    def jvp(context: Any, tangent: Any) -> Any:
        return tangent.clone()


class Lacking(torch.nn.LSTM):  # type: ignore[misc,name-defined]
    """``torch.nn.LSTM``, which raises where it needs the capability ``lacks``.

    It has all but "module" and "two-biases", which a torch module cannot lack.
    """

    lacks = ""
    needed: set[str] = set()  # noqa: RUF012 - of all modules

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._need("layers", self.num_layers > 1)
        self._need("bidirectional", self.bidirectional)
        self._need("projection", self.proj_size > 0)
        self._need("no-bias", not self.bias)
        self._need("batch-first", self.batch_first)

    def _need(self, capability: str, needed: bool = True) -> None:
        if needed:
            self.needed.add(capability)
            if capability == self.lacks:
                raise NotImplementedError(f"no {capability}")

    def forward(self, input: Any, hx: Any = None) -> Any:
        packed = isinstance(input, PackedSequence)
        self._need("packed", packed)
        self._need("unbatched", not packed and input.dim() == 2)
        self._need("states", hx is not None)
        drops = self.training and self.num_layers > 1
        self._need("full-dropout", drops and self.dropout == 1)
        self._need("dropout", drops and 0 < self.dropout < 1)
        self._need(str(self.weight_ih_l0.dtype).removeprefix("torch."))
        duals = (torch.autograd.forward_ad.unpack_dual(p) for p in self.parameters())
        self._need("forward-mode", any(dual.tangent is not None for dual in duals))
        output, (h_n, c_n) = super().forward(input, hx)
        tensors = [output.data if packed else output, h_n, c_n]
        if self.lacks == "double-backward":
            tensors = [Once.apply(tensor) for tensor in tensors]
        for tensor in tensors:
            if tensor.requires_grad:
                tensor.register_hook(self._differentiate)
        result, *states = tensors
        return output._replace(data=result) if packed else result, tuple(states)

    def _differentiate(self, gradient: Any) -> None:
        self._need("gradients")
        if torch.is_grad_enabled():  # a graph of gradients is made, and perhaps used
            self.needed.add("double-backward")


def broken(run: Run, lacks: str = "") -> list[str]:
    """Each clause of a test that breaks for lack of a capability, and why.

    Wrong numbers are deviations of torch: what lacks a capability raises.
    """
    implementation = TorchModule("mine", Lacking, "0", capabilities=ALL - {lacks})
    checker = Checker(implementation, SETTINGS, run.name, run.clauses)
    Lacking.lacks = lacks
    try:
        run.test(checker)
    finally:
        Lacking.lacks = ""
    failures = [(r.clause, failure) for r in checker.records.values() for failure in r.failures]
    reasons = [
        (clause, failure.exception or (failure.finding.message if failure.finding else ""))
        for clause, failure in failures
    ]
    return [
        f"{clause} without {lacks}: {reason}"
        for clause, reason in reasons
        if "Error: " in reason or f"no {lacks}" in reason
    ]


def runs() -> Iterator[Run]:
    every = {run.name: run for clause in TESTABLE for run in runs_of(clause, PROFILE)}
    return (run for run in every.values() if not run.name.startswith(LEFT_OUT))


def test_nothing_breaks_without_gradients() -> None:
    """Of the chapters that are most about gradients; the next test has all."""
    chapters = ("EQ-", "GRAD-", "TRAIN-")
    found = [
        reason
        for run in runs()
        if run.clauses[0].startswith(chapters) and run.name != "test_forward_mode"
        for reason in broken(run, "gradients")
    ]
    assert not found, "\n".join(found)


@pytest.mark.whole
def test_nothing_breaks_without_a_capability() -> None:
    """Each test is repeated without each capability that it needs if it has all of them."""
    found: list[str] = []
    tried: set[str] = set()
    for run in runs():
        Lacking.needed.clear()
        broken(run)
        needed = sorted(Lacking.needed)
        found += [reason for capability in needed for reason in broken(run, capability)]
        tried.update(needed)
    assert not found, "\n".join(found)
    assert tried == ALL - {"module", "two-biases"}
