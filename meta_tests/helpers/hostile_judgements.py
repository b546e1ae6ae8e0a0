"""Judgements of hostile implementations, in which every case keeps its verdict."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from lstm_conformance.spec.combinations import Combination, all_combinations, covering_array

from .command_line import IMPLEMENTATIONS, run

FUNCTIONS = IMPLEMENTATIONS / "hostile_functions.py"
PROGRAM = IMPLEMENTATIONS / "hostile_program.py"

# Class or kind to text in the report on it; empty if there is no failure.
HARMFUL = {
    "Segfaulting": "was ended by SIGSEGV",
    "Aborting": "was ended by SIGABRT",
    "Exiting": "ended with exit status 0",
    "Killed": "was ended by SIGKILL",
    "Hanging": "no answer within 2 s",
    "Greedy": "out of memory on cpu",
    "Recursing": "was ended by SIGSEGV",
    "ClosingEverything": "the process",
    "TalkingNonsense": "malformed answer",
    "Disturbing": "was changed: the working directory, the handlers of signals",
    "KeepingViews": "",
}
PROGRAMS = {
    "printing": "malformed answer 'Loading model...'",
    "malformed": "malformed answer '{\"id\":'",
    "endless-line": "no answer within 2 s",
    "other-id": "malformed answer",
    "truncated": "the results cannot be read",
    "no-file": "the results cannot be read",
    "huge-header": "the results cannot be read",
    "dying": "was ended by SIGABRT",
    "deaf": "no answer within 2 s",
    "raising": "ValueError: <script>xxx",
}


def judged(name: str, profile: str, cwd: Path) -> dict[str, Any]:
    """The results of judging one of them in all combinations of float32, in isolation."""
    if name in HARMFUL:
        target = [f"{FUNCTIONS}:{name}", "--isolate"]
    else:
        target = ["--exec", f"{sys.executable} {PROGRAM} {name}"]
    file = cwd / "results.json"
    # The limit is short only for implementations that never answer, even on a busy machine.
    limit = "2" if "2 s" in {**HARMFUL, **PROGRAMS}[name] else "60"
    ended = run(
        "check", *target, "--profile", profile, "--clause", "COMB-1", "--dtype", "float32",
        "-n", "0", "--time-limit", limit, "--memory-limit", "1", "--json", str(file),
        cwd=cwd,
    )  # fmt: skip
    assert ended.status in (0, 1, 3), ended.out + ended.err
    results: dict[str, Any] = json.loads(file.read_text())
    return results


def nothing_lost(name: str, profile: str, cwd: Path) -> None:
    """Checks that every case has a verdict: an error where harm was done, otherwise a pass."""
    results = judged(name, profile, cwd)
    (clause,) = results["clauses"]
    combinations = covering_array() if profile == "smoke" else all_combinations()
    asked = [c for c in combinations if c.dtype == "float32"]
    provoked = [c for c in asked if _provoked(c)]
    assert provoked
    message = {**HARMFUL, **PROGRAMS}[name]
    assert results["coverage"]["combinations"]["visited"] == len(asked)
    if not message:
        assert clause["counts"]["pass"] == 2 * len(asked)
        assert set(clause["counts"]) <= {"pass", "not tested"}
        return
    if "out of memory" in message:  # nobody knows whether they are right
        assert clause["counts"]["pass"] == 2 * (len(asked) - len(provoked))
        assert clause["counts"]["not tested"] == clause["reasons"][message] == 2 * len(provoked)
        assert clause["verdict"] == "not tested"
        assert not results["gate_passed"]
        return
    # The search in a combination ends with the first case that is an error.
    assert clause["counts"]["pass"] == 2 * (len(asked) - len(provoked))
    assert clause["counts"]["error"] == len(provoked)
    assert clause["verdict"] == "error"
    assert message in clause["failure"]["exception"]
    assert "num_layers=3" in clause["failure"]["case"]


def _provoked(combination: Combination) -> bool:
    of = (combination.num_layers, combination.bidirectional, combination.layout)
    return of == (3, True, "packed_sorted")
