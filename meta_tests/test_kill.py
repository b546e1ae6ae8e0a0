"""``lstm-conformance defects``: which defects are killed, by which clause, and how soon."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lstm_conformance.adapters.reference import ReferenceLSTM
from lstm_conformance.reports.mutation_table import mutation_markdown, mutation_text
from lstm_conformance.runner.commands.defects import exit_status
from lstm_conformance.runner.judging.rules import close
from lstm_conformance.runner.mutation.first_failure import FirstFailure, UntilFirstFailure
from lstm_conformance.runner.searching.checker import Checker
from lstm_conformance.runner.searching.profiles import PROFILES
from lstm_conformance.runner.searching.settings import Settings
from lstm_conformance.runner.session.suite import runs_of
from lstm_conformance.spec.case import Case
from lstm_conformance.spec.clauses import TESTABLE
from lstm_conformance.spec.combinations import covering_array
from lstm_conformance.spec.contract import Observation
from lstm_conformance.spec.strategies import PLAIN, Domain

from .helpers.command_line import IMPLEMENTATIONS, check, environment, run

# ------------------------------------------------------------- until the first failure


class FailsAt(ReferenceLSTM):
    """The reference, which raises in one of its runs."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.asked: list[Case] = []

    def run(self, case: Case) -> Observation:
        self.asked.append(case)
        if len(self.asked) == self.number:
            raise RuntimeError
        return super().run(case)


def checker(implementation: ReferenceLSTM, clause: str) -> tuple[Checker, UntilFirstFailure]:
    settings = Settings(PROFILES["smoke"], 0, ("float64",), ("cpu",))
    judge = UntilFirstFailure(implementation, settings, clause)
    return Checker(implementation, settings, "test", (clause,), judge), judge


@pytest.mark.parametrize("number", [1, 4])
def test_nothing_is_judged_after_the_first_failure(number: int) -> None:
    implementation = FailsAt(number)
    judging, judge = checker(implementation, "EQ-4")
    with pytest.raises(FirstFailure) as failure:
        judging.forall(PLAIN, close("output"))
    assert judge.cases == len(implementation.asked) == number
    assert failure.value.case == str(implementation.asked[-1])


def test_without_a_failure_all_cases_are_judged() -> None:
    judging, judge = checker(ReferenceLSTM(), "EQ-4")
    judging.forall(PLAIN, close("output"))
    # And those with alternatives that were not drawn.
    most = PROFILES["smoke"].per_clause
    assert most <= judge.cases <= 2 * most


def test_only_a_failure_of_the_asked_clause_ends_a_test() -> None:
    """The test of the combinations names two clauses."""
    rules: dict[str, Callable[..., Any]] = {"COMB-1": close("output"), "COMB-2": lambda trial: []}
    combinations = covering_array()[:3]
    checker(FailsAt(1), "COMB-2")[0].each_combination(combinations, Domain(), rules)
    with pytest.raises(FirstFailure):
        checker(FailsAt(1), "COMB-1")[0].each_combination(combinations, Domain(), rules)


@pytest.mark.parametrize("profile", ["smoke", "default"])
def test_runs_are_those_of_pytest(profile: str, tmp_path: Path) -> None:
    """They have the same names, since the cases follow from the names."""
    collected = subprocess.run(
        [sys.executable, "-m", "pytest", "--pyargs", "lstm_conformance.tests", "-c", "/dev/null",
         "--collect-only", "-q", "-p", "no:cacheprovider", "--lstm-implementation", "reference",
         "--lstm-profile", profile],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    names = {line.partition("::")[2] for line in collected.stdout.splitlines() if "::" in line}
    planned = {run.name for clause in TESTABLE for run in runs_of(clause, PROFILES[profile])}
    assert names == planned


# ----------------------------------------------------------------------- the command

# Entries of a catalogue: name, target, and the clause that it breaks according to the catalogue.
READABLE = "lstm_conformance.defects.readable:ReadableLSTM"
NO_BIAS_HH = "lstm_conformance.defects.equations.parameters:BiasHHIgnored"
HOSTILE = f"{IMPLEMENTATIONS / 'hostile.py'}"
MADE_UP = [
    ("None", READABLE, "EQ-5"),
    ("Expected", NO_BIAS_HH, "EQ-5"),
    ("Unexpected", NO_BIAS_HH, "USE-4"),
    ("Aborting", f"{HOSTILE}:Aborting", "PROJ-4"),
    ("Printing", f"{HOSTILE}:Printing", "USE-4"),
]

# The command with another catalogue and a suite of three clauses.
PROGRAM = f"""\
import sys
from lstm_conformance.runner.commands.main import main
from lstm_conformance.runner.mutation import defect_processes
from lstm_conformance.defects import catalogue
from lstm_conformance.spec.clauses import TESTABLE

catalogue.catalogue = lambda: tuple(
    catalogue.Defect(id, target, "It has * and | in it.", breaks, "forward", "always")
    for id, target, breaks in {MADE_UP!r}
)
defect_processes.TESTABLE = {{clause: TESTABLE[clause] for clause in ("EQ-5", "PROJ-4", "USE-4")}}
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, dict[str, Any], str]:
    """How the command ended with a made-up catalogue, its results, and its page."""
    pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("made_up")
    options = ("--profile", "smoke", "-n", "2", "--json", "results.json", "--markdown", "page.md")
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, "defects", *options],
        cwd=folder, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert sorted(path.name for path in folder.iterdir()) == ["page.md", "results.json"]
    results = json.loads((folder / "results.json").read_text("utf-8"))
    return ended, results, (folder / "page.md").read_text("utf-8")


@pytest.mark.slow
def test_which_clause_kills_which_defect(made_up: tuple[Any, dict[str, Any], str]) -> None:
    rows = {row["id"]: row for row in made_up[1]["defects"]}
    assert list(rows) == [name for name, _, _ in MADE_UP]
    assert {name: (row["killed_by"], row["expected"]) for name, row in rows.items()} == {
        "None": (None, False),
        "Expected": ("EQ-5", True),
        "Unexpected": ("EQ-5", False),
        "Aborting": ("PROJ-4", True),
        "Printing": (None, False),
    }
    assert {row["verdict"] for row in rows.values() if row["killed_by"]} == {"killed"}
    assert rows["None"]["verdict"] == rows["Printing"]["verdict"] == "survived"


@pytest.mark.slow
def test_cases_are_counted_up_to_the_first_failure(
    made_up: tuple[Any, dict[str, Any], str],
) -> None:
    rows = {row["id"]: row for row in made_up[1]["defects"]}
    per_clause = PROFILES["smoke"].per_clause
    assert rows["None"]["cases"] >= 3 * per_clause
    assert rows["Expected"]["cases"] <= per_clause
    assert rows["Unexpected"]["cases"] >= per_clause + rows["Expected"]["cases"]
    assert rows["Unexpected"]["case"] == rows["Expected"]["case"]
    assert rows["Aborting"]["cases"] is rows["Aborting"]["seconds"] is None


@pytest.mark.whole
def test_the_case_is_the_one_at_which_check_fails_first(
    made_up: tuple[Any, dict[str, Any], str], tmp_path: Path
) -> None:
    (row,) = (row for row in made_up[1]["defects"] if row["id"] == "Expected")
    options = ("--profile", "smoke", "--clause", "EQ-5")
    _, results = check(NO_BIAS_HH, *options, cwd=tmp_path)
    assert results["clauses"][0]["failure"]["first_case"] == row["case"]


@pytest.mark.slow
def test_output_and_page(made_up: tuple[Any, dict[str, Any], str]) -> None:
    ended, results, page = made_up
    assert ended.returncode == 1
    assert ended.stderr == ""
    assert "raw" not in ended.stdout
    assert "3 of 5 defects are killed (60.0%), 2 by the clause that they break." in ended.stdout
    assert "1 ended the process" in ended.stdout
    lines = [line.split()[:3] for line in ended.stdout.splitlines()]
    assert ["None", "EQ-5", "It"] in lines
    assert ["Unexpected", "USE-4", "EQ-5"] in lines
    assert ended.stdout == mutation_text(results)
    assert page == mutation_markdown(results)
    table = [line for line in page.splitlines() if line.startswith("| Unexpected")]
    assert len(table) == 1
    assert r"It has \* and \| in it." in table[0]


def test_the_page_has_public_bugs_and_equivalent_changes() -> None:
    row = {
        "id": "Wrong", "kind": "forward", "text": "It is.", "shows": "", "breaks": "EQ-1",
        "verdict": "killed", "expected": True, "killed_by": "EQ-1", "case": "v1", "cases": 1,
        "seconds": 2.5, "bugs": ["pytorch/pytorch#1", "https://example.org/x"],
    }  # fmt: skip
    quick = {**row, "id": "Other", "seconds": 0.5, "bugs": []}
    results = {
        "environment": {"python": "3.11", "platform": "Linux", "packages": {"torch": "2.3"}},
        "profile": "smoke", "seed": 0, "duration_seconds": 3.0, "defects": [row, quick],
        "equivalent": [{"id": "Same", "text": "A change.\n\nA * proof."}],
    }  # fmt: skip
    page = mutation_markdown(results)
    assert (
        r"[pytorch/pytorch\#1](https://github.com/pytorch/pytorch/issues/1), <https://example.org/x>"
        in page
    )
    assert "### Same\n\nA change.\n\nA \\* proof.\n" in page
    assert "The median defect is killed after 1.50 s and 1 case; 1 takes more than 2 s." in page


@pytest.mark.parametrize(
    ("killed", "total", "profile", "status"),
    [
        (339, 339, "default", 0),
        (338, 339, "default", 1),
        (95, 100, "smoke", 0),
        (94, 100, "smoke", 1),
        (0, 1, "smoke", 1),
    ],
)
def test_exit_status(killed: int, total: int, profile: str, status: int) -> None:
    assert exit_status(killed, total, profile) == status


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--defect", "NoSuchDefect"], "there is no defect 'NoSuchDefect'"),
        (["--json", "no/such/folder/x.json"], "there is no folder"),
        (["--markdown", "."], "it is a folder"),
        (["--profile", "thorough"], "invalid choice"),
        (["-n", "0"], "at least 1"),
    ],
)
def test_commands_that_are_refused(arguments: list[str], says: str, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    ended = run("defects", *arguments, cwd=tmp_path)
    assert ended.status == 2
    assert says in ended.err
    assert "Traceback" not in ended.err
    assert ended.out == ""


def test_without_torch(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError('no', name='torch')\n")
    ended = run("defects", cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert ended.status == 2
    assert "pip install 'lstm-conformance[torch]'" in ended.err
    assert ended.err.count("\n") == 1


# ------------------------------------------------------------------------ what is published


def test_the_published_table_is_of_all_defects_and_all_are_killed() -> None:
    """After a change of the catalogue run ``tox -e defects``, and commit what it writes."""
    pytest.importorskip("torch")
    from lstm_conformance.defects.catalogue import catalogue

    published = Path(__file__).parents[1] / "reports" / "published"
    results = json.loads((published / "defects.json").read_text("utf-8"))
    assert {row["id"] for row in results["defects"]} == {defect.id for defect in catalogue()}
    assert all(row["verdict"] == "killed" and row["expected"] for row in results["defects"])
    assert results["profile"] == "default"
    assert (published / "defects.md").read_text("utf-8") == mutation_markdown(results)
