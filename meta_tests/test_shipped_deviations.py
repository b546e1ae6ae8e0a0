"""Known deviations that are shipped: they are named, and files of the same name go first."""

from __future__ import annotations

from pathlib import Path

import pytest

from lstm_conformance import check as check_in_python
from lstm_conformance.runner.judging.shipped_deviations import (
    file_of_known_deviations,
    shipped_deviations,
)
from lstm_conformance.runner.session.settings_file import read_settings
from lstm_conformance.spec.usage_error import UsageError

from .helpers.command_line import check

ROOT = Path(__file__).parents[1]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, which is empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_all_files_of_the_project_are_shipped() -> None:
    shipped = shipped_deviations()
    files = {file.stem: file for file in (ROOT / "reports" / "known_deviations").iterdir()}
    assert "torch" in shipped
    assert set(shipped) == set(files)
    for name, file in shipped.items():
        assert file.read_bytes() == files[name].read_bytes()
        use = [line for line in file.read_text("utf-8").splitlines() if "# Use: " in line]
        assert all(line.endswith(f" --known-deviations {name}") for line in use)


def test_a_name_means_the_file_that_is_shipped(folder: Path) -> None:
    file = file_of_known_deviations(Path("torch"))
    assert file == shipped_deviations()["torch"]
    (folder / "torch").mkdir()
    assert file_of_known_deviations(Path("torch")) == file, "a folder is no file"


@pytest.mark.parametrize("path", ["torch.toml", "known/torch", "/torch", "missing.toml"])
def test_a_path_means_itself(path: str, folder: Path) -> None:
    assert file_of_known_deviations(Path(path)) == Path(path)


def test_a_file_of_the_same_name_goes_first(folder: Path) -> None:
    Path("torch").write_text("")
    assert file_of_known_deviations(Path("torch")) == Path("torch")


def test_an_unknown_name_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"no file torhc, .* this name, did you mean torch\?$"):
        file_of_known_deviations(Path("torhc"))
    with pytest.raises(UsageError, match=r"this name: choose from equinox, .*, torch, .*\.$"):
        file_of_known_deviations(Path("qqqq"))
    with pytest.raises(UsageError, match=r"^(There is no file )?x{80}[, ]"):
        file_of_known_deviations(Path("x" * 5000))
    ended, results = check("reference", "--known-deviations", "torhc", cwd=folder)
    assert (ended.status, results) == (2, {})
    assert ended.err.count("\n") == 1
    assert "did you mean torch?" in ended.err


@pytest.mark.whole
def test_the_process_of_isolated_cases_finds_them(folder: Path) -> None:
    pytest.importorskip("torch")
    asked = ("--clause", "USE-36", "--clause", "EQ-2", "--profile", "smoke", "--isolate")
    ended, results = check("torch.nn:LSTM", "--known-deviations", "torch", *asked, cwd=folder)
    assert ended.status == 0
    assert {clause["id"]: clause["verdict"] for clause in results["clauses"]} == {
        "USE-36": "waived",
        "EQ-2": "pass",
    }


def test_they_are_named_in_python() -> None:
    torch = pytest.importorskip("torch")
    asked = {"clauses": ["USE-36", "EQ-2"], "profile": "smoke"}
    assert check_in_python(torch.nn.LSTM, known_deviations="torch", **asked).gate_passed


def test_a_setting_names_them_from_any_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = '[tool.lstm-conformance]\nknown-deviations = "torch"\n'
    Path("pyproject.toml").write_text(settings)
    (folder / "inner").mkdir()
    monkeypatch.chdir(folder / "inner")
    assert read_settings(Path.cwd()).values["known_deviations"] == Path("torch")
    (folder / "torch").write_text("")
    assert read_settings(Path.cwd()).values["known_deviations"] == Path("../torch")
