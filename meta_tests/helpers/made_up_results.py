"""Made-up results, changed from published ones, with everything that a report may show."""

from __future__ import annotations

import copy
import json
from functools import cache
from typing import Any

from lstm_conformance.reports.reading import upgraded
from lstm_conformance.reports.verdict import verdict_of
from lstm_conformance.spec.combinations import all_combinations, covering_array
from tools.frameworks import RESULTS

Results = dict[str, Any]

# Markup and control characters, of HTML, XML, Markdown and terminals.
HOSTILE = (
    "</script></title>'\"><script>alert(1)</script><img src=x onerror=alert(2)>\x1b[2J\x00|`]]>"
)

PROGRAM = "import torch\n\nprint('observed', 1.5)\n"

# Fields whose text does not come from the implementation.
_FIXED = {
    "id",
    "chapter",
    "level",
    "kind",
    "kinds",
    "verdict",
    "counts",
    "profile",
    "stopped",
    "outcome",
    "word",
    "values",
}


@cache
def _published(name: str) -> Results:
    return upgraded(json.loads((RESULTS / f"{name}.json").read_text("utf-8")))


def right() -> Results:
    """Results of torch.nn.LSTM: four known deviations, all combinations visited.

    Fields that version 1 of the schema did not have are empty.
    """
    results = copy.deepcopy(_published("torch"))
    results.update(tests={})
    for name in ("cores", "processor", "load_average"):
        results["environment"].pop(name, None)
    for tensor in results["tensors"]:
        tensor["histogram"] = []
    for clause in results["clauses"]:
        clause["seconds"] = 0
    return results


def conforming() -> Results:
    """Results of an LSTM that breaks nothing in what was judged."""
    results = right()
    results["deviations"] = []
    results["clauses"] = [clause for clause in results["clauses"] if clause["verdict"] == "pass"]
    results["verdict"] = verdict_of(results["clauses"], gate_passed=True)
    return results


def wrong() -> Results:
    """Results of an LSTM that breaks EQ-1, and therefore EQ-2, with all fields of version 2.

    Most combinations were left out.
    """
    results = right()
    visited = covering_array()
    left_out = [str(c) for c in all_combinations() if c not in visited]
    results["coverage"]["combinations"].update(
        visited=len(visited),
        left_out=[{"reason": "profile smoke visits a covering array", "combinations": left_out}],
    )
    results["gate_passed"] = False
    results["implementation"].update(name="mine", version="1.0", target="mine.py:LSTM")
    results["environment"].update(
        cores=2, processor="Made-up 2", load_average={"start": 0.5, "end": 2.25}
    )
    clauses = {clause["id"]: clause for clause in results["clauses"]}
    clauses["EQ-1"].update(
        verdict="fail", counts={"fail": 1}, worst_ratio=9e13, failure=failure("EQ-1"),
        root_cause=True,
    )  # fmt: skip
    clauses["EQ-2"].update(
        verdict="fail", counts={"fail": 1}, worst_ratio=9e13, failure=failure("EQ-2")
    )
    clauses["EQ-3"].update(
        verdict="error", counts={"error": 1}, worst_ratio=None, failure=crash("EQ-3")
    )
    clauses["EQ-4"].update(verdict="inconclusive", counts={"inconclusive": 1})
    clauses["EQ-5"].update(verdict="unsupported", counts={}, reasons={"no two-biases": 1}, cases=0)
    clauses["EQ-6"].update(verdict="not tested", counts={}, reasons={"not reached": 1}, cases=0)
    clauses["EQ-7"].update(lacking=["packed"], seconds=1.25)
    clauses["USE-5"].update(
        level="SHOULD",
        must_hold=False,
        verdict="error",
        counts={"error": 1},
        failure=crash("USE-5"),
    )
    for tensor in results["tensors"]:
        tensor["histogram"] = [[-4, 10], [0, 20], [1, 15], [2, 1]]
    results["verdict"] = verdict_of(results["clauses"], gate_passed=False)
    return results


def failure(clause: str) -> Results:
    """The failure of a wrong number."""
    return {
        **crash(clause),
        "verdict": "fail",
        "finding": {
            "tensor": "c_n", "verdict": "fail", "ratio": 9e13, "index": [0, 0, 1],
            "observed": -0.33, "expected": -0.34, "noise": 1.1e-16, "message": "",
        },
        "exception": "",
        "traceback": "",
        "diagnosis": {
            "text": "matches GatesInOrderOFGI: gates are read as o, f, g, i.",
            "defects": ["GatesInOrderOFGI"], "ratio": 0.0, "documented_ratio": 9e13,
        },
        "ratio_map": {
            "case": "v1 input_size=2 hidden_size=5 seq_len=4", "tensor": "output", "place": "row 1",
            "axes": ["step", "unit"], "shape": [4, 5], "block": [1, 1],
            "values": [[0.5, 1.0, 0.0, 2.0, 40.0], [3.0, 0.1, 0.2, 2e3, 2e6],
                       [1.0, 0.0, 0.0, 9e13, "inf"], [0.0, 0.0, 0.0, "nan", "-inf"]],
        },
        "program": PROGRAM,
    }  # fmt: skip


def crash(clause: str) -> Results:
    """The failure of an exception."""
    command = f'lstm-conformance check mine.py:LSTM --clause {clause} --case "v1 input_size=1"'
    return {
        "verdict": "error",
        "case": "v1 input_size=1",
        "first_case": "v1 input_size=3",
        "finding": {},
        "exception": "ValueError: no",
        "traceback": "Traceback (most recent call last):\nValueError: no",
        "plain": True,
        "diagnosis": {},
        "command": command,
        "program": "",
        "explanation": f"{clause}: ...\n  repeat    {command}\n",
    }


def hostile() -> Results:
    """The results of :func:`wrong`, with hostile text wherever the implementation may put it."""
    results: Results = _hostile(wrong())
    return results


def versions(results: Results) -> list[Results]:
    """``results`` of three versions; the second and the third break EQ-2."""
    everything = [copy.deepcopy(results) for _ in range(3)]
    for number, one in enumerate(everything, 1):
        one["implementation"]["version"] += f".{number}"
        for clause in one["clauses"]:
            if clause["id"] == "EQ-2":
                broken = {"verdict": "fail", "counts": {"pass": 3, "fail": 7}}
                clause.update(
                    broken
                    if number > 1
                    else {"verdict": "pass", "counts": {"pass": 5}, "worst_ratio": 1.5}
                )
    return everything


def _hostile(value: Any, name: str = "") -> Any:
    if name in _FIXED:
        return value
    if isinstance(value, dict):
        names = {key: key + HOSTILE if name in ("packages", "reasons") else key for key in value}
        return {names[key]: _hostile(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_hostile(item, name) for item in value]
    return value + HOSTILE if isinstance(value, str) else value
