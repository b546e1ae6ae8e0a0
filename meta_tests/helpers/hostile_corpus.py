"""Everything bad that was tried with ``check``: one table, and the right outcome of each row."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from .command_line import IMPLEMENTATIONS, environment

__all__ = ["CORPUS", "QUICK", "RIGHT", "WRONG", "Row", "Tried", "attempt"]

# A row that takes longer hangs, in seconds.
_LIMIT = 120.0

# Short names of exit statuses.
PASSES, FAILS, REFUSED, NOT_COMPLETED = 0, 1, 2, 3

ONE = "--profile smoke --clause EQ-4 -n 0"
# In this case the hostile programs and functions do their harm.
PROVOKED = (
    "--clause PACK-1 --case 'v1 input_size=2 hidden_size=2 num_layers=3 bidirectional=True "
    "seq_len=2 layout=packed_sorted lengths=2'"
)
WHOLE = "reference --profile default -n 0 --json r.json"

# Classes of `implementations/hostile_results.py`.
WRONG = (
    "Skips", "ImportsOrSkips", "IsExpectedToFail", "EndsPytest", "Exits", "Interrupts",
    "RaisesItsOwn", "IsComplex", "ReturnsItsOwnArrays", "RaisesHalfASurrogate",
)  # fmt: skip
RIGHT = (
    "HalfASurrogate", "EscapeSequences", "NoSeconds", "EndlessSeconds", "SecondsOfNumPy",
    "SecondsInWords",
)  # fmt: skip

# Files in the folder in which a row runs.
FILES = {
    "hostile.py": (IMPLEMENTATIONS / "hostile_results.py").read_text("utf-8"),
    "functions.py": (IMPLEMENTATIONS / "hostile_functions.py").read_text("utf-8"),
    "program.py": (IMPLEMENTATIONS / "hostile_program.py").read_text("utf-8"),
    "broken.py": "import os\n\nraise ValueError('no')\n",
    "unparsable.py": "def\n",
    "raises.py": (
        "import torch\n\nclass LSTM(torch.nn.LSTM):\n"
        "    def forward(self, *args):\n        raise OSError('no kernel')\n"
    ),
    "known.toml": "",
    "bad.toml": "[[deviation]\n",
    "text.txt": "no results\n",
    "half.json": '{"schema_version": 7, "clauses": [',
    "future.json": '{"schema_version": 99}',
    "nan.json": '{"schema_version": NaN}',
    "deep.json": "[" * 100_000,
}


class Row(NamedTuple):
    """One thing that was tried.

    Attributes:
        kind: argument, file, environment, implementation, program or signal.
        script: for bash, in a folder with ``FILES``. ``$CHECK`` is ``lstm-conformance check``,
            ``$CONFORM`` is ``lstm-conformance``.
        statuses: the right exit statuses.
        says: that must be in what is printed.
    """

    kind: str
    script: str
    statuses: tuple[int, ...]
    says: str = ""


class Tried(NamedTuple):
    """What came of one row; each of these but ``right`` must not be.

    Attributes:
        status: the exit status; None for a row that hangs.
        right: whether the outcome is that of the table.
        wrong_pass: whether it passed, or said so, and should not.
        traceback: whether a traceback of the suite was printed.
        lost: whether results that should be there are missing or damaged.
        text: that was printed.
    """

    status: int | None
    right: bool
    wrong_pass: bool
    traceback: bool
    lost: bool
    text: str


def _arguments() -> Iterator[Row]:
    for words, says in (
        ("''", "TARGET is empty"),
        ("' '", "TARGET is empty"),
        ('"$NO_SUCH_VARIABLE"', "TARGET is empty"),
        ("@options", "is not a target"),
        ("-- -x", "is not a target"),
        ("--exec ''", "--exec '' is not a command"),
        ('--exec "\'"', "No closing quotation"),
        ("--exec /no/such/program", "/no/such/program"),
        ("nowhere.py:LSTM", "nowhere.py"),
        ("hostile.py:Nothing", "Nothing"),
        ("no_such_module:LSTM", "no_such_module"),
        ("reference --clause COMB-99", "COMB-99"),
        ("reference --case nonsense", "nonsense"),
        ("reference --case 'v1 input_size=0 hidden_size=1'", "input_size"),
        ("reference --case 'v1 input_size=1 hidden_size=1 hidden_size=2'", "once"),
        ("reference --time-limit 1e300", "1e300"),
        ("reference --time-limit nan", "nan"),
        ("reference --memory-limit inf", "inf"),
        (f"reference -n {20 * '9'}", 20 * "9"),
        ("reference -n 100000", "100000"),
        ("reference -n -1", "-1"),
        ("reference --seed 1e3", "1e3"),
        ("reference --shard 3/2", "3/2"),
        ("reference --shard 0/0", "0/0"),
        ("reference --max-time -5", "-5"),
        ("reference --profile huge", "huge"),
        ("reference --dtype int8", "int8"),
        ("reference --device gpu", "gpu"),
        ("reference --require telepathy", "telepathy"),
        ("reference --without telepathy", "telepathy"),
    ):
        yield Row("argument", f"$CHECK {words}", (REFUSED,), says)


def _files() -> Iterator[Row]:
    for words, says in (
        ("broken.py:LSTM", "broken.py, line 3"),
        ("unparsable.py:LSTM", "unparsable.py, line 1"),
        ("raises.py:LSTM", "raises.py"),
        (f"reference --json keep/{300 * 'x'}", "File name too long"),
        ("reference --json no/such/folder/r.json", "no/such/folder"),
        ("reference --json keep", "keep"),
        ("hostile.py:Right --json hostile.py", "the file of the target"),
        ("reference --known-deviations known.toml --json ./known.toml", "known deviations"),
        ("reference --known-deviations bad.toml", "bad.toml"),
        ("reference --known-deviations no.toml", "no.toml"),
        ("reference --known-deviations keep", "keep"),
        ("reference --json x --markdown x", "both name x"),
        ("reference --baseline half.json", "half.json"),
        ("reference --baseline future.json", "future.json"),
        ("reference --baseline nan.json", "nan.json"),
        ("reference --baseline deep.json", "deep.json"),
        ("reference --baseline text.txt", "text.txt"),
        ("reference --baseline /dev/null", "/dev/null"),
        ("reference --resume half.json", "half.json"),
        ("reference --resume keep", "keep"),
        ("reference --baseline half.json --json half.json", "half.json"),
        ("reference --examples known.toml", "known.toml"),
    ):
        yield Row("file", f"$CHECK {words}", (REFUSED,), says)
    for words in ("half.json", "deep.json", "text.txt", "keep", "no.json", "/dev/null"):
        yield Row("file", f"$CONFORM report {words}", (REFUSED,), words)
        yield Row("file", f"$CONFORM merge {words} --json m.json", (REFUSED,), words)
    yield Row("file", "$CONFORM merge half.json --json half.json", (REFUSED,), "half.json")


def _environments() -> Iterator[Row]:
    right = f"$CHECK reference {ONE}"
    for script, statuses in (
        (f"{right} > /dev/full", (NOT_COMPLETED,)),
        (f"{right} | true; exit ${{PIPESTATUS[0]}}", (NOT_COMPLETED,)),
        (f"{right} 2>&-", (PASSES,)),
        (f"{right} >&-", (PASSES,)),
        (f"{right} <&-", (PASSES,)),
        (f"PYTHONIOENCODING=ascii {right}", (PASSES,)),
        (f"LC_ALL=C PYTHONUTF8=0 {right}", (PASSES,)),
        (f"mkdir gone; cd gone; rmdir ../gone; {right}", (REFUSED,)),
        (f"{right} --json /dev/full", (NOT_COMPLETED,)),
        (f"PYTEST_PLUGINS=no_such_plugin PYTEST_ADDOPTS=--no-such-option {right}", (PASSES,)),
        (f"touch numpy.py random.py hypothesis.py types.py; {right}", (PASSES,)),
        (f"mkdir lstm_conformance; touch lstm_conformance/__init__.py; {right}", (PASSES,)),
        (f"printf '[pytest]\\naddopts = --no-such\\n' > pytest.ini; {right}", (PASSES,)),
        (f"echo 'raise OSError' > conftest.py; {right}", (PASSES,)),
        (f"TMPDIR=/no/such/folder {right}", (PASSES, REFUSED)),
        (f"HOME=/no/such/folder {right}", (PASSES,)),
        (f"PYTHONWARNINGS=error {right}", (PASSES,)),
        (f"PYTHONOPTIMIZE=2 {right}", (PASSES,)),
        (f"HYPOTHESIS_STORAGE_DIRECTORY=/dev/null {right}", (PASSES,)),
        (f"ulimit -f 1; {right} --json r.json", (PASSES, NOT_COMPLETED)),
    ):
        yield Row("environment", script, statuses)


def _implementations() -> Iterator[Row]:
    for name in WRONG:
        for isolated in ("", " --isolate"):
            script = f"$CHECK hostile.py:{name} {ONE} --json r.json{isolated}"
            yield Row("implementation", script, (FAILS,))
    for name in RIGHT:
        yield Row("implementation", f"$CHECK hostile.py:{name} {ONE} --json r.json", (PASSES,))
    for name in ("ListOfCapabilities", "TextOfCapabilities", "UnknownCapability"):
        yield Row("implementation", f"$CHECK hostile.py:{name} {ONE}", (REFUSED,), "capabilit")
    for name in (
        "Segfaulting", "Aborting", "Exiting", "Killed", "Hanging", "Greedy", "Recursing",
        "ClosingEverything", "TalkingNonsense",
    ):  # fmt: skip
        limits = "--isolate --time-limit 3 --memory-limit 2"
        script = f"$CHECK functions.py:{name} {PROVOKED} {limits} --json r.json"
        # Nobody knows what would come out if there were more memory.
        yield Row("implementation", script, (NOT_COMPLETED if name == "Greedy" else FAILS,))


def _programs() -> Iterator[Row]:
    python = sys.executable
    for kind in (
        "malformed", "endless-line", "other-id", "truncated", "no-file", "huge-header", "pipe",
        "device", "file-with-a-hole", "endless-message", "deep-message", "dying", "deaf", "raising",
    ):  # fmt: skip
        script = f"$CHECK --exec '{python} program.py {kind}' {PROVOKED} --time-limit 3"
        yield Row("program", f"{script} --json r.json", (FAILS,))
    for words in (
        "true",
        "false",
        "cat",
        "yes",
        "sleep 3600",
        "echo nonsense",
        "head -c 9 /dev/zero",
    ):
        script = f"$CHECK --exec '{words}' {ONE} --time-limit 3"
        yield Row("program", script, (REFUSED,))


def _signals() -> Iterator[Row]:
    for name in ("INT", "TERM", "HUP"):
        for seconds in (0.3, 1, 2, 4):
            kill = f"timeout --preserve-status -s {name} {seconds} $CHECK {WHOLE}"
            yield Row("signal", kill, (NOT_COMPLETED, *_killed_by(name)))
    for first, second in (("INT", "INT"), ("TERM", "TERM"), ("INT", "TERM")):
        for seconds in (2, 4):
            script = (
                f"$CHECK {WHOLE} & sleep {seconds}; kill -{first} $!; sleep 0.05; "
                f"kill -{second} $!; wait $!"
            )
            # Bash lets its jobs in the background ignore SIGINT: `check` handles it itself.
            yield Row("signal", script, (NOT_COMPLETED, *_killed_by(first), *_killed_by(second)))


def _killed_by(name: str) -> tuple[int, ...]:
    """The status of a process that a signal ends before it can handle any."""
    return (128 + signal.Signals[f"SIG{name}"],)


CORPUS = [
    *_arguments(),
    *_files(),
    *_environments(),
    *_implementations(),
    *_programs(),
    *_signals(),
]

# Rows that judge nothing, and so take less than a second.
QUICK = [row for row in CORPUS if row.kind in ("argument", "file")]


def attempt(row: Row) -> Tried:
    """Runs ``row`` in a folder of its own, and says what came of it."""
    folder = Path(tempfile.mkdtemp(prefix="hostile-"))
    try:
        for name, text in FILES.items():
            (folder / name).write_text(text, "utf-8")
        (folder / "keep").mkdir()
        # Not `python -m`: that searches the folder before everything else.
        conform = str(Path(sys.executable).with_name("lstm-conformance"))
        process = subprocess.Popen(
            ["bash", "-c", row.script],
            cwd=folder,
            env={**environment(), "CHECK": f"{conform} check", "CONFORM": conform},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            out, err = process.communicate(timeout=_LIMIT)
            status: int | None = process.returncode
        except subprocess.TimeoutExpired:
            status = None
            with suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
        return _tried(row, status, out, err, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _tried(row: Row, status: int | None, out: str, err: str, folder: Path) -> Tried:
    says_so = out.startswith("CONFORMANT") or "\nCONFORMANT" in out
    passes = status == 0 or says_so
    results = folder / "r.json"
    lost = False
    if results.exists():
        try:
            found = json.loads(results.read_text("utf-8"))
            passes = passes or bool(found["gate_passed"])
        except (ValueError, KeyError):
            lost = True
    elif "r.json" in row.script and status in (PASSES, FAILS):
        lost = True
    changed = [name for name, text in FILES.items() if (folder / name).read_text("utf-8") != text]
    one_sentence = status != REFUSED or (not out and err.count("\n") <= _USAGE_LINES)
    right = status in row.statuses and row.says in out + err and one_sentence and not changed
    return Tried(
        status,
        right,
        passes and PASSES not in row.statuses,
        "Traceback" in err,
        lost or bool(changed),
        out + err,
    )


# argparse prints how a command is used before its sentence.
_USAGE_LINES = 25
