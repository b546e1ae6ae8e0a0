"""Judgements on the command line, and checks of their results.

Of correct implementations, of defects and of the reference: by few clauses or profiles in every
run, and by all of them in `test_whole_judgements.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jsonschema

from lstm_conformance.adapters.reference import ReferenceLSTM
from lstm_conformance.adapters.target import load
from lstm_conformance.runner.searching.checker import Checker
from lstm_conformance.runner.searching.profiles import PROFILES
from lstm_conformance.runner.searching.record import Record
from lstm_conformance.runner.searching.settings import Settings
from lstm_conformance.runner.session.suite import runs_of
from lstm_conformance.spec.case import Case
from lstm_conformance.spec.clauses import TESTABLE

from .command_line import SCHEMA, check, root_causes, run

# Classes of `implementations/correct.py` that `test_whole_judgements.py` judges by all clauses.
# `test_correct.py` judges only their numbers.
WHOLE_ELSEWHERE = (
    "RecomputedInBackward",
    "MaskedPadding",
    "SigmoidByTanh",
    "ExponentialGates",
    "ConcatenatedProduct",
    "SummedFromTheEnd",
    "InputProductAhead",
    "Float64Inside",
)


def valid(results: dict[str, Any]) -> None:
    """Raises if the results do not fit the schema."""
    jsonschema.validate(results, SCHEMA)


def conforms(target: str, *options: str, cwd: Path) -> None:
    """Judges a correct implementation, and checks that nothing is found."""
    formats = ("--dtype", "float64", "--dtype", "float32")
    ended, results = check(target, "--profile", "smoke", *formats, *options, cwd=cwd)
    assert ended.status == 0, ended.out
    assert results["gate_passed"] is True
    worst = max(clause["worst_ratio"] or 0.0 for clause in results["clauses"])
    assert worst < 15, "far below the threshold"


def passes(target: str, clauses: Iterable[str], case: Case | None = None) -> None:
    """Judges a correct implementation by some clauses, in this process, as in profile smoke.

    To start a process takes longer than to judge a few clauses.

    Args:
        target: the implementation.
        clauses: their ids.
        case: that alone is judged; None for all cases.
    """
    implementation = load(target)
    settings = Settings(PROFILES["smoke"], 0, ("float64", "float32"), ("cpu",), case=case)
    judged: dict[str, Record] = {}
    runs = {run.name: run for clause in clauses for run in runs_of(clause, settings.profile)}
    for run_ in runs.values():
        checker = Checker(implementation, settings, run_.name, run_.clauses)
        run_.test(checker)
        for clause, record in checker.records.items():
            judged[clause] = Record.sum(clause, [judged.get(clause, Record(clause)), record])
    for clause in clauses:
        record = judged[clause]
        assert not record.failures, record.failures
        assert record.verdicts.keys() <= {"pass", "unsupported", "not tested"}, clause
        assert "pass" in record.verdicts or record.verdicts.keys() == {"unsupported"}, clause
        assert (record.statistics.worst_ratio or 0.0) < 15, "far below the threshold"


def found_and_named(defect: str, clauses: set[str], cwd: Path, *options: str) -> None:
    """Judges a defect, by default by all clauses, and checks that clauses and defect are named."""
    target = f"lstm_conformance.defects.{defect}"
    ended, results = check(target, "--profile", "smoke", *options, cwd=cwd)
    assert ended.status == 1
    assert results["gate_passed"] is False
    assert root_causes(results) == clauses
    causes = [clause["failure"]["diagnosis"] for clause in results["clauses"]
              if clause["root_cause"]]  # fmt: skip
    if "dtypes:" not in defect:  # the catalogue has no second defect that loses precision alike
        assert all(diagnosis["defects"] == [defect.partition(":")[2]] for diagnosis in causes)
    named = [f"{clause['id']} {clause['title']}" for clause in results["clauses"]]
    assert all(f"Broken: {name}" in ended.out or f"; {name}" in ended.out for name in named
               if name.split()[0] in clauses)  # fmt: skip


def the_reference_conforms(profile: str, cwd: Path) -> dict[str, Any]:
    """Judges the reference, and checks verdicts and files; returns the coverage of combinations."""
    file, report = cwd / "results.json", cwd / "report.md"
    ended = run(
        "check", "reference", "--profile", profile, "-n", "2",
        "--json", str(file), "--markdown", str(report),
        cwd=cwd,
    )  # fmt: skip
    assert ended.status == 0, ended.out + ended.err
    results = json.loads(file.read_text())
    valid(results)
    assert results["gate_passed"] is True
    verdicts = {clause["id"]: clause["verdict"] for clause in results["clauses"]}
    assert verdicts.pop("DTYPE-4") == "unsupported"
    for clause, verdict in verdicts.items():
        has_it = ReferenceLSTM.capabilities.issuperset(TESTABLE[clause].needs)
        assert verdict == ("pass" if has_it else "unsupported"), clause
    assert "CONFORMANT: reference" in ended.out
    assert report.read_text().startswith("# Conformance of reference")
    assert sorted(cwd.iterdir()) == [report, file], "nothing else is left behind"
    combinations: dict[str, Any] = results["coverage"]["combinations"]
    return combinations
