"""The stand-alone program of a failure shows what the suite saw, without the suite."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from lstm_conformance.adapters.target import load
from lstm_conformance.reports.results import FoundFailure
from lstm_conformance.runner.failures.failure import Failure
from lstm_conformance.runner.failures.standalone_program import standalone_program
from lstm_conformance.runner.judging.comparison import Finding
from lstm_conformance.runner.judging.rules import close
from lstm_conformance.spec.case import Case

from .helpers.trials import trial_of

pytest.importorskip("torch")

CASES = {
    "forward": "v1 input_size=2 hidden_size=3 seq_len=4 batch_size=2 seed=3",
    "states": "v1 input_size=2 hidden_size=3 num_layers=2 bidirectional=True batch_first=True "
    "seq_len=4 batch_size=2 dtype=float32 states=True state_scale=4.0 cotangents=output,c_n seed=4",
    "unbatched": "v1 input_size=2 hidden_size=3 proj_size=2 seq_len=3 layout=unbatched states=True "
    "weight_scale=3.0 cotangents=h_n seed=5",
    "packed": "v1 input_size=1 hidden_size=2 bias=False seq_len=3 batch_size=2 "
    "layout=packed_unsorted lengths=2,3 cotangents=output,h_n,c_n input_scale=3.0 seed=6",
    "dropout": "v1 input_size=2 hidden_size=2 num_layers=3 dropout=1.0 seq_len=3 training=True "
    "cotangents=output,h_n,c_n seed=7",
    "bfloat16": "v1 input_size=2 hidden_size=2 seq_len=3 dtype=bfloat16 cotangents=output seed=8",
}


def failure(case: Case, finding: Finding | None = None, exception: str = "") -> FoundFailure:
    line = str(case)
    return Failure("error" if exception else "fail", line, line, finding, exception).to_json()


# Runs programs one after the other, each with names of its own. To import torch takes seconds.
EXECUTE = """\
import json, sys
for program in json.load(sys.stdin):
    exec(compile(program, "program", "exec"), {"__name__": "__main__"})
    print("end")
"""


def executed(folder: Path, *programs: str) -> list[dict[str, str]]:
    """The lines that each program prints, by their first word."""
    for program in programs:
        assert "lstm_conformance" not in program
    done = subprocess.run(
        [sys.executable, "-I", "-W", "ignore", "-c", EXECUTE],
        cwd=folder, capture_output=True, text=True, check=False, input=json.dumps(programs),
    )  # fmt: skip
    assert done.returncode == 0, "\n".join(programs) + done.stderr
    printed = done.stdout.split("end\n")[:-1]
    return [dict(line.split(" ", 1) for line in text.splitlines()) for text in printed]


def test_the_program_prints_the_observed_value(tmp_path: Path) -> None:
    programs, expected = [], []
    for name, line in CASES.items():
        case = Case.parse(line)
        tensors = load("torch.nn:LSTM").run(case).tensors
        # The last elements, on which every argument has an effect.
        for tensor in {"c_n", *list(tensors)[-1:]}:
            values = tensors[tensor].values
            index = tuple(n - 1 for n in values.shape)
            finding = Finding(tensor, "fail", 1.0, index, 0.0, 0.0, 0.0)
            programs.append(standalone_program(failure(case, finding), "torch.nn:LSTM"))
            expected.append((name, tensor, values[index]))
    for printed, (name, tensor, value) in zip(executed(tmp_path, *programs), expected, strict=True):
        assert float(printed["observed"]) == value, (name, tensor)


@pytest.mark.whole
def test_the_program_of_a_class_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "wrong.py"
    file.write_text(
        "from lstm_conformance.defects.equations.parameters import BiasHHIgnored\n", "utf-8"
    )
    target = f"{file}:BiasHHIgnored"
    case = Case.parse(CASES["forward"])
    observation = load(target).run(case)
    (finding,) = close("output")(trial_of(case, observation))
    (printed,) = executed(tmp_path, standalone_program(failure(case, finding), target))
    assert float(printed["observed"]) == finding.observed
    assert float(printed["expected"].split()[0]) == finding.expected


def test_the_program_of_an_exception_and_of_a_shape() -> None:
    case = Case.parse(CASES["forward"])
    program = standalone_program(failure(case, exception="ValueError: a\nb"), "torch.nn:LSTM")
    assert program.endswith("# raises ValueError: a b\n")
    finding = Finding("h_n", "fail", message="shape is (1,), not (2,)")
    program = standalone_program(failure(case, finding), "torch-onednn-off")
    ast.parse(program)
    assert "mkldnn" in program
    assert "shape is (1,), not (2,)" in program
