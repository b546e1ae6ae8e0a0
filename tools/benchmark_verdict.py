"""Measures what a gradient verdict costs, compared with ``torch.autograd.gradcheck``.

Run by ``tox -e benchmark``. Only ratios within one run mean anything: compare the rows of a group.
A group is one case, with the forward pass of ``torch.nn.LSTM``, the forward and backward pass, the
reference alone, and the whole verdict: reference, rounding noise, comparison of every tensor. Small
cases also have gradcheck, which compares each input and parameter with finite differences, and its
fast mode, which compares one random direction of all inputs and parameters of a call.

The verdict on the largest case is reached in a process of its own, whose largest use of memory is
printed.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from lstm_conformance.adapters.torch_module import torch_lstm
from lstm_conformance.reference.oracle import evaluate
from lstm_conformance.runner.judging.rules import close
from lstm_conformance.spec.case import OUTPUTS, Case
from lstm_conformance.spec.config import LSTMConfig
from lstm_conformance.spec.verdicts import PASS
from meta_tests.helpers.trials import trial_of

CASES = {
    "740 parameters": Case(
        LSTMConfig(3, 4, num_layers=2, bidirectional=True),
        seq_len=5,
        batch_size=2,
        states=True,
        cotangents=OUTPUTS,
    ),
    "6,000 parameters": Case(
        LSTMConfig(12, 16, num_layers=2, bidirectional=True, proj_size=8),
        seq_len=10,
        batch_size=2,
        states=True,
        cotangents=OUTPUTS,
    ),
}


# Cases that show how the cost grows. gradcheck would take hours for them.
LARGER = {
    f"hidden {hidden}, {steps} steps": Case(
        LSTMConfig(hidden, hidden, num_layers=2, bidirectional=True),
        seq_len=steps,
        batch_size=4,
        dtype="float32",
        states=True,
        cotangents=OUTPUTS,
    )
    for hidden, steps in ((16, 10), (64, 10), (256, 10), (1024, 10), (16, 40), (16, 80))
}

LARGEST = Case(
    LSTMConfig(1024, 1024),
    seq_len=128,
    batch_size=64,
    dtype="float32",
    states=True,
    cotangents=OUTPUTS,
)

every_case = pytest.mark.parametrize("name", [*CASES, *LARGER])


@pytest.fixture
def case(name: str, benchmark: BenchmarkFixture) -> Case:
    """A case, whose size names the group of rows."""
    benchmark.group = name
    case = {**CASES, **LARGER}[name]
    benchmark.extra_info["arguments"] = sum(array.size for array in case.arguments().values())
    return case


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@every_case
def test_0_forward(benchmark: BenchmarkFixture, case: Case) -> None:
    forward = replace(case, cotangents=())
    benchmark(lambda: torch_lstm().run(forward))


@every_case
def test_1_forward_and_backward(benchmark: BenchmarkFixture, case: Case) -> None:
    benchmark(lambda: torch_lstm().run(case))


@every_case
def test_2_reference(benchmark: BenchmarkFixture, case: Case) -> None:
    benchmark(lambda: evaluate(case, case.arguments(), case.cotangent_values()))


@every_case
def test_3_verdict(benchmark: BenchmarkFixture, case: Case) -> None:
    observation = torch_lstm().run(case)
    findings = benchmark(lambda: close()(trial_of(case, observation)))
    assert {finding.verdict for finding in findings} == {PASS}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("fast", [True, False], ids=["fast", "whole"])
def test_4_gradcheck(benchmark: BenchmarkFixture, case: Case, fast: bool) -> None:
    config = case.config
    lstm = torch.nn.LSTM(
        config.input_size,
        config.hidden_size,
        config.num_layers,
        bidirectional=config.bidirectional,
        proj_size=config.proj_size,
        dtype=torch.float64,
    )
    names = list(case.arguments())
    values = [torch.tensor(array, requires_grad=True) for array in case.arguments().values()]

    def call(*tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        given = dict(zip(names, tensors, strict=True))
        x, states = given.pop("input"), (given.pop("h_0"), given.pop("c_0"))
        output, (h_n, c_n) = torch.func.functional_call(lstm, given, (x, states))
        return output, h_n, c_n

    options = {"fast_mode": fast}
    assert benchmark.pedantic(torch.autograd.gradcheck, (call, values), options, rounds=1)


_EXPECT = """
import resource, sys
from lstm_conformance.reference.oracle import expect
from lstm_conformance.spec.case import Case
expect(Case.parse(sys.argv[1]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)  # Linux counts in KiB
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss has other units elsewhere")
def test_5_memory_of_the_largest_case(
    benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    benchmark.group = "hidden 1024, 128 steps, 64 rows"
    command = [sys.executable, "-c", _EXPECT, str(LARGEST)]
    output = benchmark.pedantic(subprocess.check_output, (command,), {"text": True}, rounds=1)
    benchmark.extra_info["GiB"] = float(output)
    with capsys.disabled():
        print(f"\nlargest use of memory: {float(output):.2f} GiB")
