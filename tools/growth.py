"""Measures how rounding errors grow with steps, units and layers, beside the predicted noise.

``python -m tools.growth FOLDER`` runs ``torch.nn.LSTM`` and two correct rewrites. One size grows at
a time, the others stay at a base. Weights leave the gates open, or saturate them. It writes errors
and noise to ``growth.json`` and ``.md``, and pictures to ``growth_open.svg`` and
``growth_saturated.svg``, in an existing folder. The exit status is 1 if the errors of a correct
implementation outgrow the noise.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from tabulate import tabulate

from lstm_conformance.adapters.target import load
from lstm_conformance.reference.oracle import expect
from lstm_conformance.reports.plot_style import COLOURS, MARKERS, TEXT, standalone_svg, style
from lstm_conformance.reports.writing import write_results, write_text
from lstm_conformance.runner.judging.comparison import allowed_error, error_ratios
from lstm_conformance.spec.case import Case
from lstm_conformance.spec.config import LSTMConfig
from lstm_conformance.spec.contract import Implementation
from lstm_conformance.spec.global_settings import known_settings
from lstm_conformance.spec.sizes import Sizes, work

from .calibrate import REWRITES
from .measuring_options import measuring_parser

BASE = Sizes(seq_len=16, batch_size=4, input_size=16, hidden_size=16)
_POWERS = tuple(2**k for k in range(11))
AXES = {"seq_len": _POWERS, "hidden_size": _POWERS, "num_layers": tuple(range(1, 10))}

# Kind of gates to the scale of the weights: as torch initialises them, and so large that most
# gates are nearly open or closed.
GATES = {"open": 1.0, "saturated": 10.0}
DTYPES = ("float32", "float64")

TARGETS = {
    "torch.nn.LSTM": "torch.nn:LSTM",
    "HandWrittenBackward": f"{REWRITES}:HandWrittenBackward",
    "ExponentialGates": f"{REWRITES}:ExponentialGates",
}

# The gradients of the first layer come through all others, and through all steps.
TENSORS = ("output", "input.grad", "weight_hh_l0.grad")
_DRAWN = ("output", "weight_hh_l0.grad")
_STATISTICS = ("rms", "largest")

# Errors that are so much larger than the noise, in the root mean square, outgrow it. The noise is
# meant to be an upper bound for any order of operations, so those of right programs are smaller.
OUTGROWN = 3.0

# A point has so many cases, or fewer if they take more work than this together, in seconds. One
# wide case is enough: its root mean square is taken over many elements.
_MOST_CASES, _WORK = 6, 0.2

Array = NDArray[np.float64]


class Point(NamedTuple):
    """One size of one axis, with the gates and the dtype."""

    axis: str
    size: int
    gates: str
    dtype: str

    @property
    def cases(self) -> list[Case]:
        """The cases of this point, which differ in their values."""
        sizes = BASE._replace(**{self.axis: self.size})
        config = LSTMConfig(sizes.input_size, sizes.hidden_size, num_layers=sizes.num_layers)
        return [
            Case(
                config,
                sizes.seq_len,
                sizes.batch_size,
                dtype=self.dtype,
                states=True,
                weight_scale=GATES[self.gates],
                cotangents=("output",),
                seed=seed,
            )
            for seed in range(min(_MOST_CASES, max(1, int(_WORK / work(sizes)))))
        ]


class Measured(NamedTuple):
    """The root mean square and the largest element of an error or of its noise.

    Both are in units of the unit roundoff times the root mean square of the tensor. ``ratio`` is
    the largest error over noise of an element.
    """

    rms: float
    largest: float
    ratio: float = 0.0


# What the noise is called among the implementations.
NOISE = "noise"

# Tensor, and implementation or noise, to what was measured.
Found = dict[tuple[str, str], Measured]


def main() -> int:
    """Measures and writes; the exit status says whether errors outgrow the noise."""
    options = measuring_parser(__doc__).parse_args()
    points = list(sweep())
    with ProcessPoolExecutor(options.n) as pool:
        found = {}
        for point, of_point in zip(points, pool.map(_measured_here, points), strict=True):
            found[point] = of_point
            print(*point, file=sys.stderr, flush=True)
    results = summarised(found)
    write_results(options.folder / "growth.json", results)
    write_text(options.folder / "growth.md", page(results))
    for gates in GATES:
        write_text(options.folder / f"growth_{gates}.svg", picture(results, gates))
    print(page(results))
    return int(bool(outgrown(results)))


def sweep() -> Iterator[Point]:
    """Every point, the largest sizes first: they take longest."""
    for axis, sizes in AXES.items():
        for size, gates, dtype in product(reversed(sizes), GATES, DTYPES):
            yield Point(axis, size, gates, dtype)


@cache
def _implementations() -> dict[str, Implementation]:
    return {name: load(target) for name, target in TARGETS.items()}


def _measured_here(point: Point) -> Found:
    return measured(point, _implementations())


def measured(point: Point, implementations: Mapping[str, Implementation]) -> Found:
    """The errors of each implementation at one point, and the predicted noise."""
    of_cases = [_measured_in(case, implementations) for case in point.cases]
    return {key: _mean([of_case[key] for of_case in of_cases]) for key in of_cases[0]}


def _measured_in(case: Case, implementations: Mapping[str, Implementation]) -> Found:
    expected, found, unit = expect(case), {}, case.precision.unit_roundoff
    units = {name: unit * _root_mean_square(expected.values[name]) for name in TENSORS}
    for name in TENSORS:
        noise = expected.noise[name]
        found[name, NOISE] = _in_units(noise, units[name])
    for label, implementation in implementations.items():
        with known_settings():
            tensors = implementation.run(case).tensors
        for name in TENSORS:
            values, observed = expected.values[name], tensors[name].values
            allowed = allowed_error(values, expected.noise[name], case.precision)
            ratio = float(error_ratios(observed, values, allowed).max())
            error = _in_units(np.abs(observed - values), units[name])
            found[name, label] = error._replace(ratio=ratio)
    return found


def _in_units(array: Array, unit: float) -> Measured:
    return Measured(_root_mean_square(array) / unit, float(array.max()) / unit)


def _root_mean_square(array: Array) -> float:
    return float(np.sqrt(np.mean(array**2)))


def _mean(of_cases: list[Measured]) -> Measured:
    """Root mean squares over cases, and the largest ratio of all."""
    rms, largest = (_root_mean_square(np.array([m[k] for m in of_cases])) for k in (0, 1))
    return Measured(rms, largest, max(one.ratio for one in of_cases))


def summarised(found: Mapping[Point, Found]) -> dict[str, Any]:
    """The content of the JSON file: a series for each axis, gates, dtype and tensor.

    Each list has an item for each size.
    """
    series = []
    labels = [label for tensor, label in next(iter(found.values())) if tensor == TENSORS[0]]
    for axis, gates, dtype, tensor in product(AXES, GATES, DTYPES, TENSORS):
        points = sorted(p for p in found if (p.axis, p.gates, p.dtype) == (axis, gates, dtype))
        if not points:
            continue
        of_labels = {label: [found[point][tensor, label] for point in points] for label in labels}
        noise = of_labels.pop(NOISE)
        series.append(
            {
                "axis": axis,
                "gates": gates,
                "dtype": dtype,
                "tensor": tensor,
                "sizes": [point.size for point in points],
                "cases": [len(point.cases) for point in points],
                "noise": {name: _rounded(noise, name) for name in _STATISTICS},
                "errors": {
                    label: {name: _rounded(errors, name) for name in Measured._fields}
                    for label, errors in of_labels.items()
                },
            }
        )
    return {"base": BASE._asdict(), "series": series}


def _rounded(measured_in: list[Measured], name: str) -> list[float]:
    """One figure of each size, with as many digits as a few cases can have."""
    return [float(f"{getattr(one, name):.3g}") for one in measured_in]


def over_noise(series: Mapping[str, Any], label: str) -> list[float]:
    """The error of an implementation over the noise at each size, in the root mean square."""
    errors, noise = series["errors"][label]["rms"], series["noise"]["rms"]
    return [error / of_noise for error, of_noise in zip(errors, noise, strict=True)]


def outgrown(results: Mapping[str, Any]) -> list[str]:
    """Where the errors of an implementation are larger than the noise explains, in words."""
    return [
        f"{label}, {one['gates']} gates, {one['dtype']}, {one['tensor']}: "
        f"{ratio:.2g} times the noise at {one['axis']} {size}"
        for one in results["series"]
        for label in one["errors"]
        for size, ratio in zip(one["sizes"], over_noise(one, label), strict=True)
        if not ratio <= OUTGROWN
    ]


def page(results: Mapping[str, Any]) -> str:
    """The figures as a page in Markdown."""
    everything = results["series"]
    labels = list(everything[0]["errors"])
    rows = []
    for one in everything:
        errors, noise = one["errors"][labels[0]]["rms"], one["noise"]["rms"]
        ratios = [over_noise(one, label) for label in labels]
        rows.append(
            [
                *(one[name] for name in ("axis", "gates", "tensor", "dtype")),
                f"{one['sizes'][0]} to {one['sizes'][-1]:,}",
                f"{errors[0]:.2g} to {errors[-1]:.2g}",
                f"{noise[0]:.2g} to {noise[-1]:.2g}",
                *(f"{min(of_label):.2f} to {max(of_label):.2f}" for of_label in ratios),
            ]
        )
    headers = ["size", "gates", "tensor", "dtype", "from, to", f"error of {labels[0]}", "noise"]
    headers += [f"error / noise: {label}" for label in labels]
    every_ratio = [r for one in everything for label in labels for r in over_noise(one, label)]
    worst = max(
        ratio for one in everything for label in labels for ratio in one["errors"][label]["ratio"]
    )
    base = ", ".join(f"{name} {size}" for name, size in results["base"].items() if size)
    faster = outgrown(results)
    verdict = (
        "; ".join(faster)
        if faster
        else f"The errors of no implementation outgrow it: in the root mean square they are "
        f"{min(every_ratio):.2g} to {max(every_ratio):.2g} times as large, at all sizes. The "
        f"largest error of one element is {worst:.3g} times the noise of that element"
    )
    return (
        "# How errors grow\n\n"
        "One size grows, and all others stay as they are: the errors of correct implementations, "
        "beside the noise that the [oracle](../../docs/oracle.md) predicts. Every case has values "
        "of the same kind, so points of one line can be compared. Errors and noise are in units of "
        "the unit roundoff times the root mean square of the tensor, so they are about the same in "
        f"each dtype.\n\nThe base is {base}. Weights are as torch initialises them (open gates), "
        f"or {GATES['saturated']:g} times as large (saturated gates). Only `output` has a "
        "cotangent. `HandWrittenBackward` and `ExponentialGates` are correct rewrites; the second "
        "one computes sigmoid and tanh by exp. A point has up to six cases, and one if it is wide. "
        f"Made by `tox -e growth`.\n\n{verdict}.\n\n"
        "The noise covers every order of operations. So errors may grow more slowly than the noise "
        "does, for example where many terms are added in pairs or in blocks. With saturated gates "
        "small changes multiply, in the noise as in the errors.\n\n"
        "## Open gates\n\n![Errors and noise by size, open gates](growth_open.svg)\n\n"
        "## Saturated gates\n\n![Errors and noise by size, saturated gates]"
        "(growth_saturated.svg)\n\n"
        "## Figures\n\nThe root mean square at the smallest and at the largest size, and the range "
        "of error over noise, over all sizes.\n\n"
        + tabulate(
            rows,
            headers,
            "pipe",
            colalign=(*["left"] * 4, *["right"] * (len(headers) - 4)),
            disable_numparse=True,
        )
        + "\n"
    )


def picture(results: Mapping[str, Any], gates: str) -> str:
    """An SVG with a column for each axis: errors, and the predicted noise, of one kind of gates."""
    drawn = [one for one in results["series"] if one["gates"] == gates]
    panels_down = list(product(_DRAWN, _STATISTICS))
    with style():
        figure = Figure(figsize=(9.6, 2.2 * len(panels_down) + 0.6), layout="constrained")
        panels = figure.subplots(
            len(panels_down), len(AXES), squeeze=False, sharex="col", sharey="row"
        )
        for (row, (tensor, statistic)), (column, axis) in product(
            enumerate(panels_down), enumerate(AXES)
        ):
            axes = panels[row, column]
            for one in drawn:
                if (one["tensor"], one["axis"]) == (tensor, axis):
                    marker = MARKERS[DTYPES.index(one["dtype"])]
                    _draw(axes, one, statistic, marker)
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
            axes.yaxis.set_minor_formatter("")
            if row == 0:
                axes.set_title(axis, fontweight="bold")
        for axes, (axis, sizes) in zip(panels[-1], AXES.items(), strict=True):
            if sizes == _POWERS:
                axes.set_xscale("log", base=2)
                axes.set_xticks(sizes[::2], [f"{size:,}" for size in sizes[::2]])
                axes.minorticks_off()
            axes.set_xlabel(axis)
        for axes, (tensor, statistic) in zip(panels[:, 0], panels_down, strict=True):
            axes.set_ylabel(f"{tensor}\n{_WORDS[statistic]}")
        legend = panels[0, 0]
        for colour, label in zip(COLOURS, drawn[0]["errors"], strict=False):
            legend.plot([], [], color=colour, label=label)
        legend.plot([], [], color=TEXT, linestyle="--", label="predicted noise")
        for marker, dtype in zip(MARKERS, DTYPES, strict=False):
            legend.plot([], [], color=TEXT, marker=marker, linestyle="none", label=dtype)
        figure.legend(ncols=6, loc="outside upper center")
        return standalone_svg(
            figure,
            f"growth-{gates}",
            f"Errors by size, beside the predicted noise: {gates} gates",
            "In units of the unit roundoff times the root mean square of the tensor. "
            "The numbers are in growth.md.",
        )


_WORDS = {"rms": "root mean square", "largest": "largest element"}


def _draw(axes: Any, series: Mapping[str, Any], statistic: str, marker: str) -> None:
    shown = {"marker": marker, "markersize": 3.5, "linewidth": 1}
    for colour, errors in zip(COLOURS, series["errors"].values(), strict=False):
        axes.plot(series["sizes"], errors[statistic], color=colour, **shown)
    axes.plot(series["sizes"], series["noise"][statistic], color=TEXT, linestyle="--", **shown)


if __name__ == "__main__":
    sys.exit(main())
