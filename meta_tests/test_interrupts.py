"""Interrupts at any moment: never a verdict, never half a file, and nothing left behind."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .helpers.command_line import command, environment
from .helpers.selection import elsewhere

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are listed by /proc")

OPTIONS = ("--profile", "default", "--clause", "COMB-1", "--clause", "EQ-1")

# A run of these options takes longer than this, in seconds, on any machine.
LATEST = 2.5


def started(folder: Path, *more: str, target: str = "reference") -> subprocess.Popen[str]:
    """A run whose temporary files are in ``folder``."""
    return subprocess.Popen(
        command("check", target, *OPTIONS, "--json", "results.json", *more),
        cwd=folder,
        env={**environment(), "TMPDIR": str(folder / "temporary")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_until_it_handles(process: int, number: int, within: float = 60.0) -> None:
    """Waits until the interpreter has started, and handles a signal."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
        caught = [line.split()[1] for line in lines if line.startswith("SigCgt:")]
        if not caught or int(caught[0], 16) >> (number - 1) & 1:  # none if it has ended
            return
        time.sleep(0.01)
    raise AssertionError(f"process {process} does not handle signal {number}")


def processes_of(folder: Path) -> list[str]:
    """Command lines of the processes that were started in ``folder``."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and Path(os.readlink(entry / "cwd")) == folder.resolve():
                found.append((entry / "cmdline").read_text().replace("\0", " ").strip())
        except OSError:  # it has ended, or belongs to somebody else
            continue
    return [line for line in found if line]


def nothing_is_left(folder: Path, within: float = 10.0) -> None:
    end = time.monotonic() + within
    while processes_of(folder) and time.monotonic() < end:
        time.sleep(0.1)
    assert not processes_of(folder)
    assert not list((folder / "temporary").iterdir())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "temporary").mkdir()
    return tmp_path


def interrupted_is_no_verdict(folder: Path, seed: int) -> None:
    """Sends one to three signals at random moments."""
    chance = random.Random(seed)
    signals = chance.choices((signal.SIGINT, signal.SIGTERM), k=chance.choice((1, 2, 3)))
    (folder / "results.json").write_text('"from before"', "utf-8")
    process = started(folder, "-n", chance.choice(("0", "2")))
    wait_until_it_handles(process.pid, signal.SIGTERM)
    time.sleep(chance.uniform(0.0, LATEST))
    for number in signals:
        process.send_signal(number)
        time.sleep(10 ** chance.uniform(-3, 0))
    out, err = process.communicate(timeout=120)
    assert process.returncode == 3, (seed, out, err)
    assert "Traceback" not in err, (seed, err)
    assert "\nCONFORMANT" not in out, (seed, out)
    assert "\nDEVIATES" not in out, (seed, out)
    results = json.loads((folder / "results.json").read_text("utf-8"))
    if results != "from before":
        assert results["gate_passed"] is False, seed
        assert results["stopped"] == "interrupted", seed
    assert not [path for path in folder.iterdir() if path.name.startswith(".")], seed
    nothing_is_left(folder)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, elsewhere(1), elsewhere(2)])
def test_an_interrupt_is_no_verdict(seed: int, folder: Path) -> None:
    interrupted_is_no_verdict(folder, seed)


@pytest.mark.interrupts
@pytest.mark.parametrize("seed", range(3, 203))
def test_many_interrupts_are_no_verdict(seed: int, folder: Path) -> None:
    interrupted_is_no_verdict(folder, seed)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGKILL])
@pytest.mark.parametrize("how", [("-n", "2"), elsewhere(("-n", "0", "--isolate"))])
def test_nothing_outlives_the_command(number: int, how: tuple[str, ...], folder: Path) -> None:
    process = started(folder, *how)
    wait_until_it_handles(process.pid, signal.SIGTERM)
    time.sleep(LATEST)
    for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
        wait_until_it_handles(int(child), signal.SIGTERM)
    assert len(processes_of(folder)) > 1
    process.send_signal(number)
    process.communicate(timeout=120)
    nothing_is_left(folder)


SLOW = """\
import time
from pathlib import Path
from lstm_conformance.adapters.reference import ReferenceLSTM

cases = []

class Slow(ReferenceLSTM):
    def run(self, case):
        cases.append(case)
        if len(cases) > 20:  # the first ones look for what it lacks
            Path("begun").touch()
            time.sleep(60)
        return super().run(case)
"""


def test_nothing_is_left_of_a_case_that_is_judged(folder: Path) -> None:
    """The case and its results are in files, which the ended process cannot remove."""
    (folder / "slow.py").write_text(SLOW, "utf-8")
    process = started(folder, "-n", "0", "--isolate", target="slow.py:Slow")
    end = time.monotonic() + 60
    while not (folder / "begun").exists() and time.monotonic() < end:
        time.sleep(0.05)
    process.kill()
    process.communicate(timeout=120)
    nothing_is_left(folder)
