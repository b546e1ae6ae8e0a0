"""``lstm-conformance vectors``: the files are the same everywhere, and enough to judge an LSTM."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from lstm_conformance.reference.oracle import evaluate, expect
from lstm_conformance.runner.commands.vectors import exact, rounded_up
from lstm_conformance.runner.judging.comparison import ILL_CONDITIONED
from lstm_conformance.spec.case import Case
from lstm_conformance.spec.combinations import FACTORS, Combination

from .helpers.command_line import command, environment, run
from .helpers.multiprecision import multiprecise

ROOT = Path(__file__).parent.parent
PROTOCOL = json.loads(Path(ROOT, "docs", "protocol.schema.json").read_text())

# The checksum of all files of cases, the same on every machine.
CHECKSUM = "cb7d0bdc9715e604ddf3a4b4223120002bad40987458a228d9527d9ca116d2fb"

Tensors = Mapping[str, Any]
LSTM = Callable[[Case, Tensors, Tensors], Tensors]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The vectors, written by the command."""
    parent = tmp_path_factory.mktemp("vectors")
    ended = run("vectors", "new", cwd=parent)
    assert ended.status == 0, ended.err
    assert ended.out.startswith("67 cases, 2.6 MB")
    assert [path.name for path in parent.iterdir()] == ["new"], "nothing else is left behind"
    return parent / "new"


def index_of(folder: Path) -> dict[str, Any]:
    index: dict[str, Any] = json.loads(folder.joinpath("index.json").read_text("utf-8"))
    return index


def checksum(folder: Path) -> str:
    """The checksum of the files, without the index, which has the version of the package."""
    index = index_of(folder)
    for entry in index["cases"]:
        content = folder.joinpath(entry["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"]
    return hashlib.sha256("".join(e["sha256"] for e in index["cases"]).encode()).hexdigest()


def wrong_files(folder: Path, lstm: LSTM) -> list[str]:
    """The files by which ``lstm`` is wrong. This uses the folder and its rule, and nothing else."""
    index = index_of(folder)
    wrong = []
    for entry in index["cases"]:
        tensors = load_file(folder / entry["file"])
        given = {name: array for name, array in tensors.items() if array_is_given(name)}
        cotangents = {
            name.removesuffix(".cotangent"): array
            for name, array in tensors.items()
            if name.endswith(".cotangent")
        }
        results = lstm(Case.parse(entry["line"]), given, cotangents)
        names = [n.removesuffix(".expected") for n in tensors if n.endswith(".expected")]
        if not all(
            results[name].shape == tensors[f"{name}.expected"].shape
            and np.all(
                np.abs(np.asarray(results[name], np.float64) - tensors[f"{name}.expected"])
                <= index["threshold"] * tensors[f"{name}.noise"]
            )
            for name in names
        ):
            wrong.append(entry["file"])
    return wrong


def array_is_given(name: str) -> bool:
    return not name.endswith((".expected", ".noise", ".cotangent"))


# ------------------------------------------------------------------ the files


@pytest.mark.whole
def test_every_machine_writes_the_same(folder: Path, tmp_path: Path) -> None:
    """The other process computes with the kernels of an old processor."""
    found = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    old = {"NPY_DISABLE_CPU_FEATURES": " ".join(found), "OPENBLAS_CORETYPE": "Nehalem"}
    subprocess.run(
        command("vectors", "old"), cwd=tmp_path, env={**environment(), **old}, check=True
    )
    assert checksum(folder) == checksum(tmp_path / "old") == CHECKSUM


@pytest.mark.whole
def test_noise_is_that_of_the_oracle_and_does_not_depend_on_last_bits(folder: Path) -> None:
    for entry in index_of(folder)["cases"]:
        case = Case.parse(entry["line"])
        tensors = load_file(folder / entry["file"])
        for spread in expect(case, "float32").noise.values():
            # Machines differ by 4e-9.
            assert np.array_equal(rounded_up(spread * (1 - 3e-8)), rounded_up(spread * (1 + 3e-8)))
        expectation = expect(case)
        for name, noise in expectation.noise.items():
            written = tensors[f"{name}.noise"]
            unit = case.precision.unit_roundoff
            allowed = np.maximum(noise, unit * np.abs(expectation.values[name]))
            assert np.array_equal(written == 0, noise == 0)
            assert np.all((allowed / 5 <= written) & (written <= allowed * 5))
            # So well-conditioned that errors add up, and do not multiply.
            assert written.max() <= ILL_CONDITIONED / 10 * np.abs(expectation.values[name]).max()


def test_expected_numbers_are_the_nearest_to_the_true_ones() -> None:
    """Shown with another arithmetic of many digits."""
    case = Case.parse(
        "v1 input_size=3 hidden_size=3 num_layers=2 bidirectional=True proj_size=2 seq_len=4 "
        "batch_size=2 layout=packed_unsorted lengths=3,4 states=True weight_scale=3.0 "
        "cotangents=output,h_n,c_n"
    )
    results = evaluate(case, multiprecise(case.arguments()), multiprecise(case.cotangent_values()))
    for name, expected in exact(case).items():
        assert np.array_equal(expected, np.asarray(results[name]).astype(float)), name


def test_files_hold_what_the_protocol_names(folder: Path) -> None:
    of_case = set(PROTOCOL["$defs"]["request"]["properties"]["case"]["properties"])
    for entry in index_of(folder)["cases"]:
        assert set(entry) == of_case | {"file", "sha256", "purpose", "line"}
        case = Case.parse(entry["line"])
        stated = {**vars(case.config), **vars(case)}
        for name in of_case:
            value = stated[name]
            assert entry[name] == (list(value) if isinstance(value, tuple) else value)
        tensors = load_file(folder / entry["file"])
        given = {
            **case.arguments(),
            **{f"{name}.cotangent": array for name, array in case.cotangent_values().items()},
        }
        for name, array in given.items():
            assert tensors[name].dtype == case.dtype
            assert np.array_equal(tensors[name], array)
        results = {f"{name}.{of}" for name in case.result_names() for of in ("expected", "noise")}
        assert set(tensors) == set(given) | results
        assert {tensors[name].dtype for name in results} == {np.dtype("float64")}


def test_every_three_choices_occur_together(folder: Path) -> None:
    entries = index_of(folder)["cases"]
    visited = [asdict(Combination.of(Case.parse(entry["line"]))) for entry in entries]
    for names in combinations(FACTORS, 3):
        seen = {tuple(combination[name] for name in names) for combination in visited}
        assert seen >= set(product(*(FACTORS[name] for name in names))), names


def test_sizes_of_the_combinations_differ(folder: Path) -> None:
    for entry in index_of(folder)["cases"]:
        if entry["purpose"] == "choices in combination":
            sizes = [entry[name] for name in ("input_size", "hidden_size", "seq_len")]
            sizes += [entry["batch_size"]] + [entry["proj_size"]] * (entry["proj_size"] > 0)
            assert len(set(sizes)) == len(sizes)


# ------------------------------------------------------------------ judging by them


def test_the_reference_in_the_precision_of_a_case_is_right(folder: Path) -> None:
    assert wrong_files(folder, evaluate) == []


def gates_in_order_iofg(case: Case, given: Tensors, cotangents: Tensors) -> Tensors:
    def exchanged(name: str, array: Any) -> Any:
        if not name.startswith(("weight_ih", "weight_hh", "bias")):
            return array
        i, f, g, o = np.split(array, 4)
        return np.concatenate([i, f, o, g])

    swapped = {name: exchanged(name, array) for name, array in given.items()}
    results = evaluate(case, swapped, cotangents)
    return {name: exchanged(name, array) for name, array in results.items()}


def all_in_float32(case: Case, given: Tensors, cotangents: Tensors) -> Tensors:
    given, cotangents = (
        {name: array.astype(np.float32) for name, array in arrays.items()}
        for arrays in (given, cotangents)
    )
    return evaluate(case, given, cotangents)


def zeros_not_exact(case: Case, given: Tensors, cotangents: Tensors) -> Tensors:
    results = dict(evaluate(case, given, cotangents))
    output = np.array(results["output"])
    output[output == 0] = 1e-300 if case.dtype == "float64" else 1e-40
    return {**results, "output": output}


def test_defects_without_torch(folder: Path) -> None:
    cases = {entry["file"]: Case.parse(entry["line"]) for entry in index_of(folder)["cases"]}
    assert wrong_files(folder, gates_in_order_iofg) == list(cases)
    assert wrong_files(folder, all_in_float32) == [
        file for file, case in cases.items() if case.dtype == "float64"
    ]
    assert wrong_files(folder, zeros_not_exact) == [
        file for file in cases if (load_file(folder / file)["output.noise"] == 0).any()
    ]


@pytest.mark.parametrize(
    "defect",
    [
        "combinations:GradientOfC0MissingUnderIdleDropout",
        "equations.parameters:BiasHHIgnored",
        "gradients.cotangents:CotangentOfCNIgnored",
        "packed:InitialStatesNotSorted",
        "equations.cell:TanhSaturatesAt4",
    ],
)
def test_defects(folder: Path, defect: str) -> None:
    pytest.importorskip("torch")
    from lstm_conformance.adapters.target import load

    implementation = load(f"lstm_conformance.defects.{defect}")

    def lstm(case: Case, given: Tensors, cotangents: Tensors) -> Tensors:
        named = {f"cotangent of {name}": array for name, array in cotangents.items()}
        observation = implementation.run(case.with_values({**given, **named}))
        return {name: tensor.values for name, tensor in observation.tensors.items()}

    assert wrong_files(folder, lstm)


# ------------------------------------------------------------------ without Python


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_the_reader_in_c(folder: Path, tmp_path: Path) -> None:
    reader = tmp_path / "read_vectors"
    source = ROOT / "examples" / "c" / "read_vectors.c"
    flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic"]
    subprocess.run(["cc", *flags, str(source), "-o", str(reader)], check=True)

    def read(*arguments: str, given: str = "") -> tuple[int, str]:
        done = subprocess.run(
            [str(reader), *arguments], input=given, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout

    for file in (folder / "01.safetensors", folder / "02.safetensors"):  # float64, float32
        for name, array in load_file(file).items():
            status, printed = read(str(file), name)
            assert status == 0
            assert np.array_equal(np.array(printed.split(), float), array.ravel())
        _, output = read(str(file), "output.expected")
        assert read(str(file), "output", "-", given=output) == (0, "")
        first, *rest = output.split()
        off = " ".join([str(float(first) * 1.001), *rest])
        assert read(str(file), "output", "-", given=off)[0] == 1
        assert read(str(file), "output", "-", given=" ".join(["nan", *rest]))[0] == 1
        assert read(str(file), "output", "-", given=" ".join(rest))[0] == 1
        assert read(str(file), "output", "-", given=f"{output} 0")[0] == 1
        assert read(str(file), "outpu")[0] == 2
    assert read(str(folder / "index.json"), "output")[0] == 2
    assert read(str(folder / "none"), "output")[0] == 2
    assert read()[0] == 2


def octave(program: str) -> tuple[int, str]:
    """Runs Octave beside the examples. If it is missing, tests fail only where tox demands it."""
    path = shutil.which("octave-cli")
    if path is None:
        if os.environ.get("LSTM_CONFORMANCE_OCTAVE"):
            pytest.fail("Octave is not installed")
        pytest.skip("Octave is not installed")
    folder = str(ROOT / "examples" / "octave")
    done = subprocess.run(
        [path, "--no-history", "--norc", "--path", folder, "--eval", program],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


# An LSTM of a user, in which the output gate and the candidate are exchanged.
WRONG_IN_OCTAVE = """
function [output, h_n, c_n] = wrong(c, t)
  for name = fieldnames(t)'
    if any(regexp(name{1}, '^(weight_ih|weight_hh|bias_ih|bias_hh)_l\\d(_reverse)?$'))
      gates = reshape(t.(name{1})', c.hidden_size, 4, [])(:, [1 2 4 3], :);
      t.(name{1}) = reshape(gates, size(t.(name{1})'))';
    end
  end
  [output, h_n, c_n] = lstm_forward(c, t);
end
"""


def test_the_program_in_octave(folder: Path) -> None:
    status, out = octave(f"judge_vectors('{folder}')")
    assert (status, out) == (0, "67 cases right, 0 wrong, 0 not supported.\n")


def test_the_program_in_octave_finds_gates_in_another_order(folder: Path, tmp_path: Path) -> None:
    tmp_path.joinpath("wrong.m").write_text(WRONG_IN_OCTAVE)
    status, out = octave(f"addpath('{tmp_path}'); judge_vectors('{folder}', @wrong)")
    assert status == 1
    assert "01.safetensors is wrong: " in out
    assert out.endswith("0 cases right, 67 wrong, 0 not supported.\n")


# ------------------------------------------------------------------ refusals


def test_folders_that_are_refused(tmp_path: Path) -> None:
    tmp_path.joinpath("full").mkdir()
    tmp_path.joinpath("full", "mine").touch()
    for folder, says in {
        "full": "full cannot be written: it is not empty.",
        "full/mine": "it is not a folder",
        "no/such": "there is no folder no",
        ".": "it is the current folder",
    }.items():
        ended = run("vectors", folder, cwd=tmp_path)
        assert (ended.status, ended.out) == (2, "")
        assert says in ended.err
        assert "Traceback" not in ended.err
    assert [path.name for path in tmp_path.rglob("*")] == ["full", "mine"]


def test_an_empty_folder_is_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import lstm_conformance.runner.commands.vectors as module

    first = next(module.cases())
    monkeypatch.setattr(module, "cases", lambda: iter([first]))
    tmp_path.joinpath("empty").mkdir()
    from lstm_conformance.runner.commands.main import main

    assert main(["vectors", str(tmp_path / "empty")]) == 0
    assert len(index_of(tmp_path / "empty")["cases"]) == 1
    assert sorted(path.name for path in tmp_path.rglob("*")) == [
        "01.safetensors", "empty", "index.json",
    ]  # fmt: skip


def test_without_safetensors(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['safetensors'] = None; "
        "from lstm_conformance.runner.commands.main import main; sys.exit(main(['vectors', 'new']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "pip install 'lstm-conformance[programs]'" in done.stderr
    assert list(tmp_path.iterdir()) == []
