"""An implementation that replaces what all code shares spoils neither its next case nor others."""

from __future__ import annotations

import builtins
import math
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lstm_conformance.adapters.reference import ReferenceLSTM
from lstm_conformance.runner.judging.comparison import Finding
from lstm_conformance.runner.judging.rules import close, on_bench
from lstm_conformance.runner.judging.trial import Trial
from lstm_conformance.runner.processes.child_process import ChildProcess
from lstm_conformance.runner.searching.case_judge import CaseJudge
from lstm_conformance.runner.searching.profiles import PROFILES
from lstm_conformance.runner.searching.settings import Settings
from lstm_conformance.runner.session.construction import Judged, construct_here
from lstm_conformance.runner.session.isolated_process import _Answers
from lstm_conformance.runner.session.options import Options
from lstm_conformance.runner.session.plainest_case import require_plainest_case
from lstm_conformance.spec.case import OUTPUTS, Case
from lstm_conformance.spec.config import LSTMConfig
from lstm_conformance.spec.contract import Observation
from lstm_conformance.spec.global_settings import known_settings
from lstm_conformance.spec.python_state import CannotRestore, PythonState
from lstm_conformance.spec.usage_error import UsageError
from lstm_conformance.spec.verdicts import ERROR, FAIL, PASS

CASE = Case(LSTMConfig(2, 3), seq_len=3, batch_size=2, cotangents=OUTPUTS)
SETTINGS = Settings(PROFILES["smoke"], 0, ("float32", "float64"), ("cpu",))


class Raising:
    """A stream that cannot be written to."""

    def __getattr__(self, name: str) -> Any:
        raise ValueError(name)


def removes_modules() -> None:
    for name in [n for n in sys.modules if not n.startswith("torch")]:
        del sys.modules[name]


def close_outputs() -> None:
    os.close(1)
    os.close(2)


Harm = Callable[[], object]

# What is changed, and how.
HARM: list[tuple[str, Harm]] = [
    ("builtins.print", lambda: setattr(builtins, "print", None)),
    ("builtins.open", lambda: delattr(builtins, "open")),
    ("builtins.TypeError", lambda: setattr(builtins, "TypeError", None)),
    ("sys.modules", lambda: sys.modules.clear()),
    ("sys.modules", removes_modules),
    ("sys.modules", lambda: setattr(sys, "modules", {})),
    ("sys.modules", lambda: sys.modules.update({"lstm_conformance.spec.case": None})),
    ("sys.path", lambda: sys.path.clear()),
    ("sys.path", lambda: setattr(sys, "path", None)),
    ("sys.path", lambda: setattr(sys, "path", sys.path[1:])),
    ("sys.stdout", lambda: setattr(sys, "stdout", Raising())),
    ("sys.stdout", lambda: setattr(sys, "stdout", None)),
    ("sys.stderr", lambda: delattr(sys, "stderr")),
    ("file descriptor 1", close_outputs),
    ("file descriptor 2", lambda: os.dup2(0, 2)),
]

# How what the judge uses is changed.
HARM_TO_THE_JUDGE: list[Harm] = [
    lambda: setattr(builtins, "len", None),
    lambda: setattr(builtins, "isinstance", lambda value, of: True),
    lambda: builtins.__dict__.clear(),
    lambda: setattr(math, "sqrt", lambda x: 1e30),
    lambda: delattr(math, "prod"),
]


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    with PythonState() as before:
        yield
        changed = before.restore()
    assert not changed


class Harmful(ReferenceLSTM):
    """Does ``harm`` in each run."""

    def __init__(self, harm: Harm) -> None:
        self._harm = harm

    def run(self, case: Case) -> Observation:
        seen = super().run(case)
        self._harm()
        return seen


@pytest.mark.parametrize("harm", [harm for _, harm in HARM])
def test_what_an_implementation_changes_is_restored_before_it_is_judged(harm: Harm) -> None:
    judge = CaseJudge(Harmful(harm), SETTINGS)
    for case in (CASE, replace(CASE, seq_len=4)):
        (record,) = judge.judge(case, {"EQ-4": close()}).records
        assert record.verdicts == {PASS: 1}


@pytest.mark.parametrize("harm", HARM_TO_THE_JUDGE)
def test_what_the_judge_uses_is_restored_and_an_error(harm: Harm) -> None:
    """Also if expectations were computed side by side: then a failing case is judged again."""
    judge, cases = CaseJudge(Harmful(harm), SETTINGS), [CASE, replace(CASE, seed=2)]
    judge.prepare(cases)
    for case in cases:
        (record,) = judge.judge(case, {"EQ-4": close()}).records
        assert record.verdicts == {ERROR: 1}
        assert "the implementation changed " in record.failures[0].exception
    assert next(iter([len("a")])) == 1
    assert math.sqrt(math.prod((2, 2))) == 2


class Lenient(ReferenceLSTM):
    """Its results are wrong, and it asks for the tolerance of another dtype."""

    def __init__(self, part: str, name: str, value: object) -> None:
        self._part, self._name, self._value = part, name, value

    def run(self, case: Case) -> Observation:
        seen = super().run(case)
        part = case if self._part == "case" else case.config
        object.__setattr__(part, self._name, self._value)
        tensors = {n: replace(t, values=t.values * (1 + 1e-4)) for n, t in seen.tensors.items()}
        return replace(seen, tensors=tensors)


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        ("case", "dtype", "bfloat16"),
        ("case", "cotangents", None),
        ("case", "anything", 1),
        ("config", "hidden_size", 1),
    ],
)
def test_an_implementation_that_changes_its_case_is_an_error(
    part: str, name: str, value: object
) -> None:
    case = replace(CASE, seed=3)
    before = str(case)
    (record,) = (
        CaseJudge(Lenient(part, name, value), SETTINGS).judge(case, {"EQ-4": close()}).records
    )
    assert record.verdicts == {ERROR: 1}
    assert "changed the case that it was given" in record.failures[0].exception
    assert str(case) == before
    assert vars(case) == vars(Case.parse(before))


def test_what_is_added_is_kept_and_no_change(tmp_path: Path) -> None:
    with known_settings(), PythonState() as state:
        sys.path.insert(0, str(tmp_path))
        sys.modules["added_by_an_implementation"] = sys
        builtins.added = None  # type: ignore[attr-defined]
        assert state.restore() == []
    assert sys.path.pop(0) == str(tmp_path)
    assert sys.modules.pop("added_by_an_implementation") is sys
    del builtins.added  # type: ignore[attr-defined]


def test_added_folders_stay_if_others_were_removed(tmp_path: Path) -> None:
    before = sys.path[:]
    with known_settings():
        sys.path[:] = [str(tmp_path)]
    assert sys.path == [*before, str(tmp_path)]
    sys.path.pop()


# --------------------------------------------------------------------- PURE-13 and PURE-14


def test_each_change_is_a_side_effect() -> None:
    torch = pytest.importorskip("torch")
    from lstm_conformance.adapters.torch_module import TorchModule
    from lstm_conformance.tests import test_purity

    construction = on_bench(test_purity.construction_changes_no_setting)
    call = on_bench(test_purity.call_changes_no_setting)
    harm: list[Harm] = []

    class HarmfulConstructor(torch.nn.LSTM):  # type: ignore[misc, name-defined]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            for do in harm:
                do()

    class HarmfulCall(torch.nn.LSTM):  # type: ignore[misc, name-defined]
        def forward(self, *arguments: Any) -> Any:
            results = super().forward(*arguments)
            for do in harm:
                do()
            return results

    def broken(module: type, rule: Any) -> set[str]:
        findings: list[Finding] = rule(Trial(CASE, TorchModule("harmful", module, "0")))
        return {finding.tensor for finding in findings if finding.verdict == FAIL}

    for name, do in HARM:
        harm[:] = [do]
        assert name in broken(HarmfulConstructor, construction), name
        assert name in broken(HarmfulCall, call), name
    harm.clear()
    assert not broken(HarmfulConstructor, construction)
    assert not broken(HarmfulCall, call)


# ------------------------------------------------------------------ what cannot be restored


def closing(name: str, path: Path) -> Harm:
    """Closes ``sys.stdout``, say, which is made for it first."""
    stream = path.open("w")
    setattr(sys, name, stream)
    return stream.close


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_closed_streams_are_named(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, name, getattr(sys, name))
    close_it = closing(name, tmp_path / "output")
    with pytest.raises(CannotRestore, match=f"closed sys.{name}"), known_settings():
        close_it()
    judged = Judged(Harmful(closing(name, tmp_path / "output")), "harmful")
    with pytest.raises(UsageError, match=f"closed sys.{name}, which stays closed"):
        require_plainest_case(judged, SETTINGS)
    close_it = closing(name, tmp_path / "output")

    def make() -> Any:
        with known_settings():
            close_it()

    with pytest.raises(UsageError, match=f"Loading reference: .* closed sys.{name}"):
        construct_here(Options(target="reference"), make)


class Answering(ChildProcess):
    """A process that gives one answer to all that it is asked."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer, self.stopped = answer, 0

    def ask(self, message: Any, seconds: float | None = None) -> dict[str, Any]:
        return self.answer

    def stop(self) -> None:
        self.stopped += 1


@pytest.mark.parametrize("answer", [{"changed": ["sys.stdout"]}, {"raised": ""}])
def test_a_plainest_case_that_changes_its_process_does_not_share_it(answer: Any) -> None:
    process = Answering(answer)
    isolated: Any = ReferenceLSTM()
    require_plainest_case(Judged(isolated, "x", process=process, isolated=isolated), SETTINGS)
    assert process.stopped == ("changed" in answer)


def test_a_process_that_was_changed_says_so_also_after_an_exception(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    answers = _Answers()
    answers._judged = Judged(Harmful(closing("stdout", tmp_path / "output")), "harmful")
    message = {"method": "run", "case": str(CASE), "values": [], "direction": []}
    assert answers.answer(message) == {"changed": ["sys.stdout"]}
