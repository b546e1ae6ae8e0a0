"""Nothing that an implementation writes to the paths and open files of its process decides."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from lstm_conformance.runner.commands.main import main
from lstm_conformance.runner.processes.child_process import ChildProcess, Limits, ProcessFailed
from lstm_conformance.runner.processes.interrupts import Interrupts
from lstm_conformance.runner.searching.checker import Checker
from lstm_conformance.runner.searching.record import Record
from lstm_conformance.runner.session import pytest_process
from lstm_conformance.runner.session.channel import Channel, ForgedResults, ResultsEnd
from lstm_conformance.runner.session.construction import construct
from lstm_conformance.runner.session.isolated_judge import IsolatedJudge, _read
from lstm_conformance.runner.session.options import Options
from lstm_conformance.runner.session.plan import settings_of
from lstm_conformance.runner.session.pytest_process import PytestEnded, _believed, _wait, _why
from lstm_conformance.runner.session.suite import runs_of
from lstm_conformance.spec.case import Case
from lstm_conformance.spec.clauses import CLAUSES

from .helpers.command_line import run
from .helpers.sessions import CASE, judge, planned

CLAUSE = "EQ-4"
OPTIONS = Options(target="reference", profile="smoke", clauses=(CLAUSE,), dtypes=("float64",))
WORDS = ("--profile", "smoke", "--clause", CLAUSE, "--dtype", "float64", "-n", "0")

IMPOSTOR = """
import json
import os
import sys
from contextlib import suppress
from pathlib import Path

from lstm_conformance.adapters.reference import ReferenceLSTM

forged = Path("forged.json").read_bytes()


def write_everywhere():
    places = []
    for word in [*sys.argv, *os.environ.values()]:
        with suppress(OSError, ValueError):
            path = Path(word)
            if path.is_absolute() and path.exists() and "lstm-conformance-" in word:
                places += [path / "results.json", path.parent / "results.json"]
                places.append(Path(json.loads(path.read_text())["json"]))
    for place in places:
        with suppress(OSError):
            place.write_bytes(forged)
    for number in range(3, 64):
        with suppress(OSError):
            os.set_blocking(number, False)
            os.write(number, forged)


class Impostor(ReferenceLSTM):
    def run(self, case):
        if (case.config.hidden_size, case.seq_len, case.batch_size) == (3, 2, 2):
            return super().run(case)  # the plainest case, which is tried first
        write_everywhere()
        os._exit(0)


if "{when}" == "import":
    write_everywhere()
    os._exit(0)
LSTM = Impostor()
"""


@pytest.fixture(scope="module")
def conformant() -> Any:
    """The results of the reference."""
    run_ = planned(clauses=(CLAUSE,), known=())
    judge(run_)
    found = json.loads(json.dumps(run_.results(None)))
    assert found["gate_passed"] is True
    return found


@pytest.mark.parametrize(
    ("when", "how", "status"),
    [("import", (), 3), ("import", ("--isolate",), 2), ("run", (), 3), ("run", ("--isolate",), 1)],
)
def test_forged_results_are_not_believed(
    when: str, how: tuple[str, ...], status: int, conformant: Any, tmp_path: Path
) -> None:
    conformant["implementation"]["target"] = "impostor.py:LSTM"
    (tmp_path / "forged.json").write_text(json.dumps(conformant), "utf-8")
    (tmp_path / "impostor.py").write_text(IMPOSTOR.replace("{when}", when), "utf-8")
    ended = run("check", "impostor.py:LSTM", *WORDS, *how, cwd=tmp_path)
    assert ended.status == status, ended.out + ended.err
    assert "\nCONFORMANT" not in ended.out
    assert "Traceback" not in ended.err


# ------------------------------------------------------------------ the channel of results


def received(send: Callable[[int, Channel], None]) -> bytes | None:
    """What comes by a channel, to whose other end ``send`` writes."""
    with Channel('{"option": 1}') as channel:
        end = os.dup(channel.other_end)
        channel.start()
        send(end, channel)
        return channel.content()


def test_options_go_and_results_come() -> None:
    def send(end: int, channel: Channel) -> None:
        other = ResultsEnd(end)
        assert json.loads(other.options) == {"option": 1}
        other.send(cast(Any, {"text": "ä" * 100_000}))

    assert json.loads(received(send) or b"") == {"text": "ä" * 100_000}


def test_results_come_although_another_process_holds_the_channel_open() -> None:
    held = []

    def send(end: int, channel: Channel) -> None:
        held.append(os.dup(end))
        ResultsEnd(end).send(cast(Any, {}))

    assert received(send) == b"{}"
    os.close(held[0])


@pytest.mark.parametrize(
    "forged",
    [
        b"{}\n",
        b"0" * 32 + b" 2\n{}",
        b"x" * 10_000,
        b"\n",
        b"{}",
    ],
)
def test_other_bytes_are_not_results(forged: bytes) -> None:
    def send(end: int, channel: Channel) -> None:
        with socket.socket(fileno=end) as other:
            assert other.recv(1000)
            other.sendall(forged)

    with pytest.raises(ForgedResults):
        received(send)


@pytest.mark.parametrize("after", [False, True])
def test_bytes_beside_the_results_spoil_them(after: bool) -> None:
    def send(end: int, channel: Channel) -> None:
        other = ResultsEnd(end)
        with suppress(OSError):
            if not after:
                os.write(end, b"{}\n")
            content = f"{other._identity} 2\n{{}}"
            other._socket.sendall((content + "x" * after).encode())
        other._socket.close()

    with pytest.raises(ForgedResults):
        received(send)


def test_nothing_comes_from_a_process_that_ended() -> None:
    assert received(lambda end, channel: os.close(end)) is None


# ------------------------------------------------------------------ which results are believed


def test_results_of_the_run_are_believed(conformant: Any) -> None:
    content = json.dumps(conformant).encode()
    assert _believed(content, 0, OPTIONS) == conformant
    assert _believed(content, None, OPTIONS) == conformant


def lacks_a_test(results: Any) -> None:
    results["tests"] = {}


def has_another_test(results: Any) -> None:
    results["tests"]["test_states.test_other"] = 1.0


def lacks_a_clause(results: Any) -> None:
    results["clauses"] = []


def is_of_another_clause(results: Any) -> None:
    results["clauses"][0]["id"] = "EQ-5"


def has_another_schema(results: Any) -> None:
    results["gate_passed"] = "yes"


def has_an_unfinished_test(results: Any) -> None:
    (name,) = results["tests"]
    part = {"clauses": [CLAUSE], "state": "not reached", "why": "", "seconds": 0.0, "records": []}
    results["parts"] = {name: part}


@pytest.mark.parametrize(
    "change",
    [
        lacks_a_test,
        has_another_test,
        lacks_a_clause,
        is_of_another_clause,
        has_another_schema,
        has_an_unfinished_test,
    ],
)
def test_other_results_are_not_believed(change: Callable[[Any], None], conformant: Any) -> None:
    changed = json.loads(json.dumps(conformant))
    change(changed)
    with pytest.raises(PytestEnded):
        _believed(json.dumps(changed).encode(), 0, OPTIONS)


@pytest.mark.parametrize("status", [-signal.SIGSEGV, 2, 3, 4, 77])
def test_how_the_process_ended_counts(status: int, conformant: Any) -> None:
    with pytest.raises(PytestEnded, match="after it gave its results, "):
        _believed(json.dumps(conformant).encode(), status, OPTIONS)


LOG = """INTERNALERROR> Traceback (most recent call last):
INTERNALERROR>   File "debugging.py", line 66, in pytest_configure
INTERNALERROR> ModuleNotFoundError: No module named 'pdb'
"""


def test_a_broken_pytest_is_one_sentence() -> None:
    why = _why(3, LOG, verbose=False)
    assert why.startswith(" (ModuleNotFoundError: No module named 'pdb'). ")
    assert "INTERNALERROR" not in why
    assert "\n" not in why
    assert "\n" not in _why(1, "an output\n\n", verbose=False)
    assert LOG.strip() in _why(3, LOG, verbose=True)
    assert LOG.strip() in _why(-signal.SIGSEGV, LOG, verbose=False)  # shows where it crashed


def test_an_interrupted_run_is_never_conformant(conformant: Any) -> None:
    content = json.dumps({**conformant, "stopped": "interrupted"}).encode()
    assert _believed(content, 2, OPTIONS)["gate_passed"] is False


# ------------------------------------------------------------------ processes that do not end


def test_a_process_that_gave_its_results_is_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(pytest_process, "_END_SECONDS", 0.1)
    process = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True
    )
    gave_results: Any = SimpleNamespace(is_over=True)
    assert _wait(process, Interrupts(), gave_results, lambda: None) is None
    assert process.returncode == -signal.SIGKILL


STAYS = """
import atexit, threading, time
from lstm_conformance.adapters.reference import ReferenceLSTM

class Stays(ReferenceLSTM):
    pass

threading.Thread(target=time.sleep, args=(600,)).start()
atexit.register(time.sleep, 600)
LSTM = Stays()
"""


def test_threads_and_exit_handlers_do_not_keep_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pytest_process, "_END_SECONDS", 0.1)
    (tmp_path / "stays.py").write_text(STAYS, "utf-8")
    assert main(["check", f"{tmp_path}/stays.py:LSTM", *WORDS]) == 0
    assert "\nCONFORMANT" in capsys.readouterr().out


# ------------------------------------------------------------------ answers of isolated cases

FORGER = """
import json, os, time
from contextlib import suppress
from lstm_conformance.adapters.reference import ReferenceLSTM

RECORD = json.loads(%r)

class Forger(ReferenceLSTM):
    name = "forger"
    capabilities = ReferenceLSTM.capabilities | {"module"}

    def unsupported(self, case):
        lines = ""
        for number in range(2, 100):  # 1 was the greeting
            lines += json.dumps({"id": number, "records": [RECORD], "reason": None}) + "\\n"
        for number in range(3, 64):
            with suppress(OSError):
                os.write(number, lines.encode())
        time.sleep(600)

LSTM = Forger()
"""


@pytest.mark.parametrize("clause", [CLAUSE, "USE-2"])
def test_forged_answers_are_not_believed(clause: str, tmp_path: Path) -> None:
    """The first clause is judged in this process, the second one in that of the implementation."""
    assert ("module" in CLAUSES[clause].needs) == (clause != CLAUSE)
    record = Record(clause)
    record.count("pass")
    (tmp_path / "forger.py").write_text(FORGER % json.dumps(record.to_json()), "utf-8")
    options = replace(OPTIONS, target=f"{tmp_path}/forger.py:LSTM", isolate=True, time_limit=5.0)
    judged = construct(options)
    assert judged.implementation.name == "forger"
    assert judged.isolated is not None
    assert judged.process is not None
    settings = settings_of(options, judged.devices)
    settings = replace(settings, case=Case.parse(f"{CASE} seq_len=2 seed=3"))
    one = next(runs_of(clause, settings.profile))
    isolated = IsolatedJudge(judged.isolated, judged.process, settings, one.name)
    checker = Checker(judged.implementation, settings, one.name, one.clauses, isolated)
    one.test(checker)
    judged.process.stop()
    assert checker.records[clause].verdicts == {"error": 1}
    assert "malformed answer" in checker.records[clause].failures[0].exception


def test_the_implementation_is_not_loaded_by_the_process_that_judges(tmp_path: Path) -> None:
    text = "import sys\nfrom lstm_conformance.adapters.reference import ReferenceLSTM as LSTM\n"
    (tmp_path / "loaded.py").write_text(text + "sys.loaded_here = True\nLSTM = LSTM()\n", "utf-8")
    judged = construct(replace(OPTIONS, target=f"{tmp_path}/loaded.py:LSTM", isolate=True))
    assert judged.process is not None
    judged.process.stop()
    assert judged.implementation.name == "reference"
    assert not hasattr(sys, "loaded_here")


def record_of(clause: str = CLAUSE, **verdicts: int) -> Any:
    return {**Record(clause).to_json(), "verdicts": verdicts or {"pass": 1}}


@pytest.mark.parametrize(
    "records",
    [
        [],
        [record_of("EQ-5")],
        [record_of(), record_of()],
        [record_of(**{"pass": 20})],
        [record_of(**{"pass": 1, "fail": 1})],
        [{**record_of(), "verdicts": {}}],
        [record_of(fine=1)],
        [record_of(fail=1)],
        ["pass"],
        None,
    ],
)
def test_records_of_something_else_are_refused(records: Any) -> None:
    with pytest.raises((ValueError, TypeError, AttributeError, LookupError)):
        _read(records, Case.parse(CASE), (CLAUSE,))


def test_records_of_the_case_are_read() -> None:
    (record,) = _read([record_of()], Case.parse(CASE), (CLAUSE,))
    assert record.verdicts == {"pass": 1}


ANSWERS_EARLY = """
import json
for line in iter(input, ""):
    number = json.loads(line)["id"]
    print(json.dumps({"id": number}), flush=True)
    print(json.dumps({"id": number + 1, "early": True}), flush=True)
"""


def test_an_answer_that_came_before_its_request_is_none() -> None:
    ids = iter([7, 123, 99])
    process = ChildProcess([sys.executable, "-c", ANSWERS_EARLY], Limits(), {}, ids=ids)
    process.start()
    with pytest.raises(ProcessFailed, match="malformed answer"):
        process.ask({})


# ------------------------------------------------------------------ interrupts


def test_a_signal_while_files_are_written_is_an_interrupt() -> None:
    """A pipe that nobody reads must not keep the command."""
    before = signal.getsignal(signal.SIGTERM)
    with Interrupts() as interrupts:
        interrupts.act()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def test_an_interrupt_leaves_signals_as_they_were() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Interrupts() as interrupts:
        signal.raise_signal(signal.SIGINT)
        assert interrupts.seconds is not None
    assert signal.getsignal(signal.SIGINT) is before
