"""Devices are waited for, free again after each case, and each judged. One is a stand-in."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lstm_conformance.adapters.reference import ReferenceLSTM
from lstm_conformance.runner.judging.rules import close
from lstm_conformance.runner.searching.checker import Checker
from lstm_conformance.runner.searching.settings import Settings
from lstm_conformance.spec.case import OUTPUTS, Case
from lstm_conformance.spec.combinations import Combination, covering_array
from lstm_conformance.spec.config import LSTMConfig
from lstm_conformance.spec.contract import Observation
from lstm_conformance.spec.sizes import parse_sizes, sizes_of
from lstm_conformance.spec.strategies import Domain

from .helpers.command_line import check, environment
from .helpers.modified_reference import PROFILE

torch = pytest.importorskip("torch")

from lstm_conformance.adapters import torch_bench  # noqa: E402
from lstm_conformance.adapters.torch_device import synchronize  # noqa: E402
from lstm_conformance.adapters.torch_module import torch_lstm  # noqa: E402

ROOT = Path(__file__).parents[1]
STAND_IN = ROOT / "meta_tests" / "implementations" / "stand_in_device.py"

needs_stand_in = pytest.mark.skipif(
    not hasattr(torch._C, "_acc"), reason="torch before 2.10 has no devices written in Python"
)

# ------------------------------------------------------------------------- waited for


def test_time_is_measured_between_synchronisations(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []

    def clock() -> float:
        events.append("clock")
        return 0.0

    monkeypatch.setattr(torch_bench, "synchronize", events.append)
    monkeypatch.setattr(torch_bench.time, "perf_counter", clock)
    torch_lstm().run(Case(LSTMConfig(2, 3), cotangents=OUTPUTS))
    constructor, forward, backward = (["cpu", "clock"] * 2 for _ in range(3))
    assert events == constructor + forward + backward


def test_each_kind_of_device_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[Any] = []
    module = SimpleNamespace(synchronize=waited.append)
    monkeypatch.setattr(torch, "cuda", module)
    monkeypatch.setattr(torch.mps, "synchronize", lambda: waited.append("mps"))
    put_xla(monkeypatch, waited)
    for device in ("cpu", "meta", "cuda:1", "mps", "xla", "xla:0", "no-such-device"):
        synchronize(device)
    assert waited == ["cuda:1", "mps", *["xla begins", "xla has ended"] * 2]


def put_xla(monkeypatch: pytest.MonkeyPatch, events: list[Any]) -> None:
    """A stand-in for torch_xla: ``sync`` returns before the device has computed anything."""
    xla = SimpleNamespace(sync=lambda: events.append("xla begins"), manual_seed=events.append)
    model = SimpleNamespace(wait_device_ops=lambda: events.append("xla has ended"))
    monkeypatch.setitem(sys.modules, "torch_xla", xla)
    monkeypatch.setitem(sys.modules, "torch_xla.core.xla_model", model)


def test_another_thread_leaves_tensors_of_xla_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[Any] = []
    put_xla(monkeypatch, events)
    with ThreadPoolExecutor(1) as threads:
        threads.submit(synchronize, "xla").result()
    assert events == []


def test_the_seed_of_a_case_reaches_xla(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[Any] = []
    put_xla(monkeypatch, events)
    torch_lstm().run(Case(LSTMConfig(2, 3), seed=7))
    assert events == [7]


# ------------------------------------------------------------------- each device is judged


class _Everywhere(ReferenceLSTM):
    """The reference, which notes what it is asked, as if it computed on every device."""

    def __init__(self) -> None:
        self.asked: list[Case] = []

    def run(self, case: Case) -> Observation:
        self.asked.append(case)
        return super().run(case)


def _checker(implementation: ReferenceLSTM, *devices: str) -> Checker:
    settings = Settings(PROFILE, 0, ("float64", "float32"), devices)
    return Checker(implementation, settings, "test", ["COMB-1"])


def test_each_combination_is_judged_on_each_device() -> None:
    implementation = _Everywhere()
    some = covering_array()[:4]
    checker = _checker(implementation, "cpu", "other")
    checker.each_combination(some, Domain(), {"COMB-1": close("output")})
    found = checker.records["COMB-1"].combinations
    visited = {text for text, reason in found.items() if not reason}
    assert visited
    for device in ("cpu", "other"):
        asked = {Combination.of(case) for case in implementation.asked if case.device == device}
        assert {str(combination) for combination in asked} == visited


def test_each_size_is_judged_on_each_device() -> None:
    implementation = _Everywhere()
    checker = _checker(implementation, "cpu", "other")
    wanted = parse_sizes("hidden_size=9 seq_len=5"), parse_sizes("batch_size=7")
    checker.settings = replace(checker.settings, sizes=wanted)
    checker.own_sizes({"COMB-1": close("output")})
    sizes = {
        device: {sizes_of(case) for case in implementation.asked if case.device == device}
        for device in ("cpu", "other")
    }
    assert sizes["cpu"] == sizes["other"]
    assert {(size.hidden_size, size.batch_size) for size in sizes["cpu"]} == {(9, 2), (5, 7)}


# ------------------------------------------------------------------------ the stand-in

# Judges several LSTMs on the device in one process, and prints what came out.
PROGRAM = """
import json
from lstm_conformance import check
from lstm_conformance.runner.judging.rules import close
from lstm_conformance.runner.judging.trial import Trial
from lstm_conformance.adapters.torch_module import TorchModule
from lstm_conformance.spec.case import Case
from meta_tests.implementations import stand_in_device as here

def judged(lstm, *clauses):
    found = check(lstm, devices=here.NAME, clauses=clauses, profile="smoke", diagnosis=False)
    return {clause.id: [clause.verdict, clause.note] for clause in found}

out = {
    "LSTM": judged(here.LSTM, "DTYPE-2", "DTYPE-7", "PARAM-25", "USE-27", "USE-38", "PACK-1"),
    "OtherDevice": judged(here.OtherDevice, "DTYPE-2"),
    "AnyDevice": judged(here.AnyDevice, "USE-27", "USE-38"),
    "LeftBehind": judged(here.LeftBehind, "PARAM-25"),
    "TooLarge": judged(here.TooLarge, "EQ-4", "STACK-1"),
}
here.StandIn.events.clear()
case = Case.parse("v1 input_size=2 hidden_size=3 device=standin states=True cotangents=output,h_n")
right = Trial(case, TorchModule("mine", here.LSTM, "0"))
out["right"] = sorted({finding.verdict for finding in close()(right)})
out["devices"] = sorted({tensor.device for tensor in right.observation.tensors.values()})
out["waited"] = list(here.StandIn.events)
raising = Trial(case, TorchModule("mine", here.Raising, "0"))
try:
    raising.observation
except ValueError as error:
    out["raised"] = str(error)
out["left"] = here.StandIn.tensors()
print(json.dumps(out))
"""


@needs_stand_in
@pytest.mark.whole
def test_right_and_wrong_lstms_on_a_second_device() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert {verdict for verdict, _ in found["LSTM"].values()} == {"pass"}, found["LSTM"]
    verdicts = {name: found[name] for name in ("OtherDevice", "AnyDevice", "LeftBehind")}
    broken = {clause: v for clauses in verdicts.values() for clause, (v, _) in clauses.items()}
    assert set(broken) == {"DTYPE-2", "USE-27", "USE-38", "PARAM-25"}
    # Its h_n and the cotangent do not go together.
    assert broken.pop("DTYPE-2") in ("fail", "error")
    assert set(broken.values()) == {"fail"}, broken
    assert found["TooLarge"]["EQ-4"][0] == "pass"
    assert found["TooLarge"]["STACK-1"] == ["not tested", "out of memory on standin"]
    assert found["right"] == ["pass"]
    assert found["devices"] == ["standin"]
    assert found["waited"] == ["synchronize standin"] * 6, "around three steps of a run"
    assert found["raised"] == "no"
    assert found["left"] == 0, "tensors in the memory of the device"


@needs_stand_in
@pytest.mark.whole
def test_a_right_lstm_on_two_devices(tmp_path: Path) -> None:
    target = f"{STAND_IN}:LSTM"
    devices = ("--device", "standin", "--device", "cpu", "--device", "nowhere")
    options = ("--profile", "smoke", "--clause", "DTYPE-2")
    ended, results = check(target, *devices, *options, cwd=tmp_path)
    assert ended.status == 0, ended.out + ended.err
    assert results["devices"] == ["standin", "cpu"]
    assert set(results["missing_devices"]) == {"nowhere"}
    assert {clause["verdict"] for clause in results["clauses"]} == {"pass"}
