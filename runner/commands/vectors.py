"""``lstm-conformance vectors``: writes cases and expected results, for tests without Python."""

from __future__ import annotations

import hashlib
import json
import tempfile
from argparse import Namespace
from collections.abc import Iterator, Mapping
from decimal import Context, Decimal, localcontext
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from ... import __version__
from ...reference.oracle import evaluate, expect
from ...reports.writing import cannot_create_in
from ...spec.case import OUTPUTS, Case
from ...spec.case_fields import case_fields
from ...spec.clean_text import counted
from ...spec.combinations import DROPOUT_PROBABILITIES, Combination, covering_array
from ...spec.config import LSTMConfig
from ...spec.precision import PRECISIONS
from ...spec.usage_error import UsageError
from ..judging.comparison import THRESHOLD

__all__ = ["cases", "exact", "noise", "rounded_up", "tensors", "vectors"]

Array = NDArray[np.float64]

# Of index.json. A change that readers of the old version would get wrong changes it.
SCHEMA_VERSION = 1

RULE = (
    "For every element of every result NAME, in float64: "
    "abs(observed - NAME.expected) <= threshold * NAME.noise. "
    "Where the noise is 0, the result has to be equal. NaN is wrong."
)

# ------------------------------------------------------------------ cases

# input_size, hidden_size, proj_size, seq_len, and the lengths of the rows if they are packed. All
# sizes of a case differ, so that two axes cannot be confused.
_SIZES: tuple[tuple[int, int, int, int, tuple[int, ...]], ...] = (
    (3, 5, 2, 4, (2, 4, 1, 3, 4, 1)),
    (5, 4, 3, 6, (3, 6)),
    (2, 6, 4, 5, (4, 1, 5)),
    (4, 3, 2, 7, (5, 1, 7, 2, 5)),
)

# Purpose of each case to the fields in its line. All outputs have cotangents, unless the line names
# some.
_FIRST = {
    "the plainest case": "input_size=2 hidden_size=3 seq_len=4 batch_size=5",
    "the plainest case in float32": "input_size=2 hidden_size=3 seq_len=4 batch_size=5 "
    "dtype=float32",
    "one number of everything": "input_size=1 hidden_size=1 states=True",
    "one unit, several steps": "input_size=2 hidden_size=1 seq_len=4 batch_size=3",
}
_FURTHER = {
    "equal sizes": "input_size=3 hidden_size=3 num_layers=2 batch_first=True bidirectional=True "
    "seq_len=3 batch_size=3 states=True",
    "rows of equal lengths": "input_size=2 hidden_size=3 seq_len=4 batch_size=3 "
    "layout=packed_sorted lengths=4,4,4 states=True",
    "one step": "input_size=3 hidden_size=2 num_layers=2 bidirectional=True batch_size=4 "
    "states=True",
    "cotangent of output only": "input_size=3 hidden_size=4 num_layers=2 bidirectional=True "
    "seq_len=5 batch_size=2 states=True cotangents=output",
    "cotangent of h_n only": "input_size=3 hidden_size=4 num_layers=2 bidirectional=True "
    "seq_len=5 batch_size=2 states=True cotangents=h_n",
    "cotangent of c_n only": "input_size=3 hidden_size=4 num_layers=2 bidirectional=True "
    "seq_len=5 batch_size=2 states=True cotangents=c_n",
    "cell states beyond 3": "input_size=3 hidden_size=4 seq_len=2 batch_size=5 states=True "
    "state_scale=8.0",
    "h_0 given, c_0 zero": "input_size=3 hidden_size=4 seq_len=2 batch_size=5 states=True "
    "state_scale=0.0",
    "saturated gates": "input_size=3 hidden_size=4 seq_len=5 batch_size=2 weight_scale=10.0 "
    "input_scale=3.0",
    "preactivations beyond 100": "input_size=3 hidden_size=4 batch_size=5 weight_scale=100.0 "
    "input_scale=5.0 dtype=float32",
    "four layers": "input_size=3 hidden_size=2 num_layers=4 seq_len=5 batch_size=4",
    "more than 100 steps, packed": "input_size=2 hidden_size=3 bidirectional=True proj_size=1 "
    "seq_len=105 batch_size=2 layout=packed_unsorted lengths=70,105 dtype=float32",
    "more than 32 rows, packed": "input_size=1 hidden_size=2 seq_len=2 batch_size=33 "
    f"layout=packed_sorted lengths={','.join('2' * 20 + '1' * 13)} states=True",
    "more than 64 features of input": "input_size=66 hidden_size=2 seq_len=3 batch_size=4",
    "more than 64 features between layers": "input_size=2 hidden_size=33 num_layers=2 "
    "bidirectional=True seq_len=3 dtype=float32",
    "more than 64 features of a projection": "input_size=2 hidden_size=67 proj_size=66 seq_len=3 "
    "dtype=float32",
    "more than 128 units": "input_size=2 hidden_size=130 bidirectional=True proj_size=3 seq_len=4 "
    "states=True dtype=float32",
}


def cases() -> Iterator[tuple[str, Case]]:
    """The purpose of each case, and the case. They are the same in every run."""
    for purpose, words in _FIRST.items():
        yield purpose, _parsed(words)
    for number, combination in enumerate(covering_array()):
        yield "choices in combination", _case(number, combination)
    for purpose, words in _FURTHER.items():
        yield purpose, _parsed(words)


def _parsed(words: str) -> Case:
    cotangents = "" if "cotangents=" in words else f" cotangents={','.join(OUTPUTS)}"
    return Case.parse(f"v1 {words}{cotangents}")


def _case(number: int, combination: Combination) -> Case:
    input_size, hidden_size, proj_size, seq_len, lengths = _SIZES[number % len(_SIZES)]
    if combination.layout == "packed_sorted":
        lengths = tuple(sorted(lengths, reverse=True))
    return Case(
        LSTMConfig(
            input_size,
            hidden_size,
            combination.num_layers,
            combination.bias,
            combination.batch_first,
            DROPOUT_PROBABILITIES[combination.dropout][0],
            combination.bidirectional,
            proj_size if combination.projection else 0,
        ),
        seq_len=seq_len,
        batch_size=1 if combination.layout == "unbatched" else len(lengths),
        layout=combination.layout,
        lengths=lengths if combination.layout.startswith("packed") else (),
        dtype=combination.dtype,
        training=combination.dropout == "one",
        states=combination.states,
        cotangents=OUTPUTS,
        seed=number,
    )


# ------------------------------------------------------------------ expected results

# Float64 has 17 digits. The others make up for cancellation.
_DIGITS = 50


class _Decimals(np.ndarray):
    """An object array of ``Decimal``, on which the code of the reference runs unchanged.

    Decimal arithmetic is the same on every machine, to the last digit.
    """

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        plain = [x.view(np.ndarray) if isinstance(x, _Decimals) else x for x in inputs]
        function = _tanh if ufunc is np.tanh else ufunc
        return getattr(function, method)(*plain, **kwargs).view(type(self))


def _tanh_of(x: Decimal) -> Decimal:
    e = (2 * x).exp()
    return (e - 1) / (e + 1)


_tanh: Any = np.frompyfunc(_tanh_of, 1, 1)
_to_decimal: Any = np.frompyfunc(Decimal, 1, 1)


def exact(case: Case) -> dict[str, Array]:
    """The results of ``case``, each the float64 nearest to the true number."""
    with localcontext(Context(_DIGITS)):
        arguments, cotangents = (
            {name: _to_decimal(array).view(_Decimals) for name, array in arrays.items()}
            for arrays in (case.arguments(), case.cotangent_values())
        )
        results = evaluate(case, arguments, cotangents)
        # A Decimal zero has a sign without a meaning here: -0.0 becomes 0.0.
        return {name: np.array(array, np.float64) + 0.0 for name, array in results.items()}


def noise(case: Case, expected: Mapping[str, Array]) -> dict[str, Array]:
    """The noise of each result, see :func:`~...judging.comparison.allowed_error`.

    It is computed for float32 and scaled to the case's precision, because float64 arithmetic gives
    the noise of float32 to eight digits or more. It is rounded up to three bits, so that it is the
    same on every machine.
    """
    unit = case.precision.unit_roundoff
    float32 = PRECISIONS["float32"]
    spread = expect(case, float32.name).noise
    return {
        name: np.maximum(
            rounded_up(spread[name]) * (unit / float32.unit_roundoff), unit * np.abs(value)
        )
        for name, value in expected.items()
    }


def rounded_up(x: Array) -> Array:
    """``x`` rounded up to three significant bits."""
    mantissa, exponent = np.frexp(x)  # 0.5 <= mantissa < 1
    return np.asarray(np.ldexp(np.ceil(mantissa * 8) / 8, exponent))


def tensors(case: Case) -> dict[str, NDArray[Any]]:
    """The tensors in the file of ``case``, by name."""
    expected = exact(case)
    given = {
        **case.arguments(),
        **{f"{name}.cotangent": value for name, value in case.cotangent_values().items()},
    }
    everything: dict[str, NDArray[Any]] = {
        **{name: array.astype(case.dtype) for name, array in given.items()},
        **{f"{name}.expected": array for name, array in expected.items()},
        **{f"{name}.noise": array for name, array in noise(case, expected).items()},
    }
    # safetensors ignores strides and writes the memory as it is.
    return {name: np.ascontiguousarray(array) for name, array in everything.items()}


# ------------------------------------------------------------------ files


class _Index(TypedDict):
    """The file ``index.json``: see docs/vectors.md."""

    schema_version: int
    version: str
    threshold: float
    rule: str
    cases: list[dict[str, object]]


def vectors(options: Namespace) -> int:
    """Writes the folder, and prints how much is in it.

    Raises:
        UsageError: the folder cannot be written, or a package is missing.
    """
    folder: Path = options.folder
    try:
        _check(folder)
        index = _write(folder)
    except ModuleNotFoundError as error:
        if not str(error.name).startswith("safetensors"):
            raise
        raise UsageError(
            "vectors need safetensors, which is not installed: "
            "pip install 'lstm-conformance[programs]'."
        ) from None
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}.") from None
    size = sum(file.stat().st_size for file in folder.iterdir()) / 1e6
    print(f"{counted(len(index['cases']), 'case')}, {size:.1f} MB, in {folder}")
    return 0


def _check(folder: Path) -> None:
    """Raises UsageError if ``folder`` cannot be written."""
    problem = ""
    if folder.is_dir():
        if folder.samefile(Path.cwd()):
            problem = "it is the current folder"
        elif any(folder.iterdir()):
            problem = "it is not empty"
    elif folder.exists():
        problem = "it is not a folder"
    elif not folder.parent.is_dir():
        problem = f"there is no folder {folder.parent}"
    else:
        problem = cannot_create_in(folder.parent)
    if problem:
        raise UsageError(f"{folder} cannot be written: {problem}.")


def _write(folder: Path) -> _Index:
    """Writes a temporary folder beside ``folder`` and renames it; returns the index."""
    from safetensors.numpy import save

    index: _Index = {
        "schema_version": SCHEMA_VERSION,
        "version": __version__,
        "threshold": THRESHOLD,
        "rule": RULE,
        "cases": [],
    }
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
        new = Path(temporary, "vectors")
        new.mkdir()
        for number, (purpose, case) in enumerate(cases(), 1):
            name = f"{number:02}.safetensors"
            content = save(tensors(case))
            new.joinpath(name).write_bytes(content)
            index["cases"].append(
                {
                    "file": name,
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "purpose": purpose,
                    "line": str(case),
                    **case_fields(case),
                }
            )
        text = json.dumps(index, indent=1) + "\n"
        new.joinpath("index.json").write_text(text, "utf-8", newline="\n")
        if folder.exists():
            folder.rmdir()  # it is empty
        new.rename(folder)
    return index
