"""The adapter of PyTorch/XLA. A stand-in takes the place of torch_xla where it is not installed."""

from __future__ import annotations

import importlib.util
import sys
import time
from types import SimpleNamespace
from typing import Any

import pytest

from lstm_conformance.spec.capabilities import ALL
from lstm_conformance.spec.case import Case
from lstm_conformance.spec.config import LSTMConfig

torch = pytest.importorskip("torch")

from lstm_conformance.adapters.torch_device import synchronize  # noqa: E402
from lstm_conformance.adapters.torch_module import TorchModule  # noqa: E402

INSTALLED = importlib.util.find_spec("torch_xla") is not None

needs_xla = pytest.mark.skipif(not INSTALLED, reason="torch_xla is not installed here")


@pytest.fixture
def adapter(monkeypatch: pytest.MonkeyPatch) -> TorchModule:
    name = "lstm_conformance.adapters.torch_xla"
    if not INSTALLED:
        xla = SimpleNamespace(__version__="2.9.0", manual_seed=lambda seed: None)
        monkeypatch.setitem(sys.modules, "torch_xla", xla)
        monkeypatch.delitem(sys.modules, name, raising=False)
    made: TorchModule = importlib.import_module(name).torch_xla_lstm()
    if not INSTALLED:
        monkeypatch.delitem(sys.modules, name)
    return made


def test_it_is_the_module_without_packed_sequences(adapter: TorchModule) -> None:
    assert adapter.name == "torch-xla"
    assert adapter.version == sys.modules["torch_xla"].__version__
    assert ALL - adapter.capabilities == {"packed"}
    with adapter.bench(Case(LSTMConfig(2, 3))) as bench:
        assert type(bench.module()) is torch.nn.LSTM


def test_long_sequences_are_refused_with_a_reason(adapter: TorchModule) -> None:
    assert adapter.unsupported(Case(LSTMConfig(2, 3), seq_len=50)) is None
    reason = adapter.unsupported(Case(LSTMConfig(2, 3), seq_len=51))
    assert reason == "more than 50 steps take too long to compile"
    # Half formats are tried, as those of every module are.
    assert adapter.unsupported(Case(LSTMConfig(2, 3), dtype="bfloat16")) is None


@needs_xla
def test_what_is_waited_for_has_been_computed(adapter: TorchModule) -> None:
    x = torch.ones(800, 800, device="xla")

    def product() -> Any:
        y = x
        for _ in range(10):
            y = y @ x
        return y

    product().cpu()  # compiles it
    y = product()
    start = time.perf_counter()
    synchronize("xla")
    waited = time.perf_counter() - start
    y.cpu()
    assert waited > (time.perf_counter() - start) / 2


@needs_xla
def test_a_case_with_dropout_can_be_repeated(adapter: TorchModule) -> None:
    config = LSTMConfig(2, 8, num_layers=2, dropout=0.5)
    case = Case(config, batch_size=2, dtype="float32", device="xla", training=True)
    first, again = (adapter.run(case).tensors["output"].values for _ in range(2))
    assert (first == again).all()
