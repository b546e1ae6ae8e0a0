"""A finding says how a tensor was obtained only where it is wrong because of that."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from lstm_conformance.adapters.torch_module import TorchModule
from lstm_conformance.runner.judging.rules import close, in_inference
from lstm_conformance.runner.judging.trial import Trial
from lstm_conformance.spec.case import Case
from lstm_conformance.spec.config import LSTMConfig
from lstm_conformance.spec.verdicts import FAIL

CASE = Case(LSTMConfig(2, 3), seq_len=2, batch_size=2)


class AlwaysWrong(torch.nn.LSTM):
    def forward(self, *arguments: Any) -> Any:
        output, states = super().forward(*arguments)
        return output * 1.01, states


class WrongWithoutGradients(torch.nn.LSTM):
    def forward(self, *arguments: Any) -> Any:
        output, states = super().forward(*arguments)
        return output if torch.is_grad_enabled() else output * 1.01, states


@pytest.mark.parametrize(
    ("module", "notes"),
    [
        (AlwaysWrong, {""}),
        (WrongWithoutGradients, {"in no_grad", "in inference_mode"}),
    ],
)
def test_notes_tell_what_differs(module: type[torch.nn.Module], notes: set[str]) -> None:
    trial = Trial(CASE, TorchModule("wrong", module, "0"))
    findings = in_inference(close())(trial)
    assert {f.message for f in findings if f.verdict == FAIL} == notes


def test_gradients_in_the_same_memory_are_named() -> None:
    from lstm_conformance.tests.test_gradients import in_the_same_memory

    module = torch.nn.LSTM(2, 3)
    for parameter in module.parameters():
        parameter.grad = torch.zeros_like(parameter)
    assert in_the_same_memory(module) == ""
    module.bias_hh_l0.grad = module.bias_ih_l0.grad
    assert in_the_same_memory(module) == "; bias_ih_l0.grad and bias_hh_l0.grad share memory"
