"""Measures how far correct implementations are from the reference, in units of rounding noise.

``python -m tools.calibrate FOLDER`` judges ``torch.nn.LSTM``, with oneDNN and without, and every
correct rewrite on random cases. It writes histograms of the largest ratio of each case, by
implementation and dtype, to ``calibration.json`` and ``calibration.md`` in an existing folder. The
threshold of the judge rests on these figures. The exit status is 1 if a correct implementation was
flagged, or if too many cases in float64 or float32 were inconclusive.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from tabulate import tabulate

from lstm_conformance.adapters.target import load
from lstm_conformance.reports.writing import write_results, write_text
from lstm_conformance.runner.judging.comparison import THRESHOLD, Finding
from lstm_conformance.runner.judging.rules import close, judged_by
from lstm_conformance.runner.judging.trial import Together, Trial
from lstm_conformance.spec.case import OUTPUTS, Case
from lstm_conformance.spec.contract import Implementation
from lstm_conformance.spec.ratios import LARGEST_RATIO
from lstm_conformance.spec.strategies import Domain
from lstm_conformance.spec.verdicts import FAIL, INCONCLUSIVE, PASS

from .measuring_options import measuring_parser
from .random_cases import drawn

# Number of cases of each implementation. torch is slow in the half formats.
CASES = {"float64": 2200, "float32": 2200, "bfloat16": 600, "float16": 600}

# Few cases of these dtypes may be inconclusive. The half formats have so few digits that many are.
CONCLUSIVE = ("float64", "float32")
INCONCLUSIVE_ALLOWED = 0.01

EDGES = (0, 1, 2, 3, 5, 10, 20, THRESHOLD, np.inf)
_CHUNK = 500
REWRITES = Path(__file__).parents[1] / "meta_tests" / "implementations" / "correct.py"


class Job(NamedTuple):
    """Some cases in one dtype, drawn from ``seed``, and the implementations that are judged."""

    dtype: str
    seed: int
    cases: int
    targets: tuple[str, ...]


class Judged(NamedTuple):
    """One case: its verdict, the largest ratio that led to it, and its line."""

    ratio: float
    verdict: str
    line: str


def main() -> int:
    """Measures and writes; the exit status says whether the figures are good enough."""
    parser = measuring_parser(__doc__)
    parser.add_argument("--cases", type=int, help="for each implementation and dtype")
    options = parser.parse_args()
    jobs = _jobs(dict.fromkeys(CASES, options.cases) if options.cases else CASES)
    for target in jobs[0].targets:
        load(target)  # so that a mistake shows now, and forked processes need not import it again
    measured = []
    with ProcessPoolExecutor(options.n) as pool:
        for job, of_job in zip(jobs, pool.map(measure, jobs), strict=True):
            measured.append((job, of_job))
            done = f"{len(measured)} of {len(jobs)}: {job.cases} cases in {job.dtype}"
            alarms = [
                f"  {target}: {one.ratio:.1f} {one.line}"
                for target, found in of_job.items()
                for one in found
                if one.verdict == FAIL
            ]
            print(done, *alarms, sep="\n", file=sys.stderr, flush=True)
    results = summarised(measured)
    write_results(options.folder / "calibration.json", results)
    write_text(options.folder / "calibration.md", page(results))
    print(page(results))
    return int(not good_enough(results))


def _jobs(numbers: dict[str, int]) -> list[Job]:
    targets = ("torch.nn:LSTM", "torch-onednn-off", *_targets_in(correct_rewrites()))
    return [
        Job(dtype, seed, min(_CHUNK, number - first), targets)
        for dtype, number in numbers.items()
        for seed, first in enumerate(range(0, number, _CHUNK))
    ]


def correct_rewrites() -> ModuleType:
    """The file of LSTMs that are right and compute in other ways; ``__all__`` names them."""
    spec = importlib.util.spec_from_file_location("correct", REWRITES)
    assert spec is not None
    assert spec.loader is not None
    rewrites = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(rewrites)
    return rewrites


def _targets_in(rewrites: ModuleType) -> list[str]:
    return [f"{REWRITES}:{name}" for name in rewrites.__all__]


def measure(job: Job) -> dict[str, list[Judged]]:
    """Judges the cases of ``job``, with all cotangents, in every tensor; by target."""
    implementations = {target: load(target) for target in job.targets}
    domain = Domain(dtype=(job.dtype,), cotangents=(OUTPUTS,))
    return judged(implementations, drawn(domain, job.cases, job.seed))


def judged(
    implementations: Mapping[str, Implementation], cases: Iterable[Case]
) -> dict[str, list[Judged]]:
    """Judges each implementation on all cases, in every tensor; by the names that were given.

    What is expected of a case is computed once for all implementations.
    """
    rule, found = close(), {name: list[Judged]() for name in implementations}
    for case in cases:
        expected = Together([case])
        for name, implementation in implementations.items():
            findings = judged_by(rule, Trial(case, implementation, expected))
            found[name].append(summed_up(case, findings))
    return found


def summed_up(case: Case, findings: list[Finding]) -> Judged:
    """``case`` with the worst verdict on a tensor, and the largest ratio with that verdict."""
    verdicts = [finding.verdict for finding in findings]
    verdict = next(v for v in (FAIL, INCONCLUSIVE, PASS) if v in verdicts)
    ratios = [_ratio(finding) for finding in findings if finding.verdict == verdict]
    return Judged(max(ratios), verdict, str(case))


def _ratio(finding: Finding) -> float:
    if (
        finding.ratio is None
    ):  # a finding without numbers, such as a wrong shape; or a tensor without elements
        return np.inf if finding.verdict == FAIL else 0.0
    return finding.ratio


def summarised(measured: list[tuple[Job, dict[str, list[Judged]]]]) -> dict[str, Any]:
    """The content of the JSON file: rows for each implementation and dtype, and for each dtype."""
    of_row: dict[str, dict[str, list[Judged]]] = {}
    for job, of_job in measured:
        for target, found in of_job.items():
            implementation = target.rpartition("/")[2]  # without its folder
            of_row.setdefault(implementation, {}).setdefault(job.dtype, []).extend(found)
    of_dtype: dict[str, list[Judged]] = {}
    for of_implementation in of_row.values():
        for dtype, found in of_implementation.items():
            of_dtype.setdefault(dtype, []).extend(found)
    return {
        "edges": [edge for edge in EDGES if edge < np.inf],
        "rows": [
            {"implementation": implementation, "dtype": dtype, **figures(found)}
            for implementation, of_implementation in of_row.items()
            for dtype, found in of_implementation.items()
        ],
        "dtypes": [{"dtype": dtype, **figures(found)} for dtype, found in of_dtype.items()],
    }


def figures(found: list[Judged]) -> dict[str, Any]:
    """Of some judged cases: a histogram of their ratios, the largest, and how many were flagged."""
    conclusive = [one for one in found if one.verdict != INCONCLUSIVE]
    worst = max(conclusive, default=Judged(0.0, PASS, ""))
    # JSON has no infinity. Infinite ratios count in the last bin.
    ratios = np.minimum([one.ratio for one in conclusive], LARGEST_RATIO)
    return {
        "cases": len(found),
        "histogram": np.histogram(ratios, EDGES)[0].tolist(),
        "largest_ratio": min(worst.ratio, LARGEST_RATIO),
        "largest_in": worst.line,
        "inconclusive": len(found) - len(conclusive),
        "false_alarms": sum(one.verdict == FAIL for one in found),
    }


def good_enough(results: dict[str, Any]) -> bool:
    """Whether no correct implementation was flagged, and nearly all cases were conclusive."""
    return all(
        row["false_alarms"] == 0
        and (row["dtype"] not in CONCLUSIVE or _inconclusive_share(row) < INCONCLUSIVE_ALLOWED)
        for row in results["dtypes"]
    )


def _inconclusive_share(row: dict[str, Any]) -> float:
    return float(row["inconclusive"] / row["cases"])


def page(results: dict[str, Any]) -> str:
    """The figures as a page in Markdown."""
    rows = [[row["implementation"], row["dtype"], *row_of_figures(row)] for row in results["rows"]]
    headers = ["implementation", "dtype", *headers_of_figures()]
    of_dtypes = [
        [
            row["dtype"],
            row["cases"],
            row["false_alarms"],
            f"{_inconclusive_share(row):.2%}",
            f"{row['largest_ratio']:.2f}",
        ]
        for row in results["dtypes"]
    ]
    total = sum(row["cases"] for row in results["dtypes"])
    alarms = sum(row["false_alarms"] for row in results["dtypes"])
    return (
        "# Calibration\n\n"
        "Correct implementations on random cases. The ratio of a case is the largest ratio of "
        "error to rounding noise, over all elements of outputs and gradients. The table says how "
        f"many cases have which ratio. A case fails at a ratio over {THRESHOLD:g}. Inconclusive "
        "cases exceed that, too, but in a tensor so ill-conditioned that it proves nothing; they "
        "are in no other column.\n\n"
        f"{total:,} judged cases, {alarms} false alarms. All implementations have the same cases. "
        "Made by `tox -e calibrate`.\n\n"
        f"{table(of_dtypes, ['dtype', 'cases', 'false alarms', 'inconclusive', 'largest ratio'])}"
        "\n\n## Each implementation\n\n"
        f"{table(rows, headers)}\n"
    )


def headers_of_figures() -> list[str]:
    """What the columns are that :func:`row_of_figures` fills."""
    edges = EDGES[:-1]
    bins = [f"{low:g} to {high:g}" for low, high in pairwise(edges)]
    return ["cases", *bins, f"over {edges[-1]:g}", "largest", "inconclusive", "false alarms"]


def row_of_figures(row: Mapping[str, Any]) -> list[Any]:
    """The part of a row that :func:`figures` made."""
    return [
        row["cases"],
        *row["histogram"],
        f"{row['largest_ratio']:.2f}",
        row["inconclusive"],
        row["false_alarms"],
    ]


def table(rows: list[list[Any]], headers: list[str]) -> str:
    """A table in Markdown, with numbers from the column "cases" on."""
    numbers = ["right"] * (len(headers) - headers.index("cases"))
    text = ["left"] * headers.index("cases")
    return tabulate(rows, headers, "pipe", colalign=(*text, *numbers), disable_numparse=True)


if __name__ == "__main__":
    sys.exit(main())
