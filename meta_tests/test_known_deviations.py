"""Files of known deviations: what they must contain, and those of the project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lstm_conformance.runner.judging.known_deviations import (
    CONDITIONS,
    Deviation,
    UsageError,
    of_version,
    read_known_deviations,
)
from lstm_conformance.spec.case import Case
from lstm_conformance.spec.config import LSTMConfig

from .helpers.command_line import check
from .helpers.selection import elsewhere

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


@pytest.mark.whole  # the tests of the suite, of torch.nn.LSTM by default, fail if one has gone
@pytest.mark.parametrize("target", ["torch.nn:LSTM", "torch-onednn-off"])
def test_the_known_deviations_of_torch_are_still_there(target: str, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    known = read_known_deviations(FILES[target])
    assert known
    clauses = [clause for deviation in known for clause in deviation.clauses]
    asked = [option for clause in clauses for option in ("--clause", clause)]
    options = ("--profile", "smoke", "--known-deviations", FILES[target].stem)
    ended, results = check(target, *options, *asked, "--clause", "EQ-2", cwd=tmp_path)
    assert {c["id"]: c["verdict"] for c in results["clauses"]} == {
        **dict.fromkeys(clauses, "waived"),
        "EQ-2": "pass",
    }
    assert ended.status == 0


VERSIONED = """
[[deviation]]
clause = "EQ-1"
when = { version = VERSION, packed = true }
reason = "x"
finding = "torch_x"
"""


def test_a_condition_on_the_version_is_read(tmp_path: Path) -> None:
    for text, versions in [
        ('">=2.13"', (">=2.13",)),
        ('">=2.3,<2.7"', (">=2.3,<2.7",)),
        ('["<2", ">=3"]', ("<2", ">=3")),
    ]:
        path = written(tmp_path, VERSIONED.replace("VERSION", text))
        (deviation,) = read_known_deviations(path)
        assert deviation == Deviation(
            ("EQ-1",), "x", "", {"packed": (True,)}, versions, ("torch_x",)
        )
        assert deviation.to_json()["versions"] == list(versions)
        assert deviation.to_json()["findings"] == ["torch_x"]
        assert deviation.to_json()["when"] == {"packed": [True]}


@pytest.mark.parametrize("text", ['"2.13"', '">=two"', '""', "2.13", "[]", '[">=2", 3]', "true"])
def test_what_is_no_specifier_is_refused(text: str, tmp_path: Path) -> None:
    path = written(tmp_path, VERSIONED.replace("VERSION", text))
    with pytest.raises(UsageError, match="entry 1: version is a specifier of PEP 440, as "):
        read_known_deviations(path)


@pytest.mark.parametrize(
    ("specifiers", "version", "holds"),
    [
        ((">=2.13",), "2.13.0+cpu", True),
        ((">=2.13",), "2.12.9", False),
        ((">=2.13",), "2.14.0.dev20260101", True),
        (("<=2.6.0",), "2.6.0+cu124", True),
        (("<2", ">=3"), "2.5", False),
        (("<2", ">=3"), "3.1rc1", True),
        ((), "any text", True),
    ],
)
def test_a_deviation_of_another_version_is_not_listed(
    specifiers: tuple[str, ...], version: str, holds: bool
) -> None:
    always = Deviation(("EQ-2",), "y")
    deviation = Deviation(("EQ-1",), "x", versions=specifiers)
    kept = of_version([deviation, always], "mine", version)
    assert kept == ((deviation, always) if holds else (always,))


def test_a_version_that_cannot_be_compared_is_refused() -> None:
    deviation = Deviation(("EQ-1",), "x", versions=(">=1",))
    with pytest.raises(UsageError, match="mine has the version '1 with 2', which cannot be"):
        of_version([deviation], "mine", "1 with 2")
    assert of_version([Deviation(("EQ-1",), "x")], "mine", "1 with 2")


WRONG = """
import torch

__version__ = "VERSION"


class LSTM(torch.nn.LSTM):
    def forward(self, *arguments):
        output, states = super().forward(*arguments)
        return 2 * output, states
"""


@pytest.mark.parametrize(
    ("version", "options", "status", "said"),
    [
        elsewhere("1.5", ("--isolate",), 0, "Gate: passed, with 1 known deviation."),
        ("1.4", ("--no-diagnosis",), 1, "Gate: failed. 1 clause that must hold is broken"),
        elsewhere(
            "1.4 of May", (), 2, "wrong.py:LSTM has the version '1.4 of May', which cannot be"
        ),
    ],
)
def test_the_version_of_the_implementation_decides(
    version: str, options: tuple[str, ...], status: int, said: str, tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    (tmp_path / "wrong.py").write_text(WRONG.replace("VERSION", version), "utf-8")
    known = written(
        tmp_path,
        '[[deviation]]\nclause = "EQ-6"\nwhen = { version = ">=1.5" }\nreason = "x"\n',
    )
    arguments = ("--clause", "EQ-6", "--clause", "PARAM-1", "--profile", "smoke")
    arguments += ("--known-deviations", str(known))
    ended, _ = check("wrong.py:LSTM", *arguments, *options, cwd=tmp_path)
    assert ended.status == status, ended
    assert said in ended.out + ended.err
    assert "Traceback" not in ended.err
