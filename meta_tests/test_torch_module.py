"""Drop-ins that misbehave: the message says what they did, and the next ones are not affected."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from lstm_conformance.adapters.target import load
from lstm_conformance.runner.judging.rules import close
from lstm_conformance.runner.judging.trial import Trial
from lstm_conformance.runner.searching.checker import Checker
from lstm_conformance.runner.searching.profiles import Profile
from lstm_conformance.runner.searching.settings import Settings
from lstm_conformance.spec.case import OUTPUTS, Case
from lstm_conformance.spec.config import LSTMConfig
from lstm_conformance.spec.contract import Nonconformance
from lstm_conformance.spec.strategies import Domain
from lstm_conformance.spec.usage_error import UsageError
from lstm_conformance.spec.verdicts import PASS

torch = pytest.importorskip("torch")

from lstm_conformance.adapters.torch_module import TorchModule, torch_lstm  # noqa: E402

CASE = Case(
    LSTMConfig(2, 3, num_layers=2, bidirectional=True, dropout=0.5),
    seq_len=4,
    batch_size=2,
    states=True,
    cotangents=OUTPUTS,
)
PACKED = Case(LSTMConfig(2, 3), seq_len=3, batch_size=2, layout="packed_unsorted", lengths=(2, 3))


def module(factory: Any) -> TorchModule:
    return TorchModule("mine", factory, "0")


def passes(implementation: TorchModule, case: Case = CASE) -> bool:
    findings = close()(Trial(case, implementation))
    return {finding.verdict for finding in findings} == {PASS}


def global_state() -> tuple[Any, ...]:
    return (
        torch.get_default_dtype(),
        torch.get_num_threads(),
        torch.is_grad_enabled(),
        torch.are_deterministic_algorithms_enabled(),
        torch.random.get_rng_state().tolist(),
        warnings.filters[:],
    )


class Vandal(torch.nn.LSTM):  # type: ignore[misc,name-defined]
    """Right, but changes everything that is global."""

    def forward(self, *args: Any) -> Any:
        result = super().forward(*args)
        torch.set_default_dtype(torch.float16)
        torch.set_num_threads(3)
        torch.manual_seed(0)
        torch.use_deterministic_algorithms(True)
        warnings.simplefilter("error")
        torch.set_grad_enabled(False)
        return result


def test_global_state_is_restored() -> None:
    before = global_state()
    assert passes(module(Vandal))
    assert global_state() == before
    assert passes(torch_lstm())


def test_global_state_is_restored_after_an_exception() -> None:
    class Raising(Vandal):
        def forward(self, *args: Any) -> Any:
            super().forward(*args)
            raise RuntimeError("no")

    before = global_state()
    with pytest.raises(RuntimeError):
        module(Raising).run(CASE)
    assert global_state() == before


def test_writing_into_its_arguments_does_not_change_the_case() -> None:
    class Writing(torch.nn.LSTM):  # type: ignore[misc,name-defined]
        def forward(self, x: Any, states: Any = None) -> Any:
            result = super().forward(x, states)
            with torch.no_grad():
                for tensor in (x, *(states or ()), *self.parameters()):
                    tensor.zero_()
            return result

    # The gradient is wrong, the case is unchanged.
    before = CASE.arguments()
    assert not _passes_or_raises(module(Writing))
    assert all(np.array_equal(before[name], array) for name, array in CASE.arguments().items())
    assert passes(torch_lstm())


def _passes_or_raises(implementation: TorchModule) -> bool:
    try:
        return passes(implementation)
    except RuntimeError:
        return False


def returning(change: Any) -> TorchModule:
    class Changed(torch.nn.LSTM):  # type: ignore[misc,name-defined]
        def forward(self, *args: Any) -> Any:
            output, (h_n, c_n) = super().forward(*args)
            return change(output, h_n, c_n)

    return module(Changed)


@pytest.mark.parametrize(
    ("change", "case", "says"),
    [
        (lambda output, h_n, c_n: output, CASE, "not output, "),
        (lambda output, h_n, c_n: (output, h_n), CASE, "not output, "),
        (lambda output, h_n, c_n: (output, (h_n, c_n, c_n)), CASE, "not output, "),
        (lambda output, h_n, c_n: (None, (h_n, c_n)), CASE, "output is not a tensor"),
        (lambda output, h_n, c_n: (output, (h_n, 1.0)), CASE, "c_n is not a tensor"),
        (lambda output, h_n, c_n: (output, (h_n, c_n)), PACKED, None),
        (lambda output, h_n, c_n: (output.data, (h_n, c_n)), PACKED, "packed input returned"),
        (lambda output, h_n, c_n: (output[:1], (h_n, c_n)), CASE, "output has shape"),
        (lambda output, h_n, c_n: (output.to("meta"), (h_n, c_n)), CASE, "output cannot be read"),
    ],
)
def test_broken_interfaces_are_reported(change: Any, case: Case, says: str | None) -> None:
    if says is None:
        assert passes(returning(change), case)
        return
    with pytest.raises(Nonconformance, match=says):
        returning(change).run(case)


def test_parameters_are_those_of_torch() -> None:
    class Extra(torch.nn.LSTM):  # type: ignore[misc,name-defined]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.gain = torch.nn.Parameter(torch.ones(1))

    with pytest.raises(Nonconformance, match="the parameters are"):
        module(Extra).run(CASE)

    def transposed(*args: Any, **kwargs: Any) -> Any:
        lstm = torch.nn.LSTM(*args, **kwargs)
        lstm.weight_ih_l0 = torch.nn.Parameter(lstm.weight_ih_l0.T.contiguous())
        return lstm

    with pytest.raises(Nonconformance, match="weight_ih_l0 has shape"):
        module(transposed).run(CASE)


def test_a_missing_gradient_counts_as_zero() -> None:
    detached = returning(lambda o, h, c: (o, (h, c.detach() + 0 * c)))
    assert not passes(detached)


def test_formats_that_fail_are_unsupported_with_the_reason() -> None:
    class NoHalf(torch.nn.LSTM):  # type: ignore[misc,name-defined]
        def forward(self, x: Any, states: Any = None) -> Any:
            if self.weight_ih_l0.dtype == torch.bfloat16:
                raise NotImplementedError("no kernel")
            return super().forward(x, states)

    implementation = module(NoHalf)
    assert torch_lstm().unsupported(Case(LSTMConfig(1, 1), dtype="bfloat16")) is None
    reason = implementation.unsupported(Case(LSTMConfig(1, 1), dtype="bfloat16"))
    assert reason == "bfloat16: NotImplementedError: no kernel"
    assert implementation.unsupported(Case(LSTMConfig(1, 1), dtype="float16")) is None
    assert implementation.unsupported(Case(LSTMConfig(1, 1), dtype="float32")) is None


def test_failing_in_float32_is_no_lack_of_support() -> None:
    def forward(output: Any, h_n: Any, c_n: Any) -> Any:
        raise NotImplementedError("no kernel")

    profile = Profile(
        "test", every_combination=False, per_combination=2, per_clause=5, per_shrinking=20
    )
    settings = Settings(profile, 0, ("float32",), ("cpu",))
    checker = Checker(returning(forward), settings, "test", ["EQ-4"])
    checker.forall(Domain(), close())
    assert checker.records["EQ-4"].verdicts == {"error": 1}


def test_missing_devices_have_a_reason() -> None:
    assert torch_lstm().device_missing("cpu") is None
    assert torch_lstm().device_missing("no-such-device")


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("torch.nn:Linear", "not weight_ih_l0"),
        ("torch.nn:LSTMCell", "not weight_ih_l0"),
        ("torch.nn:functional", "is not callable"),
        ("torch:zeros", "not a torch.nn.Module"),
        ("torch.nn:Identity", "it has no parameters"),
        ("builtins:dict", "raised TypeError"),
    ],
)
def test_targets_that_are_no_lstm_are_refused(target: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        load(target)


def test_names_and_versions() -> None:
    implementation = load("torch.nn:LSTM")
    assert (implementation.name, implementation.version) == ("torch.nn:LSTM", torch.__version__)
    assert load("torch").name == "torch"


def test_a_script_raises_what_its_module_raises() -> None:
    """It does not raise a class that means refusals as well as other errors."""
    script = load("torch-script")
    assert isinstance(script, TorchModule)
    with script.bench(PACKED) as bench, pytest.raises(ValueError, match="2D or 3D"):
        bench.module()(torch.zeros(3))
