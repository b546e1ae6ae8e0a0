"""Settings of ``check`` in ``pyproject.toml``: found upwards, and the command line comes first."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

import pytest

from lstm_conformance.runner.commands.check import check_options
from lstm_conformance.runner.session.options import Options, settings_by_key
from lstm_conformance.runner.session.settings_file import read_settings
from lstm_conformance.spec.usage_error import UsageError

from .helpers.command_line import check, run

SETTINGS = """
[project]
name = "mine"

[tool.lstm-conformance]
target = "lstm.py:FastLSTM"
profile = "smoke"
without = ["packed", "states"]
known-deviations = "known.toml"
strict = true
max-time = 90
seed = 7
dtype = "float64"
"""


def asked(*arguments: str) -> Options:
    """The options of a command line in the working folder."""
    parser = ArgumentParser()
    Options.add_to_command(parser)
    return check_options(parser.parse_args(arguments))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with settings."""
    (tmp_path / "pyproject.toml").write_text(SETTINGS, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_settings_stand_for_options(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked() == Options(
        target="lstm.py:FastLSTM",
        profile="smoke",
        without=("packed", "states"),
        known_deviations=Path("known.toml"),
        strict=True,
        max_time=90.0,
        seed=7,
        dtypes=("float64",),
    )
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "The settings in pyproject.toml are used: target lstm.py:FastLSTM, profile smoke, "
        "without packed and states, known-deviations known.toml, strict true, max-time 90, "
        "seed 7, dtype float64.\n"
    )
    asked("--quiet")
    assert capsys.readouterr().err == ""


def test_the_command_line_comes_first(project: Path) -> None:
    options = asked("--profile", "default", "--without", "dropout", "--max-time", "5m")
    assert (options.profile, options.without, options.max_time) == ("default", ("dropout",), 300)
    assert options.seed == 7
    options = asked("--seed", "0", "-n", "0")
    assert (options.seed, options.workers) == (0, 0), "zero is a value"


def test_what_the_command_line_replaces_is_not_said_to_be_used(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked("--without", "dropout", "--seed", "0", "--max-time", "5m")
    assert capsys.readouterr().err == (
        "The settings in pyproject.toml are used: target lstm.py:FastLSTM, profile smoke, "
        "known-deviations known.toml, strict true, dtype float64.\n"
    )
    asked("--case", "v1 input_size=1 hidden_size=1")
    assert "max-time" not in capsys.readouterr().err, "it does not go with --case"
    text = SETTINGS.partition("[tool.lstm-conformance]")[1]
    (project / "pyproject.toml").write_text(f"{text}\nseed = 7\n", "utf-8")
    (project / "pyproject.toml").write_text(f"{text}\nprofile = 'default'\nseed = 7\n", "utf-8")
    asked("reference")
    says = "The settings in pyproject.toml are used: profile default, seed 7.\n"
    assert capsys.readouterr().err == says, "one of them is the default"
    asked("reference", "--seed", "7", "--profile", "smoke")
    says = "The settings in pyproject.toml are replaced by the command line.\n"
    assert capsys.readouterr().err == says


def test_settings_for_another_target_are_not_used(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (("reference",), ("--exec", "./lstm")):
        options = asked(*words)
        assert (options.profile, options.known_deviations) == ("default", None)
        says = "The settings in pyproject.toml are for lstm.py:FastLSTM, and not used.\n"
        assert capsys.readouterr().err == says
    assert asked("lstm.py:FastLSTM").profile == "smoke", "it is the same one"
    text = SETTINGS.replace('target = "lstm.py:FastLSTM"', "isolate = true")
    (project / "pyproject.toml").write_text(text, "utf-8")
    assert asked("reference").profile == "smoke"
    assert asked("--exec", "./lstm").isolate is False, "it does not go with --exec"


def test_settings_are_found_upwards(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths are relative to the folder of the file; files without the table are passed over."""
    inner = project / "a" / "b"
    inner.mkdir(parents=True)
    (project / "a" / "pyproject.toml").write_text("[tool.other]\n", "utf-8")
    monkeypatch.chdir(inner)
    options = asked()
    assert options.target == "../../lstm.py:FastLSTM"
    assert options.known_deviations == Path("../../known.toml")
    assert read_settings(inner).name == "../../pyproject.toml"
    more = (
        '[tool.lstm-conformance]\ntarget = "package.rnn:LSTM"\npython = "env/bin/python"\n'
        'examples = ["kept", "redis://host", "github:me/mine"]\n'
    )
    (project / "a" / "pyproject.toml").write_text(more, "utf-8")
    values = read_settings(inner).values
    assert values["target"] == "package.rnn:LSTM"
    assert values["python"] == "../env/bin/python"
    assert values["examples"] == ("../kept", "redis://host", "github:me/mine")
    more = '[tool.lstm-conformance]\npython = "python3.10"\n'
    (project / "a" / "pyproject.toml").write_text(more, "utf-8")
    assert read_settings(inner).values == {"python": "python3.10"}


def test_without_settings_nothing_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert asked("reference") == Options(target="reference")
    (tmp_path / "pyproject.toml").write_text("[tool]\nlstm = 1\n", "utf-8")
    assert asked("reference") == Options(target="reference")
    assert capsys.readouterr().err == ""
    with pytest.raises(UsageError, match=r"give a TARGET .* or a target in pyproject.toml\."):
        asked()


def test_options_that_are_given_for_one_run_are_no_settings() -> None:
    keys = settings_by_key()
    assert keys["known-deviations"] == "known_deviations"
    assert keys["only"] == "kinds"
    for key in ("case", "shard", "json", "baseline", "resume", "quiet", "-n", "n", ""):
        assert key not in keys


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("profil = 'smoke'", "there is no setting 'profil', did you mean profile: choose from"),
        ("known_deviations = 'x'", "'known_deviations', did you mean known-deviations: choose"),
        ("json = 'x'", "there is no setting 'json': choose from target, "),
        ("profile = 3", ", profile: a text is needed, not 3."),
        ("profile = 'smok'", ", profile: there is no profile 'smok', did you mean smoke: choose"),
        ("without = ['pakced']", ", without: there is no capability 'pakced', did you mean packed"),
        ("without = [1]", ", without: a text or a list of texts is needed, not [1]."),
        ("without = true", ", without: a text or a list of texts is needed, not true."),
        ("strict = 'yes'", ', strict: true or false is needed, not "yes".'),
        ("strict = 1", ", strict: true or false is needed, not 1."),
        ("seed = true", ", seed: a number is needed, not true."),
        ("seed = 1.5", ", seed: '1.5' is no whole number"),
        ("seed = '7'", ', seed: a number is needed, not "7".'),
        ("time-limit = inf", ", time-limit: 'inf' is no number above 0"),
        ("max-time = []", ", max-time: a number or a text is needed, not []."),
        ("max-time = 'soon'", ", max-time: 'soon' is no time"),
        ("clause = 'EQ-999'", ", clause: there is no clause 'EQ-999'"),
        ("[tool", "pyproject.toml is no TOML: "),
        ("a = 1\n[[tool.lstm-conformance]]", "pyproject.toml is no TOML: "),
    ],
)
def test_settings_that_make_no_sense_are_refused_in_one_sentence(
    text: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pyproject.toml").write_text(f"[tool.lstm-conformance]\n{text}\n", "utf-8")
    with pytest.raises(UsageError) as raised:
        asked("reference")
    assert str(raised.value).startswith("pyproject.toml")
    assert says in str(raised.value)
    assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"[tool]\nlstm-conformance = 1\n", "[tool.lstm-conformance] is no table."),
        (b"\xff", "pyproject.toml is no TOML: "),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(
    content: bytes, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pyproject.toml").write_bytes(content)
    with pytest.raises(UsageError) as raised:
        asked("reference")
    assert says in str(raised.value)


@pytest.mark.whole
def test_check_judges_the_target_of_the_file(tmp_path: Path) -> None:
    text = '[tool.lstm-conformance]\ntarget = "reference"\nprofile = "smoke"\nclause = "EQ-1"\n'
    (tmp_path / "pyproject.toml").write_text(text, "utf-8")
    (tmp_path / "inner").mkdir()
    ended = run("check", "-n", "0", cwd=tmp_path / "inner")
    assert ended.status == 0, ended.err
    assert ended.err.startswith("The settings in ../pyproject.toml are used: target reference, ")
    assert "profile smoke" in ended.out
    (tmp_path / "pyproject.toml").write_text(text.replace("profile", "profil"), "utf-8")
    ended, results = check("reference", cwd=tmp_path)
    assert (ended.status, ended.out, results) == (2, "", {})
    assert ended.err.startswith("lstm-conformance: pyproject.toml, [tool.lstm-conformance]: there ")
    assert ended.err.count("\n") == 1
