"""Files of known deviations: what they must contain, and those of the project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lstm_conformance.runner.judging.known_deviations import (
    CONDITIONS,
    Deviation,
    UsageError,
    read_known_deviations,
)
from lstm_conformance.spec.case import Case
from lstm_conformance.spec.config import LSTMConfig

from .helpers.command_line import check

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
    assert read_known_deviations(path) == (Deviation(("EQ-1",), "x", "y"),)
    assert read_known_deviations(written(tmp_path, "")) == ()


def test_read_conditions(tmp_path: Path) -> None:
    entry = 'clause = ["EQ-1", "EQ-2"]\nreason = "x"\nwhen = {packed = true, dropout = [0, 0.5]}'
    (deviation,) = read_known_deviations(written(tmp_path, f"[[deviation]]\n{entry}\n"))
    assert deviation.clauses == ("EQ-1", "EQ-2")
    assert deviation.when == {"packed": (True,), "dropout": (0.0, 0.5)}


CASE = Case(LSTMConfig(2, 3, proj_size=1), seq_len=4, batch_size=2, cotangents=("output",))


@pytest.mark.parametrize(
    ("when", "applies"),
    [
        ({}, True),
        ({"packed": (False,)}, True),
        ({"packed": (True,)}, False),
        ({"projection": (True,), "seq_len": (3, 4)}, True),
        ({"projection": (True,), "seq_len": (3,)}, False),
        ({"gradients": (True,)}, True),
        ({"gradients": (False,)}, False),
        ({"num_layers": (1,), "dtype": ("float32", "float64")}, True),
        ({"dtype": ("float32",)}, False),
    ],
)
def test_conditions_on_the_case(when: dict[str, tuple[Any, ...]], applies: bool) -> None:
    deviation = Deviation(("EQ-1",), "x", when=when)
    assert deviation.applies("EQ-1", CASE) is applies
    assert not deviation.applies("EQ-2", CASE)


def test_every_condition_is_of_a_case() -> None:
    assert {"hidden_size", "bias", "dtype", "training", "weight_scale"} < set(CONDITIONS)
    for name, kind in CONDITIONS.items():
        value = getattr(CASE, name, getattr(CASE.config, name, True))
        assert type(value) is kind
        assert Deviation(("EQ-1",), "x", when={name: (value,)}).applies("EQ-1", CASE)


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
        ('deviation = ["EQ-1"]', "is no table"),
        ('[[deviation]]\nclause = []\nreason = "x"', "needs a clause and a reason"),
        ('[[deviation]]\nclause = "EQ-1"\nreason = "x"\nwhen = 1', "when is a table"),
        ('[[deviation]]\nclause = "EQ-1"\nreason = "x"\nwhen = {size = 1}', "no condition 'size'"),
        (
            '[[deviation]]\nclause = "EQ-1"\nreason = "x"\nwhen = {bias = 1}',
            "compared with bool, not with 1",
        ),
        (
            '[[deviation]]\nclause = "EQ-1"\nreason = "x"\nwhen = {num_layers = []}',
            "compared with int",
        ),
        ("x = " + "[" * 9000, "is no TOML"),
    ],
)
def test_malformed_files_are_refused_in_one_sentence(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        read_known_deviations(written(tmp_path, text))


def test_bad_file_on_the_command_line(tmp_path: Path) -> None:
    for file in (written(tmp_path, "x"), tmp_path / "missing.toml"):
        ended, results = check("reference", "--known-deviations", str(file), cwd=tmp_path)
        assert ended.status == 2
        assert not results
        assert "Traceback" not in ended.err
        assert file.name in ended.err


@pytest.mark.parametrize("target", FILES)
def test_the_known_deviations_of_torch_are_still_there(target: str, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    known = read_known_deviations(FILES[target])
    assert known
    clauses = [clause for deviation in known for clause in deviation.clauses]
    asked = [option for clause in clauses for option in ("--clause", clause)]
    options = ("--profile", "smoke", "--known-deviations", str(FILES[target]))
    ended, results = check(target, *options, *asked, "--clause", "EQ-2", cwd=tmp_path)
    assert {c["id"]: c["verdict"] for c in results["clauses"]} == {
        **dict.fromkeys(clauses, "waived"),
        "EQ-2": "pass",
    }
    assert ended.status == 0
