"""An instance is judged in its own configuration, and is as before afterwards."""

from __future__ import annotations

import signal
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lstm_conformance import CheckResults, UsageError, check, check_case
from lstm_conformance.runner.judging.trial import Trial
from lstm_conformance.spec.case import LAYOUTS, Case
from lstm_conformance.spec.combinations import covering_array
from lstm_conformance.spec.config import LSTMConfig
from lstm_conformance.spec.contract import Unsupported
from lstm_conformance.spec.narrowing import (
    combinations_of_config,
    domain_of_config,
    sizes_of_config,
)
from lstm_conformance.spec.sizes import Sizes
from lstm_conformance.spec.strategies import PLAIN, Domain

from .helpers.command_line import run

torch = pytest.importorskip("torch")

from lstm_conformance.adapters.kept_module import kept  # noqa: E402
from lstm_conformance.adapters.torch_instance import torch_instance  # noqa: E402
from lstm_conformance.defects.dropout import OneMaskForAllLayers  # noqa: E402

from .helpers.selection import elsewhere  # noqa: E402

SMOKE: dict[str, Any] = {"profile": "smoke", "diagnosis": False}


def verdicts(results: CheckResults) -> dict[str, str]:
    return {clause.id: clause.verdict for clause in results}


class NoCellGate(torch.nn.LSTM):  # type: ignore[misc, name-defined]
    """Its last cell state is too small, by a relative error of 1e-3."""

    def forward(self, input: Any, hx: Any = None) -> Any:
        output, (h_n, c_n) = super().forward(input, hx)
        return output, (h_n, c_n * (1 - 1e-3))


# ------------------------------------------------------------------ the mechanism


ONE = LSTMConfig(64, 20, bias=False, batch_first=True)


def test_a_domain_has_the_sizes_and_options_of_the_instance() -> None:
    part, misfits = domain_of_config(PLAIN.but(hidden_size=(2, 6)), ONE)
    assert misfits == []
    assert part is not None
    assert (part.input_size, part.hidden_size) == ((64, 64), (20, 20))
    assert (part.bias, part.batch_first, part.dropout) == ((False,), (True,), ("none",))
    several, _ = domain_of_config(Domain(), LSTMConfig(2, 2, num_layers=5, dropout=0.3))
    assert several is not None
    assert (several.num_layers, several.dropout) == ((5,), ("eval",))
    assert several.dropout_probability == 0.3
    random, _ = domain_of_config(Domain(dropout=("some", "one")), LSTMConfig(2, 2, 2, dropout=0.3))
    assert random is not None
    assert random.dropout == ("some",)


@pytest.mark.parametrize(
    ("domain", "says"),
    [
        (PLAIN.but(hidden_size=(30, 40)), "hidden_size=20"),
        (PLAIN.but(input_size=(1, 1)), "input_size=64"),
        (PLAIN.but(bias=(True,)), "bias=False"),
        (PLAIN.but(batch_first=(False,)), "batch_first=True"),
        (PLAIN.but(num_layers=(2, 3)), "num_layers=1"),
        (PLAIN.but(bidirectional=(True,)), "bidirectional=False"),
        (PLAIN.but(projection=(True,)), "proj_size=0"),
        (PLAIN.but(dropout=("one",)), "dropout=0.0"),
    ],
)
def test_a_domain_that_an_instance_cannot_be_asked(domain: Domain, says: str) -> None:
    assert domain_of_config(domain, ONE) == (None, [says])


def test_combinations_and_sizes_of_an_instance() -> None:
    combinations = combinations_of_config(covering_array(), ONE)
    assert {c.layout for c in combinations} == {*LAYOUTS}
    of_one = {(c.num_layers, c.bias, c.batch_first, c.projection, c.dropout) for c in combinations}
    assert of_one == {(1, False, True, False, "none")}
    assert sizes_of_config(Sizes(seq_len=50), ONE)[0] == Sizes(50, 2, 64, 20)
    reason = "only an instance was given, with hidden_size=20"
    assert sizes_of_config(Sizes(hidden_size=30), ONE) == (None, reason)


# ------------------------------------------------------------------ the verdicts


# Clauses that an instance can be asked, and others.
ASKED = ("EQ-4", "STATE-2", "PACK-1", "GRAD-10", "PARAM-1", "PARAM-10", "PURE-2", "USE-4", "SIZE-3")
NOT_ASKED = ("EQ-7", "STACK-1", "DIR-1", "DTYPE-6", "PARAM-12", "PURE-16", "PURE-17", "USE-8")


def test_an_instance_of_torch() -> None:
    lstm = torch.nn.LSTM(4, 5)
    results = check(lstm, clauses=[*ASKED, *NOT_ASKED, "COMB-2"], **SMOKE)
    assert verdicts(results) == {
        **dict.fromkeys((*ASKED, "COMB-2"), "pass"),
        **dict.fromkeys(NOT_ASKED, "unsupported"),
    }
    for clause in NOT_ASKED:
        assert "only an instance was given" in results.clause(clause).note
    assert results.gate_passed
    described = results.results["implementation"]
    assert described["target"] == "python object instance of LSTM"
    assert described["version"] == torch.__version__
    assert {"layers", "float64", "batch-first"}.isdisjoint(described["capabilities"])
    assert "hidden_size to 5" in results.text()


@pytest.mark.whole
def test_a_wrong_instance() -> None:
    lstm = NoCellGate(3, 7, num_layers=2, batch_first=True, dropout=0.2).double()
    results = check(lstm, clauses=["COMB-1", "SHAPE-3", "EQ-4"], max_failures=3, **SMOKE)
    assert verdicts(results)["COMB-1"] == "fail"
    assert verdicts(results)["SHAPE-3"] == "pass"
    assert verdicts(results)["EQ-4"] == "unsupported"
    failure = next(f for f in results.failures if f.clause == "COMB-1")
    assert failure.case.startswith("v1 input_size=3 hidden_size=7 num_layers=2 batch_first=True")
    assert f'check_case(lstm, "{failure.case}"' in failure.text
    assert failure.observed is not None
    assert failure.program() == "", "a program would construct another one"
    assert not check_case(lstm, failure.case, clause="COMB-1").conformant
    (other,) = check_case(lstm, "v1 input_size=3 hidden_size=8", clause="COMB-1")
    assert other.verdict == "unsupported"
    assert "only an instance was given, with hidden_size=7" in other.note


@pytest.mark.whole
def test_a_diagnosis_of_an_instance_names_no_sizes_that_it_has_not() -> None:
    results = check(NoCellGate(3, 5), profile="smoke", clauses=["SIZE-1"])
    (failure,) = results.failures
    assert "right at" not in failure.text


def test_sizes_that_were_asked_for() -> None:
    lstm = torch.nn.LSTM(4, 5)
    asked = [{"seq_len": 20, "batch_size": 7}, {"hidden_size": 9}]
    (clause,) = check(lstm, clauses=["SIZE-3"], sizes=asked, **SMOKE)
    assert clause.verdict == "pass"
    assert "only an instance was given, with hidden_size=5" in clause.note


@pytest.mark.whole
def test_an_instance_on_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import torch\n\nmodel = torch.nn.LSTM(2, 3)\n")
    options = ("--profile", "smoke", "--clause", "EQ-4", "--no-diagnosis", "-n", "0")
    ended = run("check", "mine.py:model", *options, cwd=tmp_path)
    assert ended.status == 0, ended.out + ended.err
    isolated = run("check", "mine.py:model", *options, "--isolate", cwd=tmp_path)
    assert isolated.status == 2
    assert "judge it without --isolate" in isolated.err


# -------------------------------------------------------- compiled and scripted ones


class Loop(torch.nn.Module):  # type: ignore[misc, name-defined]
    """Plain operations: torch.compile leaves out subclasses of torch.nn.LSTM by default."""

    def __init__(self, input_size: int, hidden_size: int, factor: float = 1.0) -> None:
        super().__init__()
        self.factor = factor  # with another one it is wrong
        shapes = LSTMConfig(input_size, hidden_size).parameter_shapes()
        for name, shape in shapes.items():
            setattr(self, name, torch.nn.Parameter(torch.ones(shape)))

    def forward(
        self, input: torch.Tensor, hx: tuple[torch.Tensor, torch.Tensor] | None = None
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
        if hx is None:
            h = input.new_zeros(input.shape[1], self.weight_hh_l0.shape[1])
            c = torch.zeros_like(h)
        else:
            h, c = hx[0][0], hx[1][0]
        outputs: list[torch.Tensor] = []
        for x in input:
            gates = x @ self.weight_ih_l0.t() + h @ self.weight_hh_l0.t()
            i, f, g, o = (gates + self.bias_ih_l0 + self.bias_hh_l0).chunk(4, dim=1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh() * self.factor
            h = o.sigmoid() * c.tanh()
            outputs.append(h)
        return torch.stack(outputs), (h[None], c[None])


# A factor of the candidate state, and the verdict.
FACTORS = pytest.mark.parametrize(("factor", "expected"), [(1.0, "pass"), (1 + 1e-4, "fail")])

CASE = "v1 input_size=3 hidden_size=4 seq_len=2 dtype=float32"


def finding_verdicts(module: Any, line: str) -> set[str]:
    """The verdicts on all results of a case, without a diagnosis, which would compile often."""
    trial = Trial(Case.parse(line), torch_instance("mine", module, "1"))
    return {finding.verdict for finding in trial.close_all(trial.observation.tensors)}


# The compiler of C++ is not needed to know whether the compiled module is what is called.
@FACTORS
def test_a_compiled_instance(factor: float, expected: str) -> None:
    lstm = Loop(3, 4, factor)
    before = {name: p.clone() for name, p in lstm.state_dict().items()}
    compiled = torch.compile(lstm, backend="aot_eager")
    assert expected in finding_verdicts(compiled, f"{CASE} cotangents=output")
    assert all(torch.equal(p, before[name]) for name, p in lstm.state_dict().items())


def test_what_a_compiled_instance_is_asked() -> None:
    clauses = ["COMB-1", "PARAM-1", "DIR-1"]
    results = check_case(torch.compile(Loop(3, 4), backend="eager"), CASE, clause=clauses)
    assert verdicts(results) == {
        "COMB-1": "pass",
        "PARAM-1": "unsupported",
        "DIR-1": "not tested",
    }
    assert results.clause("PARAM-1").note == "no module"
    assert "not about cases with bidirectional=False" in results.clause("DIR-1").note
    assert results.results["implementation"]["name"] == "instance of Loop"


def test_it_is_the_compiled_code_that_is_judged() -> None:
    """By a compiler that makes a mistake, and for more lengths than torch compiles by default."""

    def wrong_compiler(graph: Any, inputs: Any) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            return [r * (1 + 1e-3) if r.is_floating_point() else r for r in graph(*arguments)]

        return call

    torch.compiler.reset()
    compiled = torch.compile(Loop(3, 4), backend=wrong_compiler, dynamic=False)
    for steps in range(1, 11):
        line = CASE.replace("seq_len=2", f"seq_len={steps}")
        assert finding_verdicts(compiled, line) == {"fail"}


def compiled_to_script(compile_: Callable[..., Any], *arguments: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls scripts deprecated
        return compile_(*arguments)


@FACTORS
def test_a_scripted_instance(factor: float, expected: str) -> None:
    lstm = compiled_to_script(torch.jit.script, Loop(3, 4, factor).double().eval())
    before = {name: p.clone() for name, p in lstm.state_dict().items()}
    clauses = ["EQ-4", "STATE-2", "GRAD-10", "PACK-1", "USE-4"]
    results = check(lstm, clauses=clauses, without=["unbatched"], **SMOKE)
    assert verdicts(results) == {
        **dict.fromkeys(clauses[:3], expected),
        **dict.fromkeys(clauses[3:], "unsupported"),
    }
    assert "packed_sorted input without states: " in results.clause("PACK-1").note
    assert all(torch.equal(p, before[name]) for name, p in lstm.state_dict().items())
    assert not lstm.training


def test_a_traced_instance() -> None:
    """It takes the arguments that its example had."""
    lstm = compiled_to_script(torch.jit.trace, torch.nn.LSTM(3, 4), torch.ones(2, 3, 3))
    results = check(lstm, clauses=["EQ-4", "STATE-2"], **SMOKE)
    assert verdicts(results) == {"EQ-4": "pass", "STATE-2": "unsupported"}
    assert "batched input with states: " in results.clause("STATE-2").note
    linear = compiled_to_script(torch.jit.script, torch.nn.Linear(3, 4))
    with pytest.raises(UsageError, match="its parameters are weight, bias, not weight_ih_l0"):
        check(linear, **SMOKE)


# ------------------------------------------------------------------ what is refused


class Wrapper(torch.nn.Module):  # type: ignore[misc, name-defined]
    def __init__(self) -> None:
        super().__init__()
        self.lstm = torch.nn.LSTM(2, 3)


def mixed() -> Any:
    lstm = torch.nn.LSTM(2, 3)
    lstm.bias_ih_l0.data = lstm.bias_ih_l0.data.double()
    return lstm


def complex_one() -> Any:
    lstm = torch.nn.LSTM(2, 3)
    for parameter in lstm.parameters():
        parameter.data = parameter.data.to(torch.complex64)
    return lstm


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (Wrapper, "parameters are lstm.weight_ih_l0, .*: hand over the submodule that is the LSTM"),
        (torch.nn.Identity, "it has no parameters"),
        (mixed, "several dtypes or devices, torch.float32 on cpu and torch.float64 on cpu"),
        (complex_one, "in torch.complex64: choose from"),
    ],
)
def test_an_instance_that_is_refused(make: Callable[[], Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        check(make(), clauses=["EQ-4"], **SMOKE)


# ------------------------------------------------------------- as it was before


def state_of(lstm: Any) -> dict[str, Any]:
    """All that a check may not change."""
    tensors = dict(lstm.named_parameters()) | dict(lstm.named_buffers())
    return {
        "values": {name: t.tolist() for name, t in tensors.items()},
        "objects": {name: (id(t), t.data_ptr(), t.dtype) for name, t in tensors.items()},
        "gradients": {n: None if t.grad is None else t.grad.tolist() for n, t in tensors.items()},
        "requires_grad": {name: t.requires_grad for name, t in tensors.items()},
        "modes": [part.training for part in lstm.modules()],
        "attributes": sorted(vars(lstm)),
        "hooks": len(lstm._forward_hooks) + len(lstm._forward_pre_hooks),
        "weights": [id(weight) for weight in lstm._flat_weights],
        "class": type(lstm),
    }


def used_instance() -> Any:
    """An instance in the midst of its use."""
    lstm = NoCellGate(3, 4)
    lstm(torch.ones(2, 1, 3))[0].sum().backward()
    lstm.weight_hh_l0.requires_grad_(False)
    lstm.register_buffer("mean", torch.ones(2))
    lstm.register_forward_hook(lambda *arguments: None)
    return lstm.eval()


@pytest.mark.parametrize(
    "clauses",
    [
        ["PARAM-24", "PARAM-25", "TRAIN-1", "TRAIN-2", "GRAD-10"],
        elsewhere(["PARAM", "TRAIN"]),
    ],
)
def test_an_instance_is_as_before(clauses: list[str]) -> None:
    lstm = used_instance()
    before = state_of(lstm)
    check(lstm, clauses=clauses, **SMOKE)
    assert state_of(lstm) == before


def test_an_instance_is_as_before_after_an_interrupt() -> None:
    lstm, calls = used_instance(), 0
    before = state_of(lstm)

    def interrupted(*arguments: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 5:
            signal.raise_signal(signal.SIGINT)

    handle = lstm.register_forward_pre_hook(interrupted)
    with pytest.raises(KeyboardInterrupt):
        check(lstm, clauses=["GRAD-10"], **SMOKE)
    handle.remove()
    assert state_of(lstm) == before


def change_everything(lstm: Any) -> None:
    """Ends with an exception."""
    lstm.half().train()
    lstm.weight_ih_l0 = torch.nn.Parameter(torch.zeros(16, 3))
    lstm.weight_hh_l0.data = torch.ones(16, 4)
    lstm.mean.zero_()
    lstm.new = 1
    lstm._forward_hooks.clear()
    torch.nn.utils.parametrize.register_parametrization(lstm, "bias_ih_l0", torch.nn.Identity())
    for parameter in lstm.parameters():
        parameter.grad = torch.ones_like(parameter)
    _ = 1 // 0


def test_whatever_is_changed_is_put_back() -> None:
    lstm = used_instance()
    before = state_of(lstm)
    with pytest.raises(ZeroDivisionError), kept(lstm):
        change_everything(lstm)
    assert state_of(lstm) == before


def test_an_interrupt_while_it_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    from lstm_conformance.adapters import kept_module

    restore, calls = kept_module._restore_tensor, 0

    def interrupted(state: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KeyboardInterrupt
        restore(state)

    monkeypatch.setattr(kept_module, "_restore_tensor", interrupted)
    lstm = used_instance()
    before = state_of(lstm)
    with pytest.raises(KeyboardInterrupt), kept(lstm):
        change_everything(lstm)  # its exception is the context of the interrupt
    assert state_of(lstm) == before


def test_cases_of_another_configuration_are_refused() -> None:
    implementation = torch_instance("mine", torch.nn.LSTM(2, 3), "1")
    for line in ("v1 input_size=2 hidden_size=4 dtype=float32", "v1 input_size=2 hidden_size=3"):
        with pytest.raises(Unsupported, match="only an instance was given"):
            implementation.run(Case.parse(line))
    assert implementation.device_missing("meta") == "only an instance was given, on cpu"


# ------------------------------------------------------------------------ dropout


@pytest.mark.parametrize("probability", [0.02, 0.1, elsewhere(0.4), 0.9])
@pytest.mark.parametrize("layers", [2, 3])
def test_a_right_instance_with_any_dropout_is_right(probability: float, layers: int) -> None:
    """Where masks are alike by chance, nothing is said."""
    results = check(torch.nn.LSTM(6, 9, layers, dropout=probability), clauses="DROP", **SMOKE)
    assert results.conformant
    assert {"DROP-7", "DROP-8"} <= {c for c, v in verdicts(results).items() if v == "pass"}


@pytest.mark.parametrize("probability", [0.1, 0.4])
def test_an_instance_whose_layers_drop_the_same_is_found(probability: float) -> None:
    results = check(OneMaskForAllLayers(3, 6, 3, dropout=probability), clauses="DROP-8", **SMOKE)
    assert verdicts(results) == {"DROP-8": "fail"}
