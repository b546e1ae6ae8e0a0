"""Drafts of known deviations: they waive everything that is broken, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.metadata import requires
from pathlib import Path
from typing import Any, Literal

import pytest
from packaging.requirements import Requirement

from lstm_conformance.runner.failures.failure import Diagnosis, Failure
from lstm_conformance.runner.gate.deviation_draft import draft, toml_text
from lstm_conformance.runner.judging.comparison import Finding
from lstm_conformance.runner.judging.known_deviations import Deviation, read_known_deviations
from lstm_conformance.runner.searching.record import Record
from lstm_conformance.spec.clauses import TESTABLE, prerequisites
from lstm_conformance.spec.usage_error import UsageError
from lstm_conformance.spec.verdicts import UNEXPLAINED

from .helpers.command_line import check, run
from .helpers.made_up_records import CASE, KNOWN, known_to_fail, passed, session

# Two causes, a clause that builds on one of them, and one that builds on both.
ONE, OTHER, OF_ONE, OF_BOTH = "DIR-1", "PROJ-1", "STATE-1", "EQ-7"

HOSTILE = '\x1b[2J\x9b2J"]\n[[deviation]]\nclause = "EQ-1"\nreason = """x\u202e'


def failed(clause: str, **more: Any) -> dict[str, Any]:
    """The record of a clause that failed; ``more`` are fields of its failure."""
    finding = Finding("h_n", "fail", 1e9, (0,), 1.0, 2.0, 1e-9)
    kind: Literal["fail", "error"] = "error" if "exception" in more else "fail"
    failure = Failure(kind, CASE, CASE, finding if kind == "fail" else None, **more)
    return Record(clause, {kind: 1}, failures=[failure]).to_json()


def of(*records: dict[str, Any], known: tuple[Deviation, ...] = ()) -> dict[str, Any]:
    """Results with these records; no other clause was judged."""
    judged = session(*known, clauses=tuple(TESTABLE))
    for record in records:
        judged.add(record["clause"], (record["clause"],), [record])
    return judged.results(None)


def drafted(*records: dict[str, Any], known: tuple[Deviation, ...] = ()) -> list[tuple[str, ...]]:
    return [deviation.clauses for deviation in draft(of(*records, known=known), "r.json")]


def written(folder: Path, results: dict[str, Any]) -> Path:
    path = folder / "results.json"
    path.write_text(json.dumps(results), "utf-8")
    return path


def test_the_clauses_build_on_each_other_as_these_tests_assume() -> None:
    assert not {ONE, OTHER} & (prerequisites(ONE) | prerequisites(OTHER))
    assert {ONE, OTHER} & prerequisites(OF_ONE) == {ONE}
    assert {ONE, OTHER} <= prerequisites(OF_BOTH)


def diagnosed(*defects: str, text: str = "matches") -> Diagnosis:
    return Diagnosis(text, defects)


def test_clauses_of_one_diagnosis_are_one_entry() -> None:
    records = [failed(clause, diagnosis=diagnosed("A", "B")) for clause in (OTHER, ONE)]
    assert drafted(*records) == [(ONE, OTHER)]
    other = failed(OTHER, diagnosis=diagnosed("A", "C"))
    assert drafted(records[1], other) == [(ONE,), (OTHER,)]


def test_clauses_of_one_exception_are_one_entry() -> None:
    one, other = (f"ValueError: no size {size}" for size in (2, 33))
    assert drafted(failed(ONE, exception=one), failed(OTHER, exception=other)) == [(ONE, OTHER)]
    assert drafted(failed(ONE, exception=one), failed(OTHER, exception="KeyError: 2")) == [
        (ONE,),
        (OTHER,),
    ]


def test_a_clause_goes_to_the_entry_of_its_cause_if_there_is_one() -> None:
    assert drafted(failed(OF_ONE), failed(ONE)) == [(ONE, OF_ONE)]
    assert drafted(failed(OF_BOTH), failed(ONE), failed(OTHER)) == [(ONE,), (OTHER,), (OF_BOTH,)]


def test_an_inconclusive_clause_joins_the_entry_of_its_cause() -> None:
    unclear = passed(OF_BOTH, verdicts={"inconclusive": 1})
    assert drafted(unclear, failed(ONE), failed(OTHER)) == [(OF_BOTH, ONE), (OTHER,)]
    assert drafted(unclear) == [], "an inconclusive clause shows no deviation"


def test_a_clause_that_is_inconclusive_because_others_are_broken_has_an_entry() -> None:
    """Otherwise no list of known deviations would let the gate pass."""
    unclear = Record("EQ-3", {"inconclusive": 1}, reasons={UNEXPLAINED: 1}).to_json()
    assert drafted(unclear, failed(ONE)) == [(ONE,), ("EQ-3",)]
    assert drafted(unclear, known_to_fail(), known=(KNOWN,)) == [("EQ-1",), ("EQ-3",)]
    assert drafted(unclear) == []


def test_a_clause_with_a_diagnosis_of_its_own_is_another_cause() -> None:
    cause, other = (failed(c, diagnosis=diagnosed(c)) for c in (ONE, OF_ONE))
    assert drafted(cause, other) == [(ONE,), (OF_ONE,)]


def test_what_passes_is_not_waived(monkeypatch: pytest.MonkeyPatch) -> None:
    unclear = passed("EQ-3", verdicts={"inconclusive": 1})
    assert drafted(passed("EQ-2"), failed(ONE), unclear) == [(ONE,)]
    monkeypatch.setitem(TESTABLE, ONE, replace(TESTABLE[ONE], level="SHOULD"))
    assert drafted(failed(ONE)) == [], "SHOULD clauses may be broken"


def test_reasons() -> None:
    records = [
        failed(ONE, diagnosis=diagnosed("A", text="matches A.\nIt is wrong.")),
        failed(OTHER, exception="ValueError: no"),
        failed("EQ-9"),
    ]
    reasons = {d.clauses[0]: d.reason for d in draft(of(*records), "r.json")}
    assert reasons == {
        ONE: "Diagnosis: matches A. It is wrong.",
        OTHER: "ValueError: no",
        "EQ-9": "h_n has 1 where 2 is expected.",
    }


def test_known_deviations_are_kept_unless_they_are_gone() -> None:
    other = replace(KNOWN, clauses=(OTHER,), when={"packed": (True,)})
    gone = passed(OTHER, deviations={"1": (3, 0)})
    found = draft(of(known_to_fail(), failed(ONE), gone, known=(KNOWN, other)), "r.json")
    assert [deviation.clauses for deviation in found] == [("EQ-1",), (ONE,)]
    assert found[0] == KNOWN
    found = draft(of(known_to_fail(), failed(OTHER), known=(KNOWN, other)), "r.json")
    assert found[:2] == [KNOWN, other], "no case was judged that would show it"
    assert found[2].clauses == (OTHER,)
    assert not found[2].when


def test_a_test_that_broke_off_is_waived() -> None:
    judged = session()
    judged.add("test", ("EQ-1",), None, "worker crashed", 0.0)
    (deviation,) = draft(judged.results(None), "r.json")
    assert deviation == Deviation(("EQ-1",), "worker crashed")


@pytest.mark.parametrize("text", [HOSTILE, " ", "x" * 9000, "'''\\"])
def test_hostile_text_is_the_text_of_an_entry(text: str, tmp_path: Path) -> None:
    known = Deviation(("EQ-1",), text + ".", text, {"layout": (text,)})
    results = of(known_to_fail(), failed(ONE, exception=text), known=(known,))
    results["implementation"]["name"] = text
    file = written(tmp_path, results)
    printed = run("waive", str(file), cwd=tmp_path)
    assert printed.status == 0, printed.err
    assert all(c.isprintable() or c == "\n" for c in printed.out)
    toml = tmp_path / "known.toml"
    toml.write_text(printed.out, "utf-8")
    found = read_known_deviations(toml)
    assert found[0] == known
    assert [deviation.clauses for deviation in found] == [("EQ-1",), (ONE,)]
    assert len(found[1].reason) <= 400


def test_nothing_broken(tmp_path: Path) -> None:
    file = written(tmp_path, of(passed("EQ-1")))
    ended = run("waive", str(file), "--toml", "known.toml", cwd=tmp_path)
    assert ended.status == 0, ended.err
    assert read_known_deviations(tmp_path / "known.toml") == ()
    assert "Nothing is broken" in (tmp_path / "known.toml").read_text("utf-8")


def test_remarks_on_a_draft(tmp_path: Path) -> None:
    results = of(failed(ONE), passed("EQ-3", verdicts={"inconclusive": 1}))
    results["stopped"] = "interrupted"
    ended = run("waive", str(written(tmp_path, results)), cwd=tmp_path)
    assert ended.status == 0
    assert ended.err.splitlines() == [
        "lstm-conformance: the run was not completed (interrupted): more may be broken.",
        "lstm-conformance: inconclusive, which cannot be waived: EQ-3.",
    ]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"deviations": [{**KNOWN.to_json(), "when": {"no\x1b": 1}}]}, "there is no condition"),
        ({"deviations": [{**KNOWN.to_json(), "clauses": ["EQ-999"]}]}, "no clause 'EQ-999'"),
        ({"clauses": [{"id": "EQ-999"}]}, "there is no clause EQ-999"),
    ],
)
def test_unknown_names_are_refused(change: dict[str, Any], says: str) -> None:
    results = of(failed(ONE))
    for name, (item,) in change.items():
        more = {"outcome": "waived", "cases": 1, "failed": 1} if name == "deviations" else {}
        broken = next(c for c in results["clauses"] if c["id"] == ONE)
        results[name] = [{**(broken if name == "clauses" else {}), **item, **more}]
    with pytest.raises(UsageError, match=says) as raised:
        draft(results, "r.json")
    assert str(raised.value).isprintable()


def test_commands_that_are_refused(tmp_path: Path) -> None:
    good = written(tmp_path, of(failed(ONE)))
    damaged = tmp_path / "damaged.json"
    damaged.write_text(good.read_text("utf-8")[:-100], "utf-8")
    there = tmp_path / "there.toml"
    there.write_text("# by hand\n", "utf-8")
    for arguments, says in (
        ([str(damaged)], "it is cut off"),
        (["missing.json"], "cannot be read"),
        ([str(good), "--toml", "there.toml"], "is there already"),
        ([str(good), "--toml", "no/such/folder.toml"], "there is no folder"),
    ):
        ended = run("waive", *arguments, cwd=tmp_path)
        assert ended.status == 2
        assert says in ended.err
        assert ended.err.startswith("lstm-conformance: ")
        assert ended.err.count("\n") == 1
        assert ended.out == ""
    assert there.read_text("utf-8") == "# by hand\n"


def test_every_module_that_it_imports_is_installed_with_the_package() -> None:
    """No extra is needed."""
    needed = [Requirement(text) for text in requires("lstm-conformance") or ()]
    assert "tomli-w" in {one.name for one in needed if "extra" not in str(one.marker)}


WRONG = """
from dataclasses import replace
from lstm_conformance.adapters.reference import ReferenceLSTM

class Wrong(ReferenceLSTM):
    def run(self, case):
        if case.config.proj_size:
            raise ValueError(f"no projections of size {case.config.proj_size}")
        seen = super().run(case)
        if case.config.bidirectional:
            output = seen.tensors["output"]
            seen.tensors["output"] = replace(output, values=output.values[..., :1])
        return seen

LSTM = Wrong()
"""


def test_a_broken_implementation_conforms_with_its_draft(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text(WRONG, "utf-8")
    clauses = ("EQ-2", "DIR-1", "PROJ-1", "PROJ-2")
    options = ["--profile", "smoke", "--no-diagnosis"]
    options += [word for c in clauses for word in ("--clause", c)]
    ended, results = check("wrong.py:LSTM", *options, cwd=tmp_path)
    assert ended.status == 1, ended.err
    ended = run("waive", "results.json", "--toml", "known.toml", cwd=tmp_path)
    assert ended.status == 0, ended.err
    known = read_known_deviations(tmp_path / "known.toml")
    projections = next(deviation for deviation in known if "PROJ-1" in deviation.clauses)
    assert projections.reason.startswith("ValueError: no projections of size ")
    assert "PROJ-2" in projections.clauses
    ended, waived = check(
        "wrong.py:LSTM", *options, "--known-deviations", "known.toml", cwd=tmp_path
    )
    assert ended.status == 0, ended.out
    broken = {c["id"] for c in results["clauses"] if c["verdict"] in ("fail", "error")}
    assert {c["id"] for c in waived["clauses"] if c["verdict"] == "waived"} == broken
    ended = run("waive", "results.json", cwd=tmp_path)
    assert ended.out == (tmp_path / "known.toml").read_text("utf-8"), (
        "a draft from these results is the same"
    )


def test_conditions_on_the_version_and_findings_are_kept(tmp_path: Path) -> None:
    known = (
        replace(KNOWN, versions=(">=0",), findings=("torch_x", "torch_y")),
        Deviation(("EQ-2",), "y", versions=("<1", ">2"), when={"packed": (True,)}),
    )
    found = draft(of(known_to_fail(), known=known), "r.json")
    assert found[: len(known)] == list(known)
    file = tmp_path / "known.toml"
    file.write_text(toml_text(found, "mine"), "utf-8")
    assert read_known_deviations(file)[: len(known)] == known
