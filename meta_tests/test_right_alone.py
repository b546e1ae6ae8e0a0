"""What is said of an LSTM that is right until something else was called."""

from __future__ import annotations

from pathlib import Path

import pytest

from .helpers.command_line import check

KEEPS_ITS_FIRST_WIDTH = """
import torch

units = []

class LSTM(torch.nn.LSTM):
    def forward(self, input, hx=None):
        output, states = super().forward(input, hx)
        if isinstance(input, torch.Tensor):
            units.append(output.shape[-1])
            output = torch.cat([output[..., :units[0]], 0 * output[..., units[0]:]], -1)
        return output, states
"""

ALWAYS_WRONG = """
import torch

class LSTM(torch.nn.LSTM):
    def forward(self, input, hx=None):
        output, states = super().forward(input, hx)
        if isinstance(input, torch.Tensor):
            output = output + 0.25 * output.abs()
        return output, states
"""


@pytest.mark.parametrize(
    ("program", "how", "is_said"),
    [
        (KEEPS_ITS_FIRST_WIDTH, ["-n", "0"], True),
        (KEEPS_ITS_FIRST_WIDTH, ["--isolate", "-n", "1"], True),
        (KEEPS_ITS_FIRST_WIDTH, ["--no-diagnosis", "-n", "0"], False),
        (ALWAYS_WRONG, ["-n", "0"], False),
    ],
    ids=["a buffer is kept", "isolated", "no diagnosis", "always wrong"],
)
def test_what_depends_on_earlier_calls_is_said(
    program: str, how: list[str], is_said: bool, tmp_path: Path
) -> None:
    tmp_path.joinpath("lstm.py").write_text(program)
    _, results = check(
        "lstm.py:LSTM", "--clause", "EQ-3", "--profile", "smoke", *how, cwd=tmp_path
    )  # fmt: skip
    (clause,) = results["clauses"]
    assert clause["verdict"] == "fail"
    text = "Right as the first case of a new process: it depends on earlier calls"
    diagnosis = clause["failure"]["diagnosis"].get("text", "")
    assert diagnosis.startswith(text) is is_said
    assert (text in clause["failure"]["explanation"]) is is_said
