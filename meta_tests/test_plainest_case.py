"""What cannot run at all is refused before it is judged; what runs now and then is judged."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lstm_conformance.adapters.reference import ReferenceLSTM
from lstm_conformance.adapters.target import load
from lstm_conformance.runner.searching.profiles import PROFILES
from lstm_conformance.runner.searching.settings import Settings
from lstm_conformance.runner.session.construction import construct
from lstm_conformance.runner.session.options import Options
from lstm_conformance.runner.session.plainest_case import (
    require_plainest_case,
    what_plainest_cases_raise,
)
from lstm_conformance.runner.session.suite import records_of
from lstm_conformance.spec.case import Case
from lstm_conformance.spec.contract import Nonconformance, Observation, Unsupported
from lstm_conformance.spec.precision import PRECISIONS
from lstm_conformance.spec.usage_error import UsageError

from .helpers.command_line import run
from .helpers.modified_reference import Modified, with_output

SETTINGS = Settings(PROFILES["smoke"], 0, tuple(PRECISIONS), ("cpu",))

RAISING = """
from lstm_conformance.adapters.reference import ReferenceLSTM


class Raising(ReferenceLSTM):
    def run(self, case):
        super().run(case)
        raise ValueError("no\\nkernel")
"""

# In the shapes and with the names of torch.nn.LSTM.
WITHOUT_DEVICE = '''
import torch


class LSTM(torch.nn.LSTM):
    """Its constructor takes no device and no dtype."""

    def __init__(
        self, input_size, hidden_size, num_layers=1, bias=True, batch_first=False, dropout=0.0,
        bidirectional=False, proj_size=0,
    ):
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
            proj_size,
        )


class Raising(torch.nn.LSTM):
    def forward(self, x, states=None):
        return super().forward(x[..., :1], states)
'''


class EveryRun(Modified):
    """The reference, which raises in some of its runs."""

    def __init__(self, *raising: int) -> None:
        super().__init__(self._raise)
        self._raising = raising

    def _raise(self, case: Case, observation: Observation) -> Observation:
        if len(self.asked) in self._raising:
            raise ValueError("not now")
        return observation


def needs_states(case: Case, observation: Observation) -> Observation:
    if not case.states:
        raise TypeError("states are missing")
    return observation


def other_parameters(case: Case, observation: Observation) -> Observation:
    raise Nonconformance("the parameters are others")


def not_supported(case: Case, observation: Observation) -> Observation:
    raise Unsupported("this")


@pytest.mark.parametrize(
    "implementation",
    [
        ReferenceLSTM(),
        Modified(lambda case, o: with_output(o, lambda x: x + 1)),
        Modified(needs_states),
        Modified(not_supported),
        Modified(other_parameters),
        EveryRun(1, 2, 4),
    ],
    ids=["right", "wrong", "needs states", "unsupported", "other parameters", "now and then"],
)
def test_what_runs_is_judged(implementation: ReferenceLSTM) -> None:
    assert what_plainest_cases_raise(implementation, SETTINGS) == ""


def test_an_exception_in_unsupported_is_left_to_the_cases() -> None:
    class Limits(ReferenceLSTM):
        def unsupported(self, case: Case) -> str | None:
            raise KeyError("limits")

    assert what_plainest_cases_raise(Limits(), SETTINGS) == ""


def test_what_never_runs_is_described() -> None:
    implementation = EveryRun(*range(100))
    said = what_plainest_cases_raise(implementation, SETTINGS)
    assert said.startswith("ValueError: not now (")
    line = _line('raise ValueError("not now")')
    assert said.endswith(f"{Path(__file__).name}, line {line})")
    assert len(implementation.asked) < 30


def _line(text: str) -> int:
    lines = Path(__file__).read_text("utf-8").splitlines()
    return 1 + next(number for number, line in enumerate(lines) if line.strip().startswith(text))


def test_nothing_is_tried_in_a_dtype_that_is_not_judged() -> None:
    implementation = Modified(lambda case, observation: observation)
    settings = Settings(PROFILES["smoke"], 0, ("bfloat16",), ("cpu",))  # NumPy has no bfloat16
    assert what_plainest_cases_raise(implementation, settings) == ""
    assert not implementation.asked


@pytest.fixture
def raising(tmp_path: Path) -> str:
    file = tmp_path / "raising.py"
    file.write_text(RAISING, "utf-8")
    return f"{file}:Raising"


def test_in_an_isolated_process(raising: str) -> None:
    judged = construct(Options(target=raising, isolate=True))
    assert judged.process is not None
    try:
        with pytest.raises(UsageError, match=r"ValueError: no kernel \(.*raising.py, line 8\)"):
            require_plainest_case(judged, SETTINGS)
    finally:
        judged.process.stop()


def test_the_command_refuses_it(raising: str, tmp_path: Path) -> None:
    """pytest ends with a usage error, which the command passes on."""
    ended = run("check", raising, "-n", "2", cwd=tmp_path)
    assert (ended.status, ended.out) == (2, "")
    assert f"{raising} cannot be judged, because even the plainest case (" in ended.err
    assert "rows) fails: ValueError: no kernel (" in ended.err
    assert "raising.py, line 8). Correct this" in ended.err
    assert ended.err.count("\n") == 1


def test_a_program_that_always_fails_is_refused(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import json, sys\n\n"
        "for line in sys.stdin:\n"
        "    asked = json.loads(line)\n"
        "    answer = {'id': asked['id'], 'protocol': 1, 'name': 'mine', 'version': '1',\n"
        "              'capabilities': ['float32']}\n"
        "    if asked['method'] != 'hello':\n"
        "        answer = {'id': asked['id'], 'error': 'no kernel'}\n"
        "    print(json.dumps(answer), flush=True)\n",
        "utf-8",
    )
    judged = construct(Options(program=f"{sys.executable} {program}"))
    with pytest.raises(UsageError, match="fails: ProgramRaised: no kernel"):
        require_plainest_case(judged, SETTINGS)


def test_a_module_that_always_raises_is_described(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    (tmp_path / "plain.py").write_text(WITHOUT_DEVICE, "utf-8")
    said = what_plainest_cases_raise(load(f"{tmp_path}/plain.py:Raising"), SETTINGS)
    assert said.startswith("RuntimeError: input.size(-1) must be equal to input_size")
    assert "plain.py, line" in said


# Clauses about the arguments device and dtype.
ABOUT_THEM = ("DTYPE-6", "DTYPE-7", "DTYPE-8", "USE-1", "USE-2")
OTHERS = ("EQ-4", "DTYPE-1", "GRAD-10", "PARAM-1", "PARAM-24", "PURE-13", "USE-4")


@pytest.mark.parametrize("clause", [*ABOUT_THEM, *OTHERS])
def test_a_constructor_without_device_and_dtype(clause: str, tmp_path: Path) -> None:
    """Only the clauses about these arguments break."""
    pytest.importorskip("torch")
    (tmp_path / "plain.py").write_text(WITHOUT_DEVICE, "utf-8")
    implementation = load(f"{tmp_path}/plain.py:LSTM")
    assert what_plainest_cases_raise(implementation, SETTINGS) == ""
    (record,) = records_of(implementation, clause)
    if clause in ABOUT_THEM:
        assert record.verdicts["error"] == 1
        assert "unexpected keyword argument" in record.failures[0].exception or clause == "USE-1"
    else:
        assert set(record.verdicts) == {"pass"}
