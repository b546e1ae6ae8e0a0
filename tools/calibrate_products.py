"""Measures what the noise model says of products of float32 whose factors have fewer digits.

``python -m tools.calibrate_products FOLDER`` judges correct LSTMs whose products have factors in
TF32, bfloat16 or float16, rounded or cut off, on random cases: if that is declared by
``--working-precision``, they are right, and otherwise wrong. It writes how many cases have which
ratio to ``calibration_products.json`` and ``calibration_products.md`` in an existing folder. The
exit status is 1 if a correct LSTM was flagged although its products were declared.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from typing import Any, NamedTuple

import torch

from lstm_conformance.reports.writing import write_results, write_text
from lstm_conformance.runner.judging.comparison import THRESHOLD
from lstm_conformance.spec.case import OUTPUTS
from lstm_conformance.spec.precision import PRODUCTS
from lstm_conformance.spec.strategies import Domain
from lstm_conformance.spec.verdicts import FAIL

from .calibrate import (
    Judged,
    correct_rewrites,
    figures,
    headers_of_figures,
    judged,
    row_of_figures,
    table,
)
from .measuring_options import measuring_parser
from .random_cases import drawn
from .rounded_products import with_rounded_products

# They have no products of float32 matrices, but of float64, or sums of products of elements; or the
# biases are a column of a matrix, and rounded, too. What is declared does not allow that.
OTHERS = ("Float64Inside", "PairwiseSum", "SummedFromTheEnd", "ConcatenatedProduct")
_CHUNK = 50


class Job(NamedTuple):
    """Some cases, drawn from ``seed``; the format of the factors, and whether it is declared."""

    products: str
    cut: bool
    declared: bool
    seed: int
    cases: int


def main() -> int:
    """Measures and writes; the exit status says whether a correct LSTM was flagged."""
    parser = measuring_parser(__doc__)
    parser.add_argument("--cases", type=int, default=50, help="for each format and implementation")
    options = parser.parse_args()
    jobs = _jobs(options.cases)
    measured = []
    with ProcessPoolExecutor(options.n) as pool:
        for job, of_job in zip(jobs, pool.map(measure, jobs), strict=True):
            measured.append((job, of_job))
            print(f"{len(measured)} of {len(jobs)}: {job}", file=sys.stderr, flush=True)
    results = summarised(measured)
    write_results(options.folder / "calibration_products.json", results)
    write_text(options.folder / "calibration_products.md", page(results))
    print(page(results))
    return int(any(row["false_alarms"] for row in results["declared"]))


def _jobs(cases: int) -> list[Job]:
    return [
        Job(products, cut, declared, seed, min(_CHUNK, cases - first))
        for products in PRODUCTS
        for cut in (False, True)
        for declared in (True, False)
        for seed, first in enumerate(range(0, cases, _CHUNK))
    ]


def measure(job: Job) -> dict[str, list[Judged]]:
    """Judges the cases of ``job``, with all cotangents, in every tensor; by implementation."""
    rewrites = correct_rewrites()
    factories = [torch.nn.LSTM] + [
        getattr(rewrites, name) for name in rewrites.__all__ if name not in OTHERS
    ]
    implementations = {
        factory.__name__: with_rounded_products(factory, job.products, job.cut)
        for factory in factories
    }
    domain = Domain(dtype=("float32",), cotangents=(OUTPUTS,))
    cases = drawn(domain, job.cases, job.seed)
    if job.declared:
        cases = [replace(case, products=job.products) for case in cases]
    return judged(implementations, cases)


def summarised(measured: list[tuple[Job, dict[str, list[Judged]]]]) -> dict[str, Any]:
    """The content of the JSON file: rows of what was declared, and of what was not."""
    declared: dict[tuple[str, bool, str], list[Judged]] = {}
    undeclared: dict[tuple[str, bool], list[Judged]] = {}
    for job, of_job in measured:
        for name, found in of_job.items():
            if job.declared:
                declared.setdefault((job.products, job.cut, name), []).extend(found)
            else:
                undeclared.setdefault((job.products, job.cut), []).extend(found)
    return {
        "declared": [
            {"products": products, "cut": cut, "implementation": name, **figures(found)}
            for (products, cut, name), found in declared.items()
        ],
        "undeclared": [
            {
                "products": products,
                "cut": cut,
                "cases": len(found),
                "failed": sum(one.verdict == FAIL for one in found),
            }
            for (products, cut), found in undeclared.items()
        ],
    }


def page(results: dict[str, Any]) -> str:
    """The figures as a page in Markdown."""
    declared = [
        [row["products"], _how(row), row["implementation"], *row_of_figures(row)]
        for row in results["declared"]
    ]
    undeclared = [
        [row["products"], _how(row), row["cases"], f"{row['failed'] / row['cases']:.1%}"]
        for row in results["undeclared"]
    ]
    cases = sum(row["cases"] for row in results["declared"])
    alarms = sum(row["false_alarms"] for row in results["declared"])
    return (
        "# Calibration of products with fewer digits\n\n"
        "Correct LSTMs in float32, on random cases. All factors of their products of matrices, "
        "also in the backward pass, are rounded to the format, or the bits that it does not have "
        "are cut off. The ratio of a case is that of error to rounding noise, as in "
        f"[Calibration](calibration.md). A case fails at a ratio over {THRESHOLD:g}. Made by "
        "`tox -e calibrate-products`.\n\n"
        "## Declared\n\n"
        "With `--working-precision`, such LSTMs are right. "
        f"{cases:,} judged cases, {alarms} false alarms.\n\n"
        f"{table(declared, ['format', 'factors', 'implementation', *headers_of_figures()])}\n\n"
        "## Not declared\n\n"
        "Without the option, the same LSTMs are wrong. The share of single cases that fail:\n\n"
        f"{table(undeclared, ['format', 'factors', 'cases', 'that fail'])}\n"
    )


def _how(row: dict[str, Any]) -> str:
    return "cut off" if row["cut"] else "rounded"


if __name__ == "__main__":
    sys.exit(main())
