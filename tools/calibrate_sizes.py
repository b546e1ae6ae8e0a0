"""Measures whether the ratio of error to rounding noise grows with the size of a case.

``python -m tools.calibrate_sizes FOLDER`` judges ``torch.nn.LSTM``, with oneDNN and without, and
two correct rewrites on cases up to 1,024 units, steps, rows and features. It writes the largest
ratio of each class of sizes to ``calibration_sizes.json``, ``.md`` and ``.svg`` in an existing
folder. The exit status is 1 if a correct implementation was flagged.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from typing import Any, NamedTuple

from matplotlib.figure import Figure
from tabulate import tabulate

from lstm_conformance.adapters.target import load
from lstm_conformance.reports.plot_style import COLOURS, GREY, MARKERS, standalone_svg, style
from lstm_conformance.reports.writing import write_results, write_text
from lstm_conformance.runner.judging.comparison import THRESHOLD
from lstm_conformance.runner.judging.rules import close, judged_by
from lstm_conformance.runner.judging.trial import Together, Trial
from lstm_conformance.spec.case import OUTPUTS, Case
from lstm_conformance.spec.config import LSTMConfig
from lstm_conformance.spec.contract import Implementation
from lstm_conformance.spec.ratios import LARGEST_RATIO
from lstm_conformance.spec.verdicts import FAIL, INCONCLUSIVE

from .calibrate import REWRITES, summed_up
from .measuring_options import measuring_parser

# The largest size of each class.
CLASSES = (8, 16, 32, 64, 128, 256, 512, 1024)
DIMENSIONS = ("hidden_size", "input_size", "seq_len", "batch_size")
EVERY_CLASS = [(dimension, size) for dimension in DIMENSIONS for size in CLASSES]

TARGETS = (
    "torch.nn:LSTM",
    "torch-onednn-off",
    f"{REWRITES}:HandWrittenBackward",
    f"{REWRITES}:FusedProducts",
)
# The half formats are slow in torch, and flag no growth that float32 does not have.
DTYPES = ("float64", "float32", "float32", "float32", "bfloat16", "float16")

# Multiplications of a forward pass. A case takes some seconds at most.
_LARGEST_COST = 2**27


class Judged(NamedTuple):
    """One case: class of each dimension, dtype, largest ratio, its verdict, and its line."""

    classes: dict[str, int]
    dtype: str
    ratio: float
    verdict: str
    line: str


def main() -> int:
    """Measures and writes; the exit status says whether an implementation was flagged."""
    parser = measuring_parser(__doc__)
    parser.add_argument(
        "--cases", type=int, default=1250, help="each is judged for all implementations"
    )
    options = parser.parse_args()
    found = []
    with ProcessPoolExecutor(options.n) as pool:
        for of_case in pool.map(_judged, cases_of_sizes(options.cases)):
            found += of_case
            for target, one in zip(TARGETS, of_case, strict=True):
                if one.verdict == FAIL:
                    print(f"{target}: {one.ratio:.1f} {one.line}", file=sys.stderr, flush=True)
    results = summarised(found)
    write_results(options.folder / "calibration_sizes.json", results)
    write_text(options.folder / "calibration_sizes.md", page(results))
    write_text(options.folder / "calibration_sizes.svg", picture(results))
    print(page(results))
    return int(results["false_alarms"] > 0)


def cases_of_sizes(number: int, largest_cost: int = _LARGEST_COST) -> Iterator[Case]:
    """Cases of which every class of every dimension has about as many.

    Args:
        number: of cases.
        largest_cost: of one of them, in multiplications of a forward pass.
    """
    source = random.Random(0)
    for k in range(number):
        yield _case(source, *EVERY_CLASS[k % len(EVERY_CLASS)], largest_cost)


def _case(source: random.Random, dimension: str, largest: int, largest_cost: int) -> Case:
    """A case with one size in a class. The other sizes are as large as its cost permits."""
    while True:
        sizes = {name: _size(source, source.choice(CLASSES)) for name in DIMENSIONS}
        sizes[dimension] = _size(source, largest)
        layers, bidirectional = source.choice((1, 1, 2)), source.random() < 0.3
        hidden, features = sizes["hidden_size"], sizes["input_size"]
        cost = sizes["seq_len"] * sizes["batch_size"] * 4 * hidden * (hidden + features)
        if cost * layers * (2 if bidirectional else 1) <= largest_cost:
            break
    projected = hidden > 1 and source.random() < 0.2
    config = LSTMConfig(
        features,
        hidden,
        num_layers=layers,
        bias=source.random() < 0.8,
        bidirectional=bidirectional,
        proj_size=source.randint(1, hidden - 1) if projected else 0,
    )
    return Case(
        config,
        sizes["seq_len"],
        sizes["batch_size"],
        dtype=source.choice(DTYPES),
        states=source.random() < 0.7,
        weight_scale=source.choice((1.0, 1.0, 0.5, 3.0)),
        input_scale=source.choice((1.0, 3.0)),
        cotangents=source.choice((OUTPUTS, OUTPUTS, ("output",), ("h_n",))),
        seed=source.randrange(10**6),
    )


def _size(source: random.Random, largest: int) -> int:
    return source.randint(1 if largest == CLASSES[0] else largest // 2 + 1, largest)


def size_class(size: int) -> int:
    """The largest size of the class of ``size``."""
    return next(largest for largest in CLASSES if size <= largest)


@cache
def _implementations() -> list[Implementation]:
    return [load(target) for target in TARGETS]


def classes_of(case: Case) -> dict[str, int]:
    """The class of each dimension."""
    sizes = {**vars(case.config), **vars(case)}
    return {name: size_class(sizes[name]) for name in DIMENSIONS}


def _judged(case: Case) -> list[Judged]:
    """``case``, judged for each implementation."""
    classes, expected, found = classes_of(case), Together([case]), []
    for implementation in _implementations():
        one = summed_up(case, judged_by(close(), Trial(case, implementation, expected)))
        ratio = min(one.ratio, LARGEST_RATIO)
        found.append(Judged(classes, case.dtype, ratio, one.verdict, one.line))
    return found


def summarised(found: list[Judged]) -> dict[str, Any]:
    """The content of the JSON file."""
    conclusive = [one for one in found if one.verdict != INCONCLUSIVE]
    rows = []
    for dimension, size in EVERY_CLASS:
        of_class = [one for one in conclusive if one.classes[dimension] == size]
        worst = max(of_class, key=lambda one: one.ratio, default=None)
        rows.append(
            {
                "dimension": dimension,
                "up_to": size,
                "cases": len(of_class),
                "largest_ratio": None if worst is None else worst.ratio,
                "largest_in": None if worst is None else worst.line,
            }
        )
    return {
        "cases": len(found),
        "inconclusive": len(found) - len(conclusive),
        "false_alarms": sum(one.verdict == FAIL for one in found),
        "largest_ratio": {
            dtype: max((one.ratio for one in conclusive if one.dtype == dtype), default=0.0)
            for dtype in sorted(set(DTYPES))
        },
        "rows": rows,
    }


def page(results: dict[str, Any]) -> str:
    """The figures as a page in Markdown."""
    of_dtypes = [[dtype, f"{ratio:.2f}"] for dtype, ratio in results["largest_ratio"].items()]
    rows = [
        [
            row["dimension"],
            row["up_to"],
            row["cases"],
            "" if row["largest_ratio"] is None else f"{row['largest_ratio']:.2f}",
        ]
        for row in results["rows"]
    ]
    return (
        "# Calibration by size\n\n"
        "Correct implementations on cases of all sizes up to 1,024: `torch.nn.LSTM`, with oneDNN "
        "and without, and two rewrites. The ratio of a case is the largest ratio of error to "
        f"rounding noise, over all elements of outputs and gradients. A case fails at {THRESHOLD:g}"
        f".\n\n{results['cases']} cases, {results['false_alarms']} false alarms, "
        f"{results['inconclusive']} inconclusive. Made by `tox -e calibrate-sizes`.\n\n"
        "![The largest ratio of each class of sizes](calibration_sizes.svg)\n\n"
        + tabulate(of_dtypes, ["dtype", "largest ratio"], "pipe", disable_numparse=True)
        + "\n\n"
        + tabulate(
            rows,
            ["dimension", "up to", "cases", "largest ratio"],
            "pipe",
            colalign=("left", "right", "right", "right"),
            disable_numparse=True,
        )
        + "\n"
    )


def picture(results: dict[str, Any]) -> str:
    """An SVG of the largest ratio by class of sizes, a line for each dimension."""
    with style():
        figure = Figure(figsize=(7.2, 3.6), layout="constrained")
        axes = figure.subplots()
        for dimension, colour, marker in zip(DIMENSIONS, COLOURS, MARKERS, strict=False):
            rows = [row for row in results["rows"] if row["dimension"] == dimension]
            ratios = [row["largest_ratio"] for row in rows]
            axes.plot(
                [row["up_to"] for row in rows],
                [math.nan if ratio is None else ratio for ratio in ratios],
                color=colour,
                marker=marker,
                label=dimension,
            )
        axes.axhline(THRESHOLD, color=GREY, linestyle="--", label="fails")
        axes.set_xscale("log", base=2)
        axes.set_xticks(CLASSES, [f"{size:,}" for size in CLASSES])
        axes.set_ylim(0, THRESHOLD * 1.1)
        axes.set_xlabel("size, up to")
        axes.set_ylabel("largest error / noise")
        figure.legend(ncols=5, loc="outside upper center")
        return standalone_svg(
            figure,
            "sizes",
            "Largest error over rounding noise, by class of sizes",
            f"A case fails at {THRESHOLD:g}. The numbers are in calibration_sizes.md.",
        )


if __name__ == "__main__":
    sys.exit(main())
