"""What commands print: the verdict last, about 40 lines, colours for terminals alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from lstm_conformance import Case, check
from lstm_conformance.adapters.reference import ReferenceLSTM
from lstm_conformance.reports.tables import markdown_report, short_report
from lstm_conformance.runner.commands.main import main
from lstm_conformance.runner.gate.conclusion import conclude
from lstm_conformance.runner.session.options import Options

from .helpers.command_line import run
from .helpers.made_up_results import hostile, right, wrong
from .helpers.selection import elsewhere

Conclude = Callable[..., int]


def printed(results: Any, capsys: pytest.CaptureFixture[str], **options: Any) -> str:
    conclude(results, json=None, markdown=None, baseline=None, **options)
    return capsys.readouterr().out


@pytest.fixture(scope="module")
def broken() -> Any:
    """Results of a class of torch modules with several causes."""
    torch = pytest.importorskip("torch")

    class Wrong(torch.nn.LSTM):  # type: ignore[misc, name-defined]
        def forward(self, input: Any, hx: Any = None) -> Any:
            output, (h_n, c_n) = super().forward(input, hx)
            return output * 1.001, (h_n * 1.001, c_n + 1 if self.batch_first else c_n)

    clauses = ["EQ-1", "EQ-4", "EQ-6", "SHAPE-5"]
    return check(Wrong, profile="smoke", clauses=clauses, dtypes=["float64"], diagnosis=False)


def test_a_failure_fits_on_a_screen(broken: Any, capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(broken.results, capsys).splitlines()
    assert len(lines) <= 40
    assert lines[-1].startswith("DEVIATES: Wrong (in memory) deviates in")
    text = "\n".join(lines)
    for word in ("case", "observed", "expected", "repeat", "Broken: ", "-v shows"):
        assert word in text
    assert "import torch" not in text
    assert "clause    title" not in text


def test_many_causes_fit_on_a_screen() -> None:
    results = wrong()
    one = next(clause for clause in results["clauses"] if clause["root_cause"])
    results["clauses"] += [
        {**one, "id": f"EQ-{k}", "failure": {**one["failure"], "diagnosis": {}}} for k in range(9)
    ]
    text = short_report(results)
    assert len(text.splitlines()) <= 50
    assert "10 causes, 7 of them not shown." in text
    assert "1 cause, shown above." in short_report(wrong())
    assert " cause" not in short_report(right())


def test_a_version_that_is_unknown_is_not_shown() -> None:
    results = wrong()
    results["implementation"]["version"] = "unknown"
    assert "DEVIATES: mine deviates in" in short_report(results)
    assert "# Conformance of mine\n" in markdown_report(results)


def test_a_test_that_broke_off_fits_on_a_screen() -> None:
    results = wrong()
    clause = next(c for c in results["clauses"] if c["root_cause"])
    lines = ["Traceback:", *(f"line {k}" for k in range(60)), "OSError: at the end"]
    clause["failure"], clause["reasons"] = None, {"\n".join(lines): 1}
    text = short_report(results)
    assert len(text.splitlines()) <= 40
    assert "OSError: at the end" in text


def test_a_long_exception_leaves_room_for_what_comes_after(
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Raising(ReferenceLSTM):
        name = "raising"

        def run(self, case: Case) -> Any:
            if case.config.hidden_size > 3:
                raise RuntimeError("one\n\ntwo")
            return super().run(case)

    results = check(Raising, profile="smoke", clauses="EQ-4", dtypes="float64", diagnosis=False)
    text = printed(results.results, capsys)
    assert "raised    RuntimeError: one two" in text
    assert 'repeat    check_case(Raising, "v1 ' in text


def test_verbose_has_every_clause_and_the_program(
    broken: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    text = printed(broken.results, capsys, verbose=True)
    assert "clause    title" in text
    assert "import torch" in text
    assert text.splitlines()[-1].startswith("DEVIATES")


def test_quiet_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(wrong(), capsys, quiet=True).count("\n") == 1
    text = printed(right(), capsys, quiet=True)
    assert text.startswith("DEVIATES: ")
    assert "Gate: passed, with 4 known deviations" in text


def test_the_verdict_of_a_right_one_is_the_last_line(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(right(), capsys).splitlines()
    assert lines[-1].startswith("DEVIATES: ")
    assert lines[-2].startswith("Gate: passed, with 4 known deviations")
    assert len(lines) <= 15
    assert not any("-v shows" in line for line in lines)


def test_what_implementations_supply_is_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    for options in ({}, {"verbose": True}, {"quiet": True}):
        text = printed(hostile(), capsys, **options)
        assert all(line.isprintable() for line in text.splitlines())


@pytest.mark.parametrize(
    ("terminal", "variables", "has_colour"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (True, {"TERM": "dumb"}, False),
    ],
)
def test_colours(
    terminal: bool,
    variables: dict[str, str],
    has_colour: bool,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    text = printed(wrong(), capsys)
    assert ("\x1b[1;31mDEVIATES\x1b[0m: mine" in text) == has_colour
    assert ("\x1b" in text) == has_colour


def test_sentences_are_wrapped_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cases, commands and tables are not: they are copied, and looked at as a whole."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    results, case = wrong(), "v1 " + "input_size=3 " * 9
    results["clauses"][0]["failure"]["explanation"] = (
        f"EQ-1 Gate order: {'words ' * 40}\n  case      {case}\n  diagnosis {'because ' * 20}"
    )
    before: Any = {**right(), "implementation": results["implementation"]}
    shown = {}
    for terminal in (True, False):
        monkeypatch.setattr("sys.stdout.isatty", lambda terminal=terminal: terminal)
        baseline = (Path("before.json"), before)
        conclude(results, json=None, markdown=None, baseline=baseline)  # type: ignore[arg-type]
        shown[terminal] = capsys.readouterr().out
    assert shown[True].split() == shown[False].split(), "nothing is lost"
    lines = shown[True].splitlines()
    long = [line for line in lines if len(line) > 80]
    assert f"  case      {case}" in long
    assert all(line.startswith("  case") or "  " in line.strip() for line in long)
    assert "            because because" in shown[True]
    assert not any(line.startswith("            because") for line in shown[False].splitlines())
    rows = [line for line in lines if line.startswith("newly broken ")]
    assert rows == [line for line in shown[False].splitlines() if line.startswith("newly broken ")]
    assert len(rows) == 5


@pytest.mark.parametrize("options", [{}, {"quiet": True}, {"verbose": True}])
@pytest.mark.parametrize("name", ["json", "markdown"])
def test_a_file_that_cannot_be_written_leaves_no_verdict(
    name: str, options: dict[str, bool], capsys: pytest.CaptureFixture[str]
) -> None:
    """The last line, the answer of the gate and the exit status agree."""
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("only Linux has /dev/full")
    for results in (right(), wrong()):
        files: dict[str, Any] = {"json": None, "markdown": None, name: full}
        status = conclude(results, **files, baseline=(Path("x"), results), **options)  # type: ignore[arg-type]
        lines = capsys.readouterr().out.splitlines()
        assert status == 3
        assert lines[-1].startswith("NOT COMPLETED: no verdict on ")
        assert lines[-1].endswith(
            f"(--{name} /dev/full could not be written: No space left on device)."
        )
        said = ("Gate: ", "CONFORMANT", "DEVIATES", "PASSED", "FAILED")
        assert not any(line.startswith(said) for line in lines[:-1])


def test_clauses_are_chosen_by_chapter_and_pattern(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    ended = run(
        "check", "reference", "--profile", "smoke", "--clause", "EQ-1,shape-2", "--clause",
        "STATE-[12]", "-n", "0", "-q", "--json", str(file), cwd=tmp_path,
    )  # fmt: skip
    assert ended.status == 0, ended.err
    assert ended.out == (
        "CONFORMANT: reference 1.0.0 does what the documentation of torch.nn.LSTM says, in the "
        "4 clauses that were asked for. Gate: passed.\n"
    )
    ids = [clause["id"] for clause in json.loads(file.read_text())["clauses"]]
    assert ids == ["EQ-1", "STATE-1", "STATE-2", "SHAPE-2"]


def command(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main([*arguments])
    return (status, *capsys.readouterr())


def test_one_clause_is_described(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = command(capsys, "clauses", "eq-4")
    assert status == 0
    for part in ("EQ-4 Recurrence (MUST", "c_t = f_t", "torch.nn.LSTM, Equations", "EQ-5, STATE-1"):
        assert part in out
    assert "Builds on: EQ-3." in out
    status, out, _ = command(capsys, "clauses", "INTRO-1")
    assert "Not tested: " in out


def test_a_chapter_of_clauses_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = command(capsys, "clauses", "EQ", "STATE-1")
    assert "EQ-9" in out
    assert "STATE-1" in out
    assert "STATE-2 " not in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["clauses", "EQQ-1"], "did you mean EQ-1"),
        (["clauses", "EQ", "--markdown", "x.md"], "leave out the ids"),
        (["check", "refrence"], "did you mean reference?"),
        (["check", "json:JSONEncodr"], "'JSONEncodr', did you mean JSONEncoder?"),
        (["check", "reference", "-v", "-q"], "--verbose and --quiet contradict each other"),
    ],
)
def test_what_is_refused(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = command(capsys, *arguments)
    assert (status, out) == (2, "")
    assert says in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ["check", "torch", "--prfile=smoke"],
            " check: there is no option --prfile, did you mean --profile",
        ),
        (
            ["report", "x.json", "--htlm", "x"],
            " report: there is no option --htlm, did you mean --html",
        ),
        (["check", "torch", "--prof", "smoke"], "no option --prof, did you mean --profile"),
        (["check", "torch", "--known=x"], "no option --known, did you mean --known-deviations"),
        (["report", "x.json", "--mark", "x"], "no option --mark, did you mean --markdown"),
        (["check", "torch", "--zzzzzz"], " check: there is no option --zzzzzz"),
        (["check", "torch", "--without", "pakced"], "'pakced', did you mean packed"),
        (["chekc"], "choose from 'check', "),
        ([], "are required: COMMAND"),
    ],
)
def test_what_the_parser_refuses_is_one_sentence(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*arguments])
    out, err = capsys.readouterr()
    assert (ended.value.code, out, err.count("\n")) == (2, "", 1)
    assert says in err
    assert err.endswith(" --help`).\n")


def test_every_option_is_in_a_group_of_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["check", "--help"])
    help_text = capsys.readouterr().out
    flags = [f.metadata["option"].flag for f in fields(Options)]
    groups = help_text.partition("\nwhat is judged:\n")[2]
    for flag in filter(None, flags):
        shown = "TARGET" if flag == "target" else flag
        assert re.search(rf"^  (-\w, )?{shown}\b", groups, re.M), flag


def test_a_file_alone_lists_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "raise SystemExit\nclass Fast: pass\ndef slow(): pass\ndef _no(): pass\nLSTM = 1\n"
    )
    ended = run("check", "mine.py", cwd=tmp_path)
    assert ended.status == 2
    assert "write" not in ended.err
    assert "mine.py is a file" in ended.err
    assert "as mine.py:Fast; it defines Fast, slow, LSTM." in ended.err


@pytest.mark.parametrize("option", [["-x"], elsewhere(["--max-failures", "1"])])
def test_x_stops_at_the_first_failure(option: list[str], tmp_path: Path) -> None:
    (tmp_path / "zero.py").write_text(
        "import numpy as np\n\n\n"
        "def lstm(case, arguments):\n"
        "    zeros = np.zeros((*arguments['input'].shape[:2], case.config.hidden_size))\n"
        "    return zeros, zeros[-1:], zeros[-1:]\n"
    )
    ended = run(
        "check", "zero.py:lstm", *option, "--profile", "smoke", "--clause", "EQ", "-n", "0",
        "--no-diagnosis", cwd=tmp_path,
    )  # fmt: skip
    assert ended.status == 1, ended.err
    assert "stopped early: max-failures" in ended.out
    assert "diagnosis" not in ended.out


def test_clauses_that_cannot_be_asked_are_unsupported_in_a_run_that_stops() -> None:
    def zeros(case: Case, arguments: Any) -> Any:
        zeros = arguments["input"][..., :1].repeat(case.config.hidden_size, axis=-1) * 0
        return zeros, zeros[-1:], zeros[-1:]

    clauses = ["EQ-2", "SHAPE-1", "USE-24", "PARAM-1"]
    ended = check(zeros, profile="smoke", clauses=clauses, max_failures=1, diagnosis=False)
    found = {c["id"]: (c["verdict"], c["reasons"]) for c in ended.results["clauses"]}
    assert found["SHAPE-1"] == ("not tested", {"not reached": 1})
    assert found["USE-24"] == ("unsupported", {"no module": 1})
    assert found["PARAM-1"] == ("unsupported", {"no module": 1})
