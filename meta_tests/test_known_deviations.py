"""Files of known deviations: what they must say, and those that the project has."""

from __future__ import annotations

from pathlib import Path

import pytest

from lstm_conformance.known_deviations import (
    Deviation,
    KnownDeviationsError,
    read_known_deviations,
)

from .command_line import check

ROOT = Path(__file__).parents[1]
FILES = {
    target: ROOT / "reports" / "known_deviations" / f"{name}.toml"
    for target, name in (("torch.nn:LSTM", "torch"), ("torch-onednn-off", "torch-onednn-off"))
}


def written(folder: Path, text: str) -> Path:
    path = folder / "known.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_read(tmp_path: Path) -> None:
    path = written(tmp_path, '[[deviation]]\nclause = "EQ-1"\nreason = "x"\nlink = "y"\n')
    assert read_known_deviations(path) == {"EQ-1": Deviation("EQ-1", "x", "y")}
    assert read_known_deviations(written(tmp_path, "")) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[deviation]", "is no TOML"),
        ("x = 1", "has to consist of"),
        ("deviation = 1", "has to consist of"),
        ('[[deviation]]\nclause = "EQ-1"', "needs a clause and a reason"),
        ('[[deviation]]\nclause = "EQ-1"\nreason = " "', "needs a clause and a reason"),
        ('[[deviation]]\nreason = "x"', "needs a clause and a reason"),
        ('[[deviation]]\nclause = "EQ-999"\nreason = "x"', "no clause 'EQ-999'"),
        ('[[deviation]]\nclause = 1\nreason = "x"', "are texts"),
        ('[[deviation]]\nclause = "EQ-1"\nreason = "x"\ncases = "all"', "there is no cases"),
        ('[[deviation]]\nclause = "EQ-1"\nreason = "x"\n' * 2, "two entries"),
    ],
)
def test_what_cannot_be_used_is_told_in_a_sentence(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(KnownDeviationsError, match=message):
        read_known_deviations(written(tmp_path, text))


def test_bad_file_on_the_command_line(tmp_path: Path) -> None:
    for file in (written(tmp_path, "x"), tmp_path / "missing.toml"):
        ended, results = check("reference", "--known-deviations", str(file), cwd=tmp_path)
        assert ended.status == 2
        assert not results
        assert "Traceback" not in ended.err
        assert file.name in ended.err


@pytest.mark.parametrize("target", FILES)
def test_those_of_torch_are_deviations_still(target: str, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    known = read_known_deviations(FILES[target])
    assert known
    clauses = [option for clause in known for option in ("--clause", clause)]
    options = ("--profile", "smoke", "--known-deviations", str(FILES[target]))
    ended, results = check(target, *options, *clauses, "--clause", "EQ-2", cwd=tmp_path)
    assert {c["id"]: c["verdict"] for c in results["clauses"]} == {
        **dict.fromkeys(known, "waived"),
        "EQ-2": "pass",
    }
    assert ended.status == 0
