"""Programs are judged by the protocol, as its page and its schema describe it."""

from __future__ import annotations

import io
import json
import queue
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pytest

pytest.importorskip("safetensors")

from lstm_conformance.adapters.reference import ReferenceLSTM
from lstm_conformance.adapters.target import load
from lstm_conformance.runner.processes.child_process import (
    _LONGEST_LINE,
    _MOST_LINES,
    ChildProcess,
    Limits,
    ProcessFailed,
    _read,
)
from lstm_conformance.runner.processes.program import PROTOCOL, Program
from lstm_conformance.spec.case import OUTPUTS, Case
from lstm_conformance.spec.config import LSTMConfig
from lstm_conformance.spec.contract import Nonconformance, Unsupported
from lstm_conformance.spec.usage_error import UsageError

from .helpers.command_line import IMPLEMENTATIONS, run
from .helpers.pages import blocks

DOCS = Path(__file__).parents[1] / "docs"
SCHEMA = json.loads((DOCS / "protocol.schema.json").read_text("utf-8"))
SERVE = [sys.executable, "-m", "lstm_conformance.serve", "reference"]

EVERYTHING = Case(
    LSTMConfig(2, 4, num_layers=2, batch_first=True, bidirectional=True, proj_size=3),
    seq_len=5,
    batch_size=3,
    layout="packed_unsorted",
    lengths=(2, 5, 3),
    dtype="float32",
    states=True,
    cotangents=OUTPUTS,
    seed=7,
)


@pytest.fixture(scope="module")
def program() -> Program:
    return Program(SERVE, Limits())


def test_messages_on_the_page_follow_the_schema() -> None:
    messages = []
    for block in blocks(DOCS / "protocol.md"):
        if not block.code.startswith("{"):
            continue  # a command
        lines = block.code.splitlines()
        # The request to run a case is on several lines for reading.
        messages += ["".join(lines)] if lines[-1].startswith(" ") else lines
    kinds = [*SCHEMA["$defs"]]
    assert kinds == ["id", "hello", "hello_answer", "request", "answer"]
    expected = ["hello", "hello_answer", "request", "answer", "answer", "answer"]
    for message, kind in zip(messages, expected, strict=True):
        schema = {**SCHEMA, "anyOf": [{"$ref": f"#/$defs/{kind}"}]}
        jsonschema.validate(json.loads(message), schema)


def test_a_program_says_what_it_is(program: Program) -> None:
    assert (program.name, program.version) == ("reference", ReferenceLSTM.version)
    assert program.capabilities == ReferenceLSTM.capabilities


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_a_program_gives_the_same_numbers(program: Program, dtype: str) -> None:
    case = EVERYTHING.with_values({}, dtype=dtype)
    mine, its = ReferenceLSTM().run(case).tensors, program.run(case).tensors
    assert list(mine) == [name for name in case.result_names() if name in its]
    for name, tensor in mine.items():
        np.testing.assert_array_equal(its[name].values, tensor.values)
        assert its[name].dtype == dtype


def test_bfloat16() -> None:
    """Files have its numbers as float32. Results with more digits are results in float32."""
    pytest.importorskip("torch")
    served = Program([*SERVE[:-1], "torch.nn:LSTM"], Limits())
    assert "bfloat16" in served.capabilities
    case = EVERYTHING.with_values({}, dtype="bfloat16")
    mine, its = load("torch.nn:LSTM").run(case).tensors, served.run(case).tensors
    for name, tensor in mine.items():
        np.testing.assert_array_equal(its[name].values, tensor.values)
        assert its[name].dtype == tensor.dtype == "bfloat16"
    wrong = Program([*SERVE[:-1], f"{IMPLEMENTATIONS}/programs.py:MoreDigits"], Limits())
    assert wrong.run(case).tensors["output"].dtype == "float32"


def test_given_values_travel(program: Program) -> None:
    """A case with given values has the same text as one without. The values count, not the text."""
    shapes = EVERYTHING.shapes()
    given = {"input": np.zeros(shapes["input"]), "cotangent of c_n": np.ones(shapes["c_n"])}
    case = EVERYTHING.with_values(given)
    mine, its = ReferenceLSTM().run(case).tensors, program.run(case).tensors
    for name, tensor in mine.items():
        np.testing.assert_array_equal(its[name].values, tensor.values)


def test_messages_are_those_of_the_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, object]] = []
    ask = ChildProcess._ask

    def listening(
        self: ChildProcess, message: dict[str, object], seconds: float
    ) -> dict[str, object]:
        answer = ask(self, message, seconds)
        kind = "hello" if message["method"] == "hello" else "request"
        seen.append((kind, {"id": answer["id"], **message}))
        seen.append(("hello_answer" if kind == "hello" else "answer", answer))
        return answer

    monkeypatch.setattr(ChildProcess, "_ask", listening)
    Program(SERVE, Limits()).run(EVERYTHING)
    assert [kind for kind, _ in seen] == ["hello", "hello_answer", "request", "answer"]
    for kind, message in seen:
        schema = {**SCHEMA["$defs"][kind], "$defs": SCHEMA["$defs"]}
        jsonschema.validate(json.loads(json.dumps(message)), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(seen[2][1], {**SCHEMA["$defs"]["hello"], "$defs": SCHEMA["$defs"]})


def test_the_page_names_the_version() -> None:
    assert f"version {PROTOCOL};" in (DOCS / "protocol.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["no-such-program"], "no-such-program cannot be judged: "),
        ([sys.executable, "-c", "pass"], "ended with exit status 0"),
        ([sys.executable, "-c", "import sys; sys.exit('no model')"], "it said: no model"),
        ([sys.executable, "-c", "print('ready')"], "the process gave the malformed answer 'ready'"),
        ([sys.executable, "-c", 'input(); print(\'{"id": 1, "protocol": 7}\')'], "protocol 7"),
        (
            [sys.executable, "-c", 'input(); print(\'{"id": 1, "protocol": 1}\')'],
            "has to declare capabilities",
        ),
    ],
)
def test_programs_that_do_not_follow_the_protocol_are_refused(
    command: list[str], says: str
) -> None:
    with pytest.raises(UsageError) as raised:
        Program(command, Limits())
    assert says in str(raised.value)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "give a TARGET or --exec COMMAND, one of them"),
        (("reference", "--exec", "x"), "give a TARGET or --exec COMMAND, one of them"),
        (("--exec", "x", "--isolate"), "--exec is a process of its own"),
        (("--exec", "no-such-program"), "no-such-program cannot be judged"),
        (("reference", "--time-limit", "-1"), "'-1' is no number above 0"),
        (("reference", "--without", "gravity"), "there is no capability 'gravity'"),
    ],
)
def test_commands_that_are_refused(arguments: tuple[str, ...], says: str, tmp_path: Path) -> None:
    ended = run("check", *arguments, "-n", "0", cwd=tmp_path)
    assert ended.status == 2
    assert says in " ".join(ended.err.split())
    assert "Traceback" not in ended.err


@pytest.mark.whole
def test_a_defect_in_a_program_is_found(tmp_path: Path) -> None:
    program = f"{sys.executable} -m lstm_conformance.serve {IMPLEMENTATIONS}/programs.py:WrongOrder"
    ended = run(
        "check", "--exec", program, "--clause", "EQ-1", "--profile", "smoke", "-n", "0",
        cwd=tmp_path,
    )  # fmt: skip
    assert ended.status == 1
    assert "right if the blocks were in the order i, o, g, f" in ended.out


PROVOKED = Case(
    LSTMConfig(1, 1, num_layers=3, bidirectional=True),
    layout="packed_sorted",
    lengths=(1,),
)


@pytest.mark.parametrize(
    ("kind", "raised", "says"),
    [
        ("pipe", Nonconformance, "it is not a regular file"),
        ("device", Nonconformance, "the results cannot be read: "),
        ("file-with-a-hole", Nonconformance, "it is larger than"),
        ("endless-message", ProcessFailed, "malformed answer 'xxx"),
        ("deep-message", ProcessFailed, "malformed answer"),
        ("long-reason", Unsupported, r"^\\x1b\[2Jx{400,496}$"),
    ],
)
def test_what_a_program_gives_is_bounded(
    kind: str, raised: type[Exception], says: str, tmp_path: Path
) -> None:
    """It costs one case, and the program then goes on with the next one."""
    program = Program([sys.executable, str(IMPLEMENTATIONS / "hostile_program.py"), kind], Limits())
    with pytest.raises(raised, match=says):
        program.run(PROVOKED)
    assert program.run(Case(LSTMConfig(1, 1))).tensors


def test_an_endless_line_is_not_collected() -> None:
    lines: queue.Queue[bytes] = queue.Queue(_MOST_LINES)
    stream = io.BytesIO(b"x" * (3 * _LONGEST_LINE))
    _read(stream, lines)
    assert [len(lines.get()), len(lines.get())] == [_LONGEST_LINE, 0]
    assert lines.empty()
    assert _LONGEST_LINE * _MOST_LINES <= 2**24


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits other processes")
def test_files_of_a_process_are_limited(tmp_path: Path) -> None:
    write = f"open({str(tmp_path / 'large')!r}, 'wb').truncate(2**31)"
    process = ChildProcess([sys.executable, "-c", f"input(); {write}"], Limits(gibibytes=1), {})
    with pytest.raises(ProcessFailed, match="File too large"):
        process.start()
