"""Measures whether the suite sees smaller or larger errors in larger cases.

``python -m tools.sensitivity_sizes FOLDER`` multiplies one element of each tensor that
``torch.nn.LSTM`` returns by 1 + eps, in cases up to 1,024 units, steps, rows and features. It looks
for the smallest eps that is detected by the judge and by ``torch.testing.assert_close``, and writes
the medians of each class of sizes to ``sensitivity_sizes.json``, ``.md`` and ``.svg`` in a folder.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from statistics import median_low
from typing import Any, NamedTuple

from matplotlib.figure import Figure
from tabulate import tabulate

from lstm_conformance.adapters.torch_module import torch_lstm
from lstm_conformance.reference.oracle import expect
from lstm_conformance.reports.plot_style import COLOURS, GREY, MARKERS, standalone_svg, style
from lstm_conformance.reports.writing import write_results, write_text
from lstm_conformance.spec.case import OUTPUTS, Case

from .calibrate_sizes import DIMENSIONS, EVERY_CLASS, cases_of_sizes, classes_of
from .measuring_options import measuring_parser
from .sensitivity import (
    ASSERT_CLOSE,
    JUDGE,
    PARTS,
    assert_close_detects,
    chosen_parts,
    judge_detects,
    smallest_detected,
)

DTYPES = ("float64", "float32")
COLUMNS = tuple((method, dtype) for method in (JUDGE, ASSERT_CLOSE) for dtype in DTYPES)

# Multiplications of a forward pass. The judge compares the largest tensors some dozen times.
_LARGEST_COST = 2**24


class Seen(NamedTuple):
    """The smallest error of one element that ``method`` detects in one tensor; maybe infinite."""

    classes: dict[str, int]
    method: str
    dtype: str
    eps: float


def main() -> int:
    """Measures and writes."""
    parser = measuring_parser(__doc__)
    parser.add_argument("--cases", type=int, default=400)
    options = parser.parse_args()
    with ProcessPoolExecutor(options.n) as pool:
        cases = cases_of_sizes(options.cases, _LARGEST_COST)
        found = [seen for of_case in pool.map(measured, cases) for seen in of_case]
    results = {"cases": options.cases, "rows": summarised(found)}
    write_results(options.folder / "sensitivity_sizes.json", results)
    write_text(options.folder / "sensitivity_sizes.md", page(results))
    write_text(options.folder / "sensitivity_sizes.svg", picture(results))
    print(page(results))
    return 0


def measured(case: Case) -> list[Seen]:
    """What is seen in one element of each kind of tensor of ``case``, in each dtype."""
    return [
        seen
        for dtype in DTYPES
        for seen in _measured_in(replace(case, dtype=dtype, cotangents=OUTPUTS))
    ]


def _measured_in(case: Case) -> Iterator[Seen]:
    expectation, observation = expect(case), torch_lstm().run(case)
    classes, precision = classes_of(case), case.precision
    for _, name, parts in chosen_parts(case, expectation.values):
        observed, expected = observation.tensors[name].values, expectation.values[name]
        element = parts[PARTS[0]]
        judge = judge_detects(observed, expected, expectation.noise[name], element, precision)
        close = assert_close_detects(observed, expected, element, precision)
        for method, detects in ((JUDGE, judge), (ASSERT_CLOSE, close)):
            yield Seen(classes, method, case.dtype, smallest_detected(detects))


def summarised(found: list[Seen]) -> list[dict[str, Any]]:
    """A row for each dimension and class of sizes: the median by method and dtype.

    It is None if there is no tensor, or if nothing is detected in most of them.
    """
    rows = []
    for dimension, size in EVERY_CLASS:
        of_class = [seen for seen in found if seen.classes[dimension] == size]
        row: dict[str, Any] = {
            "dimension": dimension,
            "up_to": size,
            "tensors": len(of_class) // len(COLUMNS),
        }
        for column in COLUMNS:
            smallest = [seen.eps for seen in of_class if (seen.method, seen.dtype) == column]
            half = median_low(smallest) if smallest else math.inf
            row[", ".join(column)] = half if half < math.inf else None
        rows.append(row)
    return rows


def page(results: dict[str, Any]) -> str:
    """The figures as a page in Markdown."""
    columns = [", ".join(column) for column in COLUMNS]
    rows = [
        [
            row["dimension"],
            row["up_to"],
            row["tensors"],
            *("" if row[column] is None else f"{row[column]:.1e}" for column in columns),
        ]
        for row in results["rows"]
    ]
    headers = ["dimension", "up to", "tensors", *columns]
    return (
        "# Sensitivity by size\n\n"
        "How small an error is detected in cases of all sizes up to 1,024. One element of a tensor "
        "that `torch.nn.LSTM` returns, an output or a gradient, is multiplied by 1 + eps. Each "
        "figure is the smallest eps that is detected in half of the tensors, so smaller is better. "
        "No figure means that most tensors hide even eps = 1000. The judge is compared with "
        "`torch.testing.assert_close` on the same tensors, with its defaults.\n\n"
        f"{results['cases']} cases in each dtype. Made by `tox -e sensitivity`.\n\n"
        "![The smallest error that is seen, by class of sizes](sensitivity_sizes.svg)\n\n"
        + tabulate(
            rows,
            headers,
            "pipe",
            colalign=("left", *["right"] * (len(headers) - 1)),
            disable_numparse=True,
        )
        + "\n"
    )


def picture(results: dict[str, Any]) -> str:
    """An SVG with a panel for each dtype: the smallest error seen, a line for each dimension."""
    with style():
        figure = Figure(figsize=(9.6, 3.8), layout="constrained")
        panels = figure.subplots(1, len(DTYPES), sharex=True)
        for dtype, axes in zip(DTYPES, panels, strict=True):
            for dimension, colour, marker in zip(DIMENSIONS, COLOURS, MARKERS, strict=False):
                rows = [row for row in results["rows"] if row["dimension"] == dimension]
                sizes = [row["up_to"] for row in rows]
                for method, shown in (
                    (JUDGE, {"color": colour, "marker": marker, "label": dimension}),
                    (ASSERT_CLOSE, {"color": GREY, "marker": marker, "linestyle": "--"}),
                ):
                    found = [row[f"{method}, {dtype}"] for row in rows]
                    axes.plot(sizes, [math.nan if e is None else e for e in found], **shown)
            axes.set_xscale("log", base=2)
            axes.set_yscale("log")
            axes.set_title(f"{dtype}; grey: assert_close")
            axes.set_xlabel("size, up to")
        panels[0].set_ylabel("relative error of one element")
        panels[0].legend()
        return standalone_svg(
            figure,
            "sensitivity-sizes",
            "The smallest error that is seen, by class of sizes",
            "The numbers are in sensitivity_sizes.md.",
        )


if __name__ == "__main__":
    sys.exit(main())
