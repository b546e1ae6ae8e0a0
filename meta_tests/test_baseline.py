"""``--baseline``: a run fails if something got worse, and for no other reason."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from lstm_conformance.runner.commands.main import main
from lstm_conformance.runner.failures.failure import Failure
from lstm_conformance.runner.gate.baseline import Comparison, Question, read_baseline
from lstm_conformance.runner.searching.record import Record
from lstm_conformance.runner.session.options import Options
from lstm_conformance.spec.usage_error import UsageError

from .helpers.command_line import check, run
from .helpers.made_up_records import CASE, passed, session
from .helpers.sessions import shard

CLAUSES = ("EQ-1", "EQ-2", "EQ-3")


def results(verdict: str = "pass", ratio: float | None = 1.5, **more: Any) -> dict[str, Any]:
    """Results of three clauses: the first has this verdict and ratio, the second is broken."""
    judged = session(clauses=CLAUSES)
    failure = Failure("error", CASE, CASE, exception="ValueError: no")
    broken = Record("EQ-2", {"error": 1}, failures=[failure])
    for record in (passed("EQ-1"), broken.to_json(), passed("EQ-3")):
        judged.add(record["clause"], (record["clause"],), [record])
    found = judged.results(None)
    found["clauses"][0].update(verdict=verdict, worst_ratio=ratio)
    return {**found, **more}


def compared(before: dict[str, Any], after: dict[str, Any]) -> Comparison:
    return Comparison(Path("before.json"), before, after)


@pytest.mark.parametrize(
    ("before", "after", "worse"),
    [
        ("pass", "pass", False),
        ("pass", "fail", True),
        ("pass", "error", True),
        ("pass", "inconclusive", True),
        ("pass", "unsupported", True),
        ("pass", "not tested", True),
        ("pass", "waived", False),
        ("waived", "fail", True),
        ("waived", "unsupported", False),
        ("unsupported", "fail", True),
        ("unsupported", "inconclusive", True),
        ("unsupported", "not tested", False),
        ("fail", "fail", False),
        ("fail", "error", False),
        ("error", "fail", False),
        ("fail", "inconclusive", False),
        ("fail", "unsupported", False),
        ("inconclusive", "fail", True),
        ("fail", "pass", False),
    ],
)
def test_what_got_worse(before: str, after: str, worse: bool) -> None:
    found = compared(results(before), results(after))
    assert [change.clause["id"] for change in found.worse] == ["EQ-1"] * worse
    assert found.status == int(worse)
    last = found.text().splitlines()[-1]
    assert last == ("WORSE than before.json: EQ-1." if worse else "NOT WORSE than before.json.")
    as_before = "EQ-1, EQ-2" if after in ("fail", "error") and not worse else "EQ-2"
    assert f"Broken as before: {as_before}." in found.text()


@pytest.mark.parametrize(
    ("verdict", "ratios", "worse"),
    [
        ("fail", (100.0, 1001.0), True),
        ("fail", (100.0, 1000.0), False),
        ("fail", (None, 1e9), False),
        ("pass", (0.1, 20.0), False),
    ],
)
def test_the_error_of_a_broken_clause_must_not_grow_tenfold(
    verdict: str, ratios: tuple[float | None, float], worse: bool
) -> None:
    found = compared(results(verdict, ratios[0]), results(verdict, ratios[1]))
    assert found.status == int(worse)


def test_a_broken_should_does_not_fail() -> None:
    before, after = results(), results("fail")
    for found in (before, after):
        found["clauses"][0]["must_hold"] = False
    comparison = compared(before, after)
    assert comparison.status == 0
    assert "newly broken" in comparison.text(), "it is reported all the same"


def test_a_clause_that_was_not_asked_for_is_not_missed() -> None:
    after = results()
    after["clauses"] = after["clauses"][1:]
    assert compared(results(), after).status == 0


def test_a_broken_clause_that_the_baseline_lacks_fails() -> None:
    before = results()
    before["clauses"] = before["clauses"][1:]
    assert compared(before, results("fail")).status == 1
    assert compared(before, results("pass")).status == 0


def stopped(why: str, verdict: str, unreached: tuple[str, ...] = ()) -> dict[str, Any]:
    """Results of a run that ended early, before it reached some clauses."""
    found = results(verdict, stopped=why)
    for clause in found["clauses"]:
        if clause["id"] in unreached:
            clause.update(verdict="not tested", counts={}, failure=None, worst_ratio=None)
    return found


@pytest.mark.parametrize("why", ["max-failures", "max-time"])
def test_what_was_not_reached_is_not_worse_and_not_compared(why: str) -> None:
    found = compared(results(), stopped(why, "fail", ("EQ-2", "EQ-3")))
    assert [change.clause["id"] for change in found.worse] == ["EQ-1"]
    assert found.unreached == ["EQ-2", "EQ-3"]
    assert found.status == 1
    says = "2 clauses were not reached, so they are not compared.\nWORSE than before.json: EQ-1.\n"
    assert found.text().endswith(says)
    assert "no longer judged" not in found.text()
    assert "2 clauses were not reached, so they are not compared" in found.markdown()


@pytest.mark.parametrize("why", ["max-failures", "max-time"])
def test_a_run_that_did_not_reach_everything_is_not_completed(why: str) -> None:
    """What it did not reach may be worse."""
    found = compared(results(), stopped(why, "pass", ("EQ-3",)))
    assert (found.worse, found.status) == ([], 3)
    says = "NOT COMPLETED: nothing worse than before.json in what was judged.\n"
    assert found.text().endswith(f"1 clause was not reached, so it is not compared.\n{says}")
    assert compared(results(), stopped(why, "pass")).status == 0, "every clause was judged"
    for verdict in ("not tested", "unsupported"):
        found = compared(results(verdict), stopped(why, "pass", ("EQ-1",)))
        assert (found.unreached, found.status) == ([], 0), "as in the baseline"
    more = stopped(why, "pass", ("EQ-1",))
    more["implementation"] = {**more["implementation"], "capabilities": []}
    assert compared(results("unsupported"), more).status == 3, "it may be supported now"
    recommended = stopped(why, "pass", ("EQ-3",))
    recommended["clauses"][2]["must_hold"] = False
    assert compared(results(), recommended).status == 0, "nothing about it fails a run"


def test_an_interrupted_run_is_not_completed_and_says_what_is_worse() -> None:
    assert compared(results(), stopped("interrupted", "pass")).status == 3
    found = compared(results(), stopped("interrupted", "fail", ("EQ-3",)))
    assert found.status == 3
    says = "NOT COMPLETED: EQ-1 worse than before.json in what was judged.\n"
    assert found.text().endswith(says)


def test_a_clause_that_was_reached_and_is_not_judged_any_more_is_worse() -> None:
    assert compared(results(), stopped("max-time", "unsupported")).status == 1


@pytest.mark.parametrize(
    ("verdict", "status"), [("unsupported", 0), ("inconclusive", 0), ("fail", 1), ("pass", 0)]
)
def test_a_clause_that_a_shard_did_not_judge_is_not_worse(verdict: str, status: int) -> None:
    after = results(verdict, shard={"index": 1, "count": 2})
    assert compared(results(), after).status == status


def test_a_run_that_judged_nothing_is_not_completed() -> None:
    nothing = results("not tested")
    for clause in nothing["clauses"]:
        clause.update(verdict="unsupported", failure=None)
    assert compared(nothing, nothing).status == 3


def test_markdown_has_the_verdict_first() -> None:
    page = compared(results(), results("fail")).markdown()
    assert page.startswith(
        "# Compared with before.json\n\nWORSE than before.json: EQ-1.  \nBroken as"
    )
    assert "| newly broken" in page


def test_hostile_text_is_text() -> None:
    after = results("fail")
    after["clauses"][0]["title"] = after["implementation"]["name"] = "<b>\x1b[2J\n# x |"
    comparison = Comparison(Path("a\x1b[2J|b.json"), results(), after)
    for text in (comparison.text(), comparison.markdown()):
        assert all(c.isprintable() or c == "\n" for c in text)
        assert "\n# x" not in text
    assert "<b>" not in comparison.markdown().replace("\\<", "").replace("\\>", "")


def question(**changes: Any) -> Question:
    """The question that :func:`results` answer, with ``changes``."""
    asked = {"target": "reference", "profile": "smoke", **changes}
    return Question.of_options(Options(**asked))


def written(folder: Path, found: dict[str, Any]) -> Path:
    path = folder / "before.json"
    path.write_text(json.dumps(found), "utf-8")
    return path


def test_a_baseline_is_read(tmp_path: Path) -> None:
    assert read_baseline(written(tmp_path, results()), question()) == results()
    more = written(tmp_path, results(profile="default"))
    assert read_baseline(more, question())["profile"] == "default", "it judged more cases"


def of_program() -> dict[str, Any]:
    found = copy.deepcopy(results())
    found["implementation"]["target"] = "--exec ./a\x1b[2J"
    return found


@pytest.mark.parametrize(
    ("change", "asked", "says"),
    [
        (of_program(), {}, "its target is --exec ./a"),
        ({}, {"target": None, "program": "./my lstm"}, "that of this run --exec './my lstm'"),
        (
            {},
            {"dtypes": ("float32",)},
            "its --dtype is bfloat16, float16, float32, float64, and that of this run float32",
        ),
        ({"dtypes": ["float32"]}, {}, "its --dtype is float32, and that of this run bfloat16"),
        (
            {"missing_devices": {"cuda": "no"}},
            {},
            "its --device is cpu, cuda, and that of this run cpu",
        ),
        ({}, {"without": ("packed",)}, "its --without is nothing, and that of this run packed"),
        ({}, {"profile": "default"}, "it judged less, by profile smoke and not default"),
        ({"stopped": "interrupted"}, {}, "it was not completed"),
        ({"case": CASE}, {}, "it judged a part only"),
        ({"shard": {"index": 1, "count": 2}}, {}, "it judged a part only"),
    ],
)
def test_a_baseline_of_another_question_is_refused(
    change: dict[str, Any], asked: dict[str, Any], says: str, tmp_path: Path
) -> None:
    path = written(tmp_path, {**results(), **change})
    with pytest.raises(UsageError, match="is no baseline for this: ") as raised:
        read_baseline(path, question(**asked))
    assert says in str(raised.value)
    assert str(raised.value).isprintable()


def test_commands_that_are_refused(tmp_path: Path) -> None:
    good = written(tmp_path, results())
    (tmp_path / "damaged.json").write_text(good.read_text("utf-8")[:500], "utf-8")
    (tmp_path / "foreign.json").write_text("[]", "utf-8")
    (tmp_path / "out.json").write_text("of before", "utf-8")
    for baseline, more, says in (
        ("damaged.json", [], "it is cut off"),
        ("foreign.json", [], "holds no results"),
        ("missing.json", [], "cannot be read"),
        ("before.json", ["--dtype", "float32"], "is no baseline for this"),
        ("before.json", ["--json", "./before.json"], "which is the baseline: name another file"),
        ("before.json", ["--case", CASE], "--baseline does not go with it"),
    ):
        arguments = ("reference", "--profile", "smoke", "--baseline", baseline)
        ended = run("check", *arguments, "--json", "out.json", *more, cwd=tmp_path)
        assert ended.status == 2
        assert says in ended.err
        assert ended.err.startswith("lstm-conformance: ")
        assert ended.err.count("\n") == 1
        assert ended.out == ""
    assert (tmp_path / "out.json").read_text("utf-8") == "of before", "nothing was judged"


def test_merged_results_are_compared_with_a_baseline(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (1, 2):
        (tmp_path / f"{number}.json").write_text(json.dumps(shard(f"{number}/2")), "utf-8")
    files = [str(tmp_path / name) for name in ("1.json", "2.json", "all.json", "before.json")]
    assert main(["merge", *files[:2], "--json", files[2]]) == 1, "one clause is broken"
    before = json.loads(Path(files[2]).read_text("utf-8"))
    (broken,) = [c for c in before["clauses"] if c["verdict"] == "fail"]
    passed = {**broken, "verdict": "pass", "counts": {"pass": 3}, "worst_ratio": 1.5}
    for clause, status in ((broken, 0), (passed, 1)):
        written(tmp_path, {**before, "clauses": [clause]})
        assert main(["merge", *files[:2], "--baseline", files[3]]) == status
    assert capsys.readouterr().out.endswith(f"WORSE than {files[3]}: {broken['id']}.\n")
    unwanted = ["--baseline", files[3], "--json", files[3]]
    assert main(["merge", *files[:2], *unwanted]) == 2
    assert "which is the baseline: name another file" in capsys.readouterr().err
    written(tmp_path, {**before, "dtypes": ["float32"]})
    assert main(["merge", *files[:2], "--baseline", files[3]]) == 2
    assert "is no baseline for this: its --dtype" in capsys.readouterr().err


WRONG = """
from lstm_conformance.adapters.reference import ReferenceLSTM

class Wrong(ReferenceLSTM):
    def run(self, case):
        if case.config.proj_size:
            raise ValueError("no projections")
        seen = super().run(case)
        THEN
        return seen

LSTM = Wrong()
"""


@pytest.mark.whole
def test_what_was_broken_before_does_not_fail(tmp_path: Path) -> None:
    file = tmp_path / "wrong.py"
    clauses = ("EQ-2", "PROJ-1")
    asked = [
        "--profile",
        "smoke",
        "--no-diagnosis",
        *(word for c in clauses for word in ("--clause", c)),
    ]
    file.write_text(WRONG.replace("THEN", ""), "utf-8")
    ended, before = check("wrong.py:LSTM", *asked, cwd=tmp_path)
    assert ended.status == 1
    (tmp_path / "results.json").rename(tmp_path / "before.json")
    asked += ["--baseline", "before.json", "--markdown", "report.md"]
    ended, after = check("wrong.py:LSTM", *asked, cwd=tmp_path)
    assert ended.status == 0, ended.out
    assert ended.out.endswith("Broken as before: PROJ-1.\nNOT WORSE than before.json.\n")
    assert after["gate_passed"] is before["gate_passed"] is False
    assert (tmp_path / "report.md").read_text("utf-8").startswith("# Compared with before.json")
    file.write_text(WRONG.replace("THEN", "assert case.config.hidden_size <= 3"), "utf-8")
    ended, _ = check("wrong.py:LSTM", *asked, cwd=tmp_path)
    assert ended.status == 1
    assert ended.out.endswith("Broken as before: PROJ-1.\nWORSE than before.json: EQ-2.\n")
    ended, _ = check("wrong.py:LSTM", *asked, "-x", cwd=tmp_path)
    assert ended.status == 1
    says = "1 clause was not reached, so it is not compared.\nWORSE than before.json: EQ-2.\n"
    assert ended.out.endswith(says)
