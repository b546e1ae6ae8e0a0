"""The judge computes in a known state, whatever an implementation has set or replaced."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstm_conformance.adapters.reference import ReferenceLSTM
from lstm_conformance.adapters.target import load
from lstm_conformance.reference.oracle import expect
from lstm_conformance.runner.failures.behaviour import run
from lstm_conformance.runner.judging import canary, comparison
from lstm_conformance.runner.judging.canary import JudgeChanged, recorded, watched
from lstm_conformance.runner.judging.rules import Rule, close, dtype_kept
from lstm_conformance.runner.judging.trial import Trial
from lstm_conformance.runner.searching.case_judge import CaseJudge
from lstm_conformance.runner.searching.profiles import PROFILES
from lstm_conformance.runner.searching.record import Record
from lstm_conformance.runner.searching.settings import Settings
from lstm_conformance.runner.session.construction import construct
from lstm_conformance.runner.session.options import Options
from lstm_conformance.spec.case import OUTPUTS, Case
from lstm_conformance.spec.config import LSTMConfig
from lstm_conformance.spec.contract import Implementation, Observation
from lstm_conformance.spec.global_settings import (
    THREADS,
    Setting,
    changed_settings,
    global_settings,
    known_arithmetic,
    known_settings,
    read_settings,
    write_settings,
)
from lstm_conformance.spec.usage_error import UsageError
from lstm_conformance.spec.verdicts import ERROR, FAIL, PASS

CASE = Case(LSTMConfig(2, 3), seq_len=3, batch_size=2, cotangents=OUTPUTS)
SETTINGS = Settings(PROFILES["smoke"], 0, ("float32", "float64"), ("cpu",))


def judged(implementation: Implementation, rule: Rule, case: Case = CASE) -> Record:
    (record,) = CaseJudge(implementation, SETTINGS).judge(case, {"EQ-4": rule}).records
    return record


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    before = read_settings()
    yield
    changed = changed_settings(before)
    write_settings(before)
    replaced = recorded().restore_changes()
    assert not changed
    assert not replaced


# ------------------------------------------------------------------------ the settings


def other_value(setting: Setting) -> Any:
    """A value that the setting does not have in a new process."""
    from lstm_conformance.defects.settings_left import CHANGES

    (value,) = [change.value for change in CHANGES if change.setting == setting.name]
    return not setting.known if value is None else value


def test_each_setting_is_restored() -> None:
    pytest.importorskip("torch")
    right = read_settings()
    for setting in global_settings():
        with known_settings():
            assert setting.read() == setting.known
            setting.write(other_value(setting))
            assert setting.name in changed_settings({**right, THREADS: 1})
        assert read_settings() == right, setting.name
        setting.write(other_value(setting))
        try:
            with known_settings():
                assert setting.read() == setting.known
            assert setting.read() == other_value(setting)
        finally:
            setting.write(right[setting.name])
        assert read_settings() == right, setting.name


def test_known_values_are_those_of_a_new_process() -> None:
    pytest.importorskip("torch")
    known = {setting.name: setting.known for setting in global_settings()}
    assert {**read_settings(), THREADS: 1} == known


def test_the_oracle_computes_in_its_own_state() -> None:
    pytest.importorskip("torch")  # it changes how subnormal numbers are computed
    tiny = CASE.with_values({"input": np.full((3, 2, 2), 1e-310)}, dtype="float64")
    right = expect(tiny).values
    with known_settings():
        (subnormal,) = [s for s in global_settings() if s.name == "subnormal numbers"]
        subnormal.write("flushed to zero")
        np.seterr(all="raise")
        observed = expect(tiny).values
        finding = comparison.compare(
            "x", np.array([1e-310]), np.zeros(1), np.zeros(1), tiny.precision
        )
        assert subnormal.read() == "flushed to zero"
        with known_arithmetic():
            assert subnormal.read() == "kept"
    assert finding.verdict == FAIL
    assert all(observed[name].tobytes() == right[name].tobytes() for name in right)


# -------------------------------------------------------------- PURE-13 and PURE-14


def test_each_setting_has_defects_and_each_is_killed_in_any_order() -> None:
    """By its clause, in one process, and the next one is judged as if it were the first."""
    torch = pytest.importorskip("torch")
    from lstm_conformance.adapters.torch_module import TorchModule
    from lstm_conformance.defects import settings_left
    from lstm_conformance.runner.judging.rules import on_bench
    from lstm_conformance.tests import test_purity

    construction = on_bench(test_purity.construction_changes_no_setting)
    call = on_bench(test_purity.call_changes_no_setting)
    assert {c.setting for c in settings_left.CHANGES} == {s.name for s in global_settings()}
    before, right = read_settings(), TorchModule("right", torch.nn.LSTM, "0")

    def broken(implementation: Implementation, rule: Rule, case: Case) -> set[str]:
        try:
            findings = rule(Trial(case, implementation))
        except RuntimeError:  # the constructor has made the call impossible
            findings = [comparison.Finding("the call", FAIL)]
        assert not changed_settings(before)
        return {finding.tensor for finding in findings if finding.verdict == FAIL}

    for rules in ((construction, call), (call, construction)):
        for change in settings_left.CHANGES:
            for name in ("LeftByConstructor", "LeftByCall"):
                defect = TorchModule(name, getattr(settings_left, change.name + name), "0")
                killed_by = construction if name == "LeftByConstructor" else call
                for rule in rules:
                    cases = [CASE] if rule is construction else [CASE, replace(CASE, cotangents=())]
                    found = {setting for case in cases for setting in broken(defect, rule, case)}
                    if rule is killed_by:
                        assert change.setting in found, (change, rule)
                    elif rule is construction:
                        assert not found
            for rule in rules:
                assert not broken(right, rule, CASE)


# ----------------------------------------------------------------------- EDGE-11

FLUSHES = {
    "at import": "torch.set_flush_denormal(True)\nLSTM = torch.nn.LSTM\n",
    "in the constructor": """
class LSTM(torch.nn.LSTM):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        torch.set_flush_denormal(True)
""",
    "in a call": """
class LSTM(torch.nn.LSTM):
    def forward(self, *arguments):
        torch.set_flush_denormal(True)
        return super().forward(*arguments)
""",
}


@pytest.mark.parametrize("text", FLUSHES.values(), ids=list(FLUSHES))
def test_flushing_breaks_edge_11_and_nothing_else(text: str, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from lstm_conformance.tests.test_edges import denormal_cell_state

    file = tmp_path / "flushing.py"
    file.write_text(f"import torch\n{text}", "utf-8")
    flushing, right = load(f"{file}:LSTM"), load("torch.nn:LSTM")
    case = replace(CASE, states=True, cotangents=())

    def rule(trial: Trial) -> list[Any]:
        return [*denormal_cell_state(trial)]

    for _ in range(2):
        assert judged(flushing, rule, case).verdicts == {FAIL: 1}
        assert judged(right, rule, case).verdicts == {PASS: 1}


# ----------------------------------------------------------------- what the judge uses


class Wrong(ReferenceLSTM):
    """Wrong, and changes something so that it might pass."""

    def __init__(self, harm: Callable[[], object]) -> None:
        self._harm = harm

    def run(self, case: Case) -> Observation:
        seen = super().run(case)
        output = replace(seen.tensors["output"], values=seen.tensors["output"].values + 1.0)
        self._harm()
        return replace(seen, tensors={**seen.tensors, "output": output})


def replaced(owner: Any, name: str, value: Any) -> Callable[[], object]:
    return lambda: setattr(owner, name, value)


HARM = {
    "numpy.tanh": replaced(np, "tanh", np.sin),
    "numpy.where": replaced(np, "where", lambda condition, x, y: np.zeros(np.shape(x))),
    "comparison.THRESHOLD": replaced(comparison, "THRESHOLD", float("inf")),
    "comparison.compare": replaced(
        comparison, "compare", lambda name, *_: comparison.Finding(name, PASS)
    ),
    "Trial.expectation": replaced(Trial, "expectation", None),
    "builtins.max": replaced(__import__("builtins"), "max", min),
}


def test_a_diagnosis_leaves_nothing_changed() -> None:
    assert run(Wrong(HARM["numpy.tanh"]), CASE) is None
    assert recorded().is_unchanged()


@pytest.mark.parametrize("name", HARM)
def test_what_was_changed_is_named_and_restored(name: str) -> None:
    # The second rule would use what was computed with the change.
    rules = {"EQ-4": close(), "EQ-5": close()}
    records = CaseJudge(Wrong(HARM[name]), SETTINGS).judge(CASE, rules).records
    for record in records:
        assert record.verdicts == {ERROR: 1}
        assert name in record.failures[0].exception
        assert "the implementation changed" in record.failures[0].exception
    assert recorded().is_unchanged()
    assert judged(Wrong(lambda: None), close()).verdicts == {FAIL: 1}
    assert judged(ReferenceLSTM(), close()).verdicts == {PASS: 1}


def test_every_function_of_numpy_that_judges_is_watched() -> None:
    root = Path(__file__).parents[1]
    files = [path for part in ("reference", "runner/judging", "tests") for path in
             (root / part).glob("*.py")]  # fmt: skip
    files += [root / "spec" / f"{name}.py" for name in ("case", "config", "precision")]
    used = {
        node.attr
        for path in files
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "np"
    }
    assert "hypot" in used
    assert used - set(canary._NUMPY) == {"fft", "random"}, "whose names are watched"


def test_a_change_of_the_arithmetic_is_seen() -> None:
    with pytest.raises(JudgeChanged, match=r"numpy\.seterr"), watched():
        np.seterr(all="raise")
    assert recorded().is_unchanged()


def test_an_import_that_changes_numpy_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "patching.py"
    file.write_text(
        "import numpy as np\n"
        "from lstm_conformance.adapters.reference import ReferenceLSTM as LSTM\n"
        "np.tanh = np.sin\n",
        "utf-8",
    )
    with pytest.raises(UsageError, match=r"the implementation changed numpy\.tanh"):
        construct(Options(target=f"{file}:LSTM"))
    assert recorded().is_unchanged()


# --------------------------------------------------------------------- plain results


class Anything(str):
    """Equal to any text."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    def __str__(self) -> str:
        return self


class Agreeable(np.ndarray):
    """Equal to anything, and without any error."""

    def __array_function__(self, *_: Any) -> Any:
        return np.zeros(self.shape)

    def __array_ufunc__(self, *_: Any, **__: Any) -> Any:
        return np.ones(self.shape, bool)


class OfItsOwnTypes(ReferenceLSTM):
    def run(self, case: Case) -> Observation:
        seen = super().run(case)
        tensors = {
            name: replace(t, values=(t.values + 1).view(Agreeable), dtype=Anything("float16"))
            for name, t in seen.tensors.items()
        }
        return replace(seen, tensors=tensors)


@pytest.mark.parametrize("rule", [close(), dtype_kept])
def test_results_of_other_types_do_not_pass(rule: Rule) -> None:
    assert judged(OfItsOwnTypes(), rule).verdicts == {FAIL: 1}


def test_tensors_of_other_types_do_not_pass() -> None:
    torch = pytest.importorskip("torch")
    from lstm_conformance.adapters.torch_module import TorchModule

    right = torch.nn.LSTM(2, 3)

    class Lying(torch.Tensor):  # type: ignore[misc,name-defined]
        """A wrong output that answers with the values of a right one."""

        def detach(self) -> Any:
            return self.truth

        def is_complex(self) -> bool:
            return False

        @classmethod
        def __torch_function__(cls, f: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if f in (torch.Tensor.detach, torch.Tensor.to):
                return args[0].truth
            return super().__torch_function__(f, types, args, kwargs or {})

    class LSTM(torch.nn.LSTM):  # type: ignore[misc,name-defined]
        def forward(self, *arguments: Any) -> Any:
            output, states = super().forward(*arguments)
            wrong = (output + 1).as_subclass(Lying)
            wrong.truth = output.detach()
            return wrong, states

    forward = replace(CASE, cotangents=())
    lying, honest = TorchModule("lying", LSTM, "0"), TorchModule("right", type(right), "0")

    def on_bench(trial: Trial) -> list[Any]:
        with trial.bench() as bench:
            outputs = bench.call(bench.module(), bench.arguments())
            return trial.close_all(bench.observe_all(outputs))

    for rule in (close(), on_bench):
        assert judged(lying, rule, forward).verdicts == {FAIL: 1}
        assert judged(honest, rule, forward).verdicts == {PASS: 1}
