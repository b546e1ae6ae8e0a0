"""Measures how small an error this suite and other checks detect.

``python -m tools.sensitivity FOLDER`` multiplies tensors that ``torch.nn.LSTM`` returns by 1 + eps,
in one element, one row or the whole tensor, and looks for the smallest eps that is detected: by the
judge, by ``torch.testing.assert_close`` and by ``torch.autograd.gradcheck``, with their defaults.
It writes the medians over random cases to ``sensitivity.json``, ``sensitivity.md`` and
``sensitivity.svg`` in an existing folder. Plotting needs matplotlib.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median_low
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from tabulate import tabulate

from lstm_conformance.adapters.torch_module import torch_lstm
from lstm_conformance.defects.gradient_surgery import with_cotangents
from lstm_conformance.reference.oracle import expect
from lstm_conformance.reports.writing import write_results, write_text
from lstm_conformance.runner.judging.comparison import compare
from lstm_conformance.runner.judging.rules import selected
from lstm_conformance.spec.case import OUTPUTS, Case
from lstm_conformance.spec.precision import Precision
from lstm_conformance.spec.strategies import Domain
from lstm_conformance.spec.verdicts import FAIL

from .random_cases import drawn

Array = NDArray[np.float64]

DTYPES = ("float64", "float32", "bfloat16", "float16")
PARAMETERS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
KINDS = (*OUTPUTS, *(f"{name}.grad" for name in ("input", "h_0", "c_0", *PARAMETERS)))
PARTS = ("element", "row", "whole")
JUDGE, ASSERT_CLOSE, GRADCHECK = METHODS = ("this suite", "assert_close", "gradcheck")

# Cases that have every tensor; half of them have no projection, and so no weight_hr.
DOMAIN = Domain(bias=(True,), states=(True,), cotangents=(OUTPUTS,))

# Tiny cases with the plainest layout: gradcheck runs the LSTM twice for each element.
TINY = DOMAIN.but(
    num_layers=(1, 2),
    batch_first=(False,),
    dropout=("none",),
    layout=("batched",),
    dtype=("float64",),
    input_size=(1, 2),
    hidden_size=(1, 2),
    seq_len=(1, 3),
    batch_size=(1, 2),
)

# The range of eps that is searched, and the resolution of the search, as decimal logarithms.
LEAST, MOST, RESOLUTION = -17.0, 3.0, 0.02

# A function that says whether a perturbation by eps is detected.
Detects = Callable[[float], bool]


class Found(NamedTuple):
    """The smallest perturbation that ``method`` detects in one case.

    ``eps`` is infinite if none is detected, and 0 if the method rejects the unperturbed tensor.
    """

    dtype: str
    kind: str
    part: str
    method: str
    eps: float


def main() -> int:
    """Measures, and writes the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cases", type=int, default=60, help="for each dtype")
    parser.add_argument("--tiny-cases", type=int, default=12, help="for gradcheck")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found: list[Found] = []
    for dtype in DTYPES:
        for case in drawn(DOMAIN.but(dtype=(dtype,)), options.cases):
            found.extend(in_values(case))
        print(f"{dtype}: done", file=sys.stderr, flush=True)
    for case in drawn(TINY, options.tiny_cases):
        found.extend(in_backward_pass(case))
    results = summarised(found)
    write_results(options.folder / "sensitivity.json", results)
    write_text(options.folder / "sensitivity.md", page(results))
    write_text(options.folder / "sensitivity.svg", plot(results))
    print(page(results))
    return 0


def in_values(case: Case) -> Iterator[Found]:
    """What the judge and assert_close detect in the tensors of ``case``."""
    expectation, observation = expect(case), torch_lstm().run(case)
    for kind, name, parts in chosen_parts(case, expectation.values):
        observed, expected = observation.tensors[name].values, expectation.values[name]
        noise = expectation.noise[name]
        for part, index in parts.items():
            for method, detects in (
                (JUDGE, judge_detects(observed, expected, noise, index, case.precision)),
                (ASSERT_CLOSE, assert_close_detects(observed, expected, index, case.precision)),
            ):
                yield Found(case.dtype, kind, part, method, smallest_detected(detects))


def in_backward_pass(case: Case) -> Iterator[Found]:
    """What gradcheck detects if the backward pass of ``case`` gives a wrong gradient."""
    for kind, name, parts in chosen_parts(case, expect(case).values):
        if kind.endswith(".grad"):
            for part, index in parts.items():
                detects = gradcheck_detects(case, name.removesuffix(".grad"), index)
                yield Found(case.dtype, kind, part, GRADCHECK, smallest_detected(detects))


def chosen_parts(
    case: Case, expected: dict[str, Array]
) -> Iterator[tuple[str, str, dict[str, tuple[Any, ...]]]]:
    """For each kind, the name of a tensor, and each of ``PARTS`` to an index of that part.

    The element is in the row. It is not expected to be 0, because a factor would not change it. A
    tensor without such an element is left out.
    """
    source = random.Random(str(case))
    for kind in KINDS:
        names = [
            name for name in selected(case, (kind.removesuffix(".grad"),)) if np.any(expected[name])
        ]
        if names:
            name = source.choice(names)
            element = tuple(source.choice(np.argwhere(expected[name]).tolist()))
            yield kind, name, dict(zip(PARTS, (element, (*element[:-1], ...), (...,)), strict=True))


def perturbed(observed: Array, index: tuple[Any, ...], eps: float, precision: Precision) -> Array:
    """``observed`` with the values at ``index`` multiplied by 1 + eps, in ``precision``."""
    values = observed.copy()
    with np.errstate(over="ignore"):
        values[index] *= 1 + eps
        return precision.round(values)


def judge_detects(
    observed: Array, expected: Array, noise: Array, index: tuple[Any, ...], precision: Precision
) -> Detects:
    """The judge of this suite. An inconclusive verdict does not count as detected."""

    def detects(eps: float) -> bool:
        values = perturbed(observed, index, eps, precision)
        return compare("", values, expected, noise, precision).verdict == FAIL

    return detects


def assert_close_detects(
    observed: Array, expected: Array, index: tuple[Any, ...], precision: Precision
) -> Detects:
    """``torch.testing.assert_close`` with the default tolerances of the dtype."""
    dtype = getattr(torch, precision.name)
    right = torch.tensor(precision.round(expected), dtype=dtype)

    def detects(eps: float) -> bool:
        values = torch.tensor(perturbed(observed, index, eps, precision), dtype=dtype)
        try:
            torch.testing.assert_close(values, right)
        except AssertionError:
            return True
        return False

    return detects


def gradcheck_detects(case: Case, name: str, index: tuple[Any, ...]) -> Detects:
    """``torch.autograd.gradcheck`` with respect to the argument ``name``, in float64."""
    config = case.config
    lstm = torch.nn.LSTM(
        config.input_size,
        config.hidden_size,
        config.num_layers,
        bidirectional=config.bidirectional,
        proj_size=config.proj_size,
        device="meta",
    )
    arguments = {n: torch.tensor(values) for n, values in case.arguments().items()}
    argument = arguments[name].clone().requires_grad_()

    def detects(eps: float) -> bool:
        factor = torch.ones_like(argument)
        factor[index] += eps

        def wrong(cotangents: list[torch.Tensor | None]) -> list[torch.Tensor | None]:
            return [None if cotangent is None else cotangent * factor for cotangent in cotangents]

        def outputs(tensor: torch.Tensor) -> tuple[torch.Tensor, ...]:
            given = {**arguments, name: with_cotangents(wrong, tensor)[0]}
            x, states = given.pop("input"), (given.pop("h_0"), given.pop("c_0"))
            output, (h_n, c_n) = torch.func.functional_call(lstm, given, (x, states))
            return output, h_n, c_n

        return not torch.autograd.gradcheck(outputs, (argument,), raise_exception=False)

    return detects


def smallest_detected(detects: Detects) -> float:
    """The smallest eps that is detected, found by bisection of its logarithm.

    It is infinite if none is detected, and 0 if ``detects(0)``.
    """
    if detects(0.0):
        return 0.0
    low, high = LEAST, MOST
    if not detects(10**high):
        return np.inf
    while high - low > RESOLUTION:
        middle = (low + high) / 2
        low, high = (low, middle) if detects(10**middle) else (middle, high)
    return float(10**high)


def summarised(found: list[Found]) -> dict[str, Any]:
    """The content of the JSON file: a row for each dtype, kind of tensor, part and method.

    ``objected`` is the number of cases that the method rejects without a perturbation.
    ``half_detected`` is the smallest perturbation that is detected in half of the other cases;
    None if there is none.
    """
    of_row: dict[tuple[str, ...], list[float]] = {}
    for *row, eps in found:
        of_row.setdefault(tuple(row), []).append(eps)
    rows = []
    for (dtype, kind, part, method), sizes in of_row.items():
        sound = [eps for eps in sizes if eps > 0]
        half = median_low(sound) if sound else np.inf
        rows.append(
            {
                "dtype": dtype,
                "tensor": kind,
                "part": part,
                "method": method,
                "cases": len(sizes),
                "objected": len(sizes) - len(sound),
                "never_detected": sum(eps == np.inf for eps in sound),
                "half_detected": half if half < np.inf else None,
            }
        )
    return {"torch": str(torch.__version__), "rows": rows}


def page(results: dict[str, Any]) -> str:
    """The figures as a page in Markdown."""
    return (
        "# Sensitivity\n\n"
        "How small an error is detected. Tensors that `torch.nn.LSTM` returns are multiplied by "
        "1 + eps in one element, in one row (along the last axis; a bias has only one) or as a "
        "whole. Each figure is the smallest eps that is detected in half of the random cases, so "
        "smaller is better. `never` means that most cases hide even eps = 1000: the element is far "
        "below the absolute tolerance, or the tensor is too ill-conditioned to be judged. "
        "`rejects` means that most right tensors are rejected, too, so that to reject a wrong one "
        "says nothing. The judge is compared with `torch.testing.assert_close` on the same "
        "tensors, and with `torch.autograd.gradcheck` on tiny cases with the same error planted in "
        f"the backward pass. Both have their defaults (torch {results['torch']}).\n\n"
        f"![{_alternative(results)}](sensitivity.svg)\n\n"
        + "".join(f"## {dtype}\n\n{_of_dtype(results, dtype)}\n" for dtype in DTYPES)
        + "Made by `tox -e sensitivity`.\n"
    )


def _of_dtype(results: dict[str, Any], dtype: str) -> str:
    rows = [row for row in results["rows"] if row["dtype"] == dtype]
    found = {(row["tensor"], row["part"], row["method"]): row for row in rows}
    methods = [method for method in METHODS if any(row["method"] == method for row in rows)]
    columns = [(part, method) for part in PARTS for method in methods]
    headers = ["tensor", "cases", *(f"{part}: {method}" for part, method in columns)]
    table = [
        [
            kind,
            str(found[kind, PARTS[0], JUDGE]["cases"]),
            *(_cell(found.get((kind, *column))) for column in columns),
        ]
        for kind in KINDS
    ]
    align = ["left", *["right"] * (len(headers) - 1)]
    text = tabulate(table, headers, "pipe", colalign=align, disable_numparse=True)
    rejections = []
    for method in methods:
        # Without a perturbation all parts of a tensor are the same.
        whole = [row for row in rows if (row["part"], row["method"]) == (PARTS[-1], method)]
        objected, total = (sum(row[of] for row in whole) for of in ("objected", "cases"))
        rejections.append(f"{method} {objected} of {total}")
    return f"{text}\n\nRejected without any perturbation: {', '.join(rejections)} tensors.\n"


def _cell(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    if rejects_right_tensors(row):
        return "rejects"
    return "never" if row["half_detected"] is None else f"{row['half_detected']:.1e}"


def rejects_right_tensors(row: dict[str, Any]) -> bool:
    """Whether the method rejects most right tensors."""
    return bool(2 * row["objected"] > row["cases"])


def _detected_in_element(results: dict[str, Any], dtype: str, method: str) -> dict[str, float]:
    """Each kind of tensor to the perturbation of one element that is detected, if any is."""
    return {
        row["tensor"]: row["half_detected"]
        for row in results["rows"]
        if (row["dtype"], row["part"], row["method"]) == (dtype, "element", method)
        and row["half_detected"] is not None
        and not rejects_right_tensors(row)
    }


def _alternative(results: dict[str, Any]) -> str:
    """The text alternative of the plot."""
    spans = []
    for dtype in DTYPES:
        of_method = []
        for method in METHODS:
            sizes = _detected_in_element(results, dtype, method).values()
            if sizes:
                of_method.append(f"{method} {min(sizes):.0e} to {max(sizes):.0e}")
            elif method == ASSERT_CLOSE:
                of_method.append(f"{method} none, since it rejects most right tensors")
        spans.append(f"{dtype}: {', '.join(of_method)}")
    return (
        "Smallest relative error of one element that is detected in half of the cases, from the "
        f"best to the worst tensor. {'; '.join(spans)}."
    )


# Colours of Okabe and Ito, which the colour-blind can tell apart; the shapes differ as well.
_MARKS = {JUDGE: ("#0072B2", "o"), ASSERT_CLOSE: ("#D55E00", "s"), GRADCHECK: ("#009E73", "^")}


def plot(results: dict[str, Any]) -> str:
    """An SVG with a panel for each dtype: the perturbation of one element that is detected."""
    # Only plotting needs matplotlib.
    from matplotlib.figure import Figure

    from lstm_conformance.reports.plot_style import GREY, standalone_svg, style

    with style(**{"font.size": 11}):
        figure = Figure(figsize=(11, 9), layout="constrained")
        panels = figure.subplots(2, 2, sharex=True, sharey=True)
        for dtype, axes in zip(DTYPES, panels.flat, strict=True):
            for method, (colour, marker) in _MARKS.items():
                sizes = _detected_in_element(results, dtype, method)
                rows = [KINDS.index(kind) for kind in sizes]
                axes.plot(list(sizes.values()), rows, marker, color=colour, ms=8, label=method)
            axes.set_xscale("log")
            shown = _detected_in_element(results, dtype, ASSERT_CLOSE)
            axes.set_title(
                dtype
                if len(shown) == len(KINDS)
                else f"{dtype}; where assert_close is missing,\nit rejects most right tensors"
            )
            axes.set_yticks(range(len(KINDS)), KINDS)
            axes.grid(color=GREY, alpha=0.3)
            axes.set_axisbelow(True)
        panels[0, 0].invert_yaxis()
        figure.supxlabel("error, relative to the element (no unit); smaller is better")
        figure.supylabel("tensor")
        handles, labels = panels[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside right upper")
        return standalone_svg(
            figure,
            "sensitivity",
            "Smallest error of one element that is detected in half of the cases",
            _alternative(results),
        )


if __name__ == "__main__":
    sys.exit(main())
